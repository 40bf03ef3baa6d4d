//! Refusals: timing differences between refused logins, and the cost of hostile documents.

use std::time::Instant;

use serde_json::{Value, json};

use super::{mail_requests, median, moved_logins};
use crate::Scale;
use crate::clients::Repeat;
use crate::database::{Database, Kind};
use crate::driver::{Connection, run_times};
use crate::report::{Goal, Report};
use crate::service::{PASSWORD, Service};

#[expect(clippy::format_collect, reason = "these texts are short, and read better so")]
#[path = "../../../tests/it/hostile/corpus.rs"]
mod corpus;

/// Tries per name: few enough that no attempt limit is near.
pub(super) const TRIES: usize = 4;

/// Reasons of refusals, and the prefix of the names that meet them.
const REASONS: [&str; 3] = ["wrong", "nobody", "retired"];

/// Orders of the tries: no reason always follows the same other one.
pub(super) const ORDERS: [[usize; 3]; 6] =
    [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

const TIMES: usize = 30;

pub async fn measure(kind: Kind, scale: &Scale, report: &mut Report) {
    let database = Database::new(kind).await;
    let flags = ["--throttle", "true", "--trusted-proxy", "127.0.0.1"];
    let service = Service::start(&database, &flags).await;
    logins(kind, &service, scale, report).await;
    mail_requests::measure(kind, &service, scale, report).await;
    documents(kind, &service, report).await;
    drop(service);
    moved_logins::measure(kind, scale, report).await;
}

/// Tries the names in turn, each from another network.
async fn logins(kind: Kind, service: &Service, scale: &Scale, report: &mut Report) {
    let names = if scale.turns > 1 { 50 } else { 2 };
    make_accounts(service, names).await;
    let mut connection = Connection::open(service.address).await;
    let mut times = [const { Vec::new() }; 3];
    let mut answers = Vec::new();
    for attempt in 0..names * TRIES {
        for (turn, of) in ORDERS[attempt % ORDERS.len()].into_iter().enumerate() {
            let network = attempt * REASONS.len() + turn;
            let request = login(&name(REASONS[of], attempt % names), network);
            let began = Instant::now();
            connection.exchange(&request).await.expect("an answer");
            times[of].push(began.elapsed().as_secs_f64() * 1000.0);
            answers.push(without(connection.answer(), &[]));
        }
    }
    assert!(answers[0].contains("INVALID_CREDENTIALS"), "{}", answers[0]);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "the answers differ");
    // Other work on the machine moves the middle of so few; the fastest tenth it hardly touches.
    for (which, of) in [("medians", median as fn(_) -> _), ("first deciles", decile)] {
        let [wrong, nobody, retired] = times.clone().map(of);
        for (what, other) in [("an unknown name", nobody), ("a deactivated account", retired)] {
            let share = (other - wrong).abs() / wrong * 100.0;
            let what = format!(
                "refused login: {what} ({other:.2} ms) against a wrong password ({wrong:.2} ms), \
                 difference of the {which} of {}",
                names * TRIES
            );
            report.amount(&what, kind, share, "%", Goal::AtMost(5.0));
        }
    }
}

/// The first decile.
pub(super) fn decile(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 10).copied().unwrap_or(f64::NAN)
}

/// Accounts for wrong passwords, and deactivated ones.
async fn make_accounts(service: &Service, names: usize) {
    let admin = service.log_in(1).await.remove(0).access;
    let deactivate = "mutation($id: ID!) { setUserActive(input: { userId: $id, active: false }) \
                      { user { id } errors { code } } }";
    for number in 0..names {
        for reason in ["wrong", "retired"] {
            let id = create(service, &admin, &name(reason, number)).await;
            if reason == "retired" {
                let done = service.ask(Some(&admin), deactivate, json!({ "id": id })).await;
                assert!(done["data"]["setUserActive"]["user"]["id"].is_string(), "{done}");
            }
        }
    }
}

/// Creates an account with [`PASSWORD`]. Returns its ID.
pub(super) async fn create(service: &Service, admin: &str, name: &str) -> Value {
    let create = "mutation($u: String!, $p: String!) { createUser(input: { username: $u, \
                  password: $p }) { user { id } errors { code } } }";
    let made = service.ask(Some(admin), create, json!({ "u": name, "p": PASSWORD })).await;
    let id = &made["data"]["createUser"]["user"]["id"];
    assert!(id.is_string(), "{made}");
    id.clone()
}

/// All of the same length.
pub(super) fn name(reason: &str, number: usize) -> String {
    format!("{reason:x<8}{number:02}")
}

/// A login with the password of [`make_accounts`], or a wrong one, from this network.
pub(super) fn login(name: &str, network: usize) -> Vec<u8> {
    let document = "mutation($u: String!, $p: String!) { login(input: { username: $u, \
                    password: $p }) { user { id } errors { code message path } } }";
    let password = if name.starts_with("retired") { PASSWORD } else { "tangerine-orbit-quartz-42" };
    post(
        &json!({ "query": document, "variables": { "u": name, "p": password } }).to_string(),
        network,
    )
}

/// A request from this network.
pub(super) fn post(body: &str, network: usize) -> Vec<u8> {
    format!(
        "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         x-forwarded-for: 10.{}.{}.1\r\ncontent-length: {}\r\n\r\n{body}",
        network / 256,
        network % 256,
        body.len()
    )
    .into_bytes()
}

/// An answer without the values that differ each time: some headers, and these fields.
pub(super) fn without(answer: &[u8], fields: &[&str]) -> String {
    let answer = String::from_utf8_lossy(answer);
    let is_same = |line: &&str| line.split_once(": ").is_none_or(|(name, _)| !is_own(name));
    let lines = answer.lines().filter(is_same).collect::<Vec<_>>().join("\n");
    fields.iter().fold(lines, |text, field| without_value(&text, field))
}

fn is_own(name: &str) -> bool {
    ["x-request-id", "date"].iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// The text without the value of a string field.
fn without_value(text: &str, field: &str) -> String {
    let Some((before, after)) = text.split_once(&format!("\"{field}\":\"")) else {
        return text.to_owned();
    };
    let rest = after.split_once('"').map_or("", |(_, rest)| rest);
    format!("{before}{rest}")
}

/// The slowest document: an attacker would repeat it.
async fn documents(kind: Kind, service: &Service, report: &mut Report) {
    let (mut slowest, mut latest) = ((0.0, ""), (0.0, ""));
    for hostile in &corpus::documents() {
        let client = Repeat::document(&hostile.document, None, hostile.code);
        let measured = run_times(service.address, client, TIMES).await;
        assert_eq!(measured.bad, 0, "{} is not refused", hostile.name);
        let (middle, last) = (measured.per_mille(500), measured.per_mille(1000));
        if middle > slowest.0 {
            slowest = (middle, hostile.name);
        }
        if last > latest.0 {
            latest = (last, hostile.name);
        }
    }
    let what = |which: &str, name: &str| format!("hostile document refused, {which} ({name})");
    report.amount(
        &what("the slowest median", slowest.1),
        kind,
        slowest.0,
        "ms",
        Goal::AtMost(10.0),
    );
    report.amount(&what("the slowest of all", latest.1), kind, latest.0, "ms", Goal::AtMost(10.0));
}
