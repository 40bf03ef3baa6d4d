//! Requests for mails by a name: timing differences between names that get a mail and others.

use std::time::Instant;

use serde_json::json;

use super::median;
use super::refusals::{ORDERS, decile, post, without};
use crate::Scale;
use crate::database::Kind;
use crate::driver::Connection;
use crate::report::{Goal, Report};
use crate::service::{PASSWORD, Service};

/// Requests per name: as many as one recipient gets mails in ten minutes.
const TRIES: usize = 3;

/// What is known of a name, and the prefix of such names.
const KINDS: [&str; 3] = ["mailed", "absent", "noemail"];

pub async fn measure(kind: Kind, service: &Service, scale: &Scale, report: &mut Report) {
    let names = if scale.turns > 1 { 60 } else { 2 };
    make_accounts(service, names).await;
    let mut connection = Connection::open(service.address).await;
    let mut times = [const { Vec::new() }; 3];
    let mut answers = Vec::new();
    for attempt in 0..names * TRIES {
        for (turn, of) in ORDERS[attempt % ORDERS.len()].into_iter().enumerate() {
            let network = attempt * KINDS.len() + turn;
            let request = request(&name(KINDS[of], attempt % names), network);
            let began = Instant::now();
            connection.exchange(&request).await.expect("an answer");
            times[of].push(began.elapsed().as_secs_f64() * 1000.0);
            answers.push(without(connection.answer(), &["challengeToken", "expiresAt"]));
        }
    }
    assert!(answers[0].contains(r#""errors":[]"#), "{}", answers[0]);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "the answers differ");
    for (which, of) in [("medians", median as fn(_) -> _), ("first deciles", decile)] {
        let [mailed, absent, without] = times.clone().map(of);
        for (what, other) in
            [("an unknown name", absent), ("an account without an address", without)]
        {
            let share = (other - mailed).abs() / mailed * 100.0;
            let what = format!(
                "mail requested: {what} ({other:.2} ms) against an account that gets it \
                 ({mailed:.2} ms), difference of the {which} of {}",
                names * TRIES
            );
            report.amount(&what, kind, share, "%", Goal::AtMost(10.0));
        }
    }
}

async fn make_accounts(service: &Service, names: usize) {
    let admin = service.log_in(1).await.remove(0).access;
    let create = "mutation($u: String!, $p: String!, $e: String) { createUser(input: { username: $u, \
                  password: $p, email: $e }) { user { id } errors { code } } }";
    for number in 0..names {
        for kind in ["mailed", "noemail"] {
            let name = name(kind, number);
            let email = (kind == "mailed").then(|| format!("{name}@example.com"));
            let account = json!({ "u": name, "p": PASSWORD, "e": email });
            let made = service.ask(Some(&admin), create, account).await;
            assert!(made["data"]["createUser"]["user"]["id"].is_string(), "{made}");
        }
    }
}

/// All of the same length.
fn name(kind: &str, number: usize) -> String {
    format!("{kind:x<8}{number:02}")
}

fn request(name: &str, network: usize) -> Vec<u8> {
    let document = "mutation($u: String!) { requestPasswordReset(input: { username: $u }) { \
                    challenge { challengeToken expiresAt sentTo steps attemptsLeft } \
                    errors { code message path } } }";
    post(&json!({ "query": document, "variables": { "u": name } }).to_string(), network)
}
