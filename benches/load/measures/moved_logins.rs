//! Refusals after a move from another system: the time of a wrong password of an account that has logged in since,
//! of one that has not, and of names that nobody has.
//!
//! An account that has not logged in takes longer. Names that nobody has take as long as the one or the other, as
//! often as accounts do, so that the time tells nothing about an account.

use std::time::Instant;

use super::median;
use super::refusals::{TRIES, create, login, name};
use crate::Scale;
use crate::database::{Database, Kind};
use crate::driver::Connection;
use crate::report::{Goal, Report};
use crate::service::Service;

/// Prefixes of the names, those that nobody has twice: as many as accounts.
const PREFIXES: [&str; 4] = ["moved", "unmoved", "nobody", "noone"];

/// A hash as Django 2.2 made them, which takes about twice as long as one of ours. No password is known to match.
const FOREIGN: &str =
    "pbkdf2_sha256$150000$longSaltOf22Characters$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Most that the share of slow names may differ from that of slow accounts, in percentage points: three standard
/// deviations of sixty names.
const MAX_SHARE_DIFFERENCE: f64 = 20.0;

pub async fn measure(kind: Kind, scale: &Scale, report: &mut Report) {
    let names = if scale.turns > 1 { 30 } else { 3 };
    let database = Database::new(kind).await;
    let flags = ["--throttle", "true", "--trusted-proxy", "127.0.0.1"];
    make_accounts(&Service::start(&database, &flags).await, names).await;
    let give = "UPDATE password_credentials SET scheme = 'PBKDF2', hash = ";
    let unmoved = "(SELECT id FROM users WHERE username_key LIKE 'unmoved%')";
    database.execute(format!("{give}'{FOREIGN}' WHERE user_id IN {unmoved}")).await;
    // The hashes that accounts have are looked up at the start.
    let service = Service::start(&database, &flags).await;
    let [moved, unmoved, nobody, noone] = times(&service, names).await;
    let (moved, unmoved) = (median(moved.concat()), median(unmoved.concat()));
    let is_slow = |tries: &Vec<f64>| median(tries.clone()) > (moved * unmoved).sqrt();
    let unknown: Vec<_> = nobody.into_iter().chain(noone).collect();
    let all = unknown.len();
    let (slow, fast): (Vec<_>, Vec<_>) = unknown.into_iter().partition(is_slow);
    // The administrator's hash is one of ours.
    let share = percent(slow.len(), all) - percent(names, 2 * names + 1);
    for (accounts, of_accounts, of_names) in [("moved", moved, fast), ("not moved", unmoved, slow)]
    {
        let count = of_names.len();
        let of_names = median(of_names.concat());
        let what = format!(
            "refused login after a move: {count} unknown names ({of_names:.2} ms) against a wrong \
             password of accounts that have {accounts} ({of_accounts:.2} ms), difference of medians"
        );
        let difference = (of_names - of_accounts).abs() / of_accounts * 100.0;
        report.amount(&what, kind, difference, "%", Goal::AtMost(5.0));
    }
    let what = "refused login after a move: share of unknown names that take as long as accounts \
                that have not moved, difference to the share of these accounts";
    report.amount(what, kind, share.abs(), "points", Goal::AtMost(MAX_SHARE_DIFFERENCE));
}

fn percent(part: usize, of: usize) -> f64 {
    let [part, of] = [part, of].map(|count| f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    part / of * 100.0
}

async fn make_accounts(service: &Service, names: usize) {
    let admin = service.log_in(1).await.remove(0).access;
    for number in 0..names {
        for prefix in ["moved", "unmoved"] {
            create(service, &admin, &name(prefix, number)).await;
        }
    }
}

/// Milliseconds of the tries of each name, for each prefix; each try is from another network.
async fn times(service: &Service, names: usize) -> [Vec<Vec<f64>>; 4] {
    let mut connection = Connection::open(service.address).await;
    let mut times = [const { Vec::new() }; 4].map(|_: Vec<f64>| vec![Vec::new(); names]);
    for attempt in 0..names * TRIES {
        for turn in 0..PREFIXES.len() {
            // No prefix always follows the same other one.
            let of = (turn * (1 + attempt % 2 * 2) + attempt) % PREFIXES.len();
            let number = attempt % names;
            let network = attempt * PREFIXES.len() + turn;
            let request = login(&name(PREFIXES[of], number), network);
            let began = Instant::now();
            connection.exchange(&request).await.expect("an answer");
            times[of][number].push(began.elapsed().as_secs_f64() * 1000.0);
            let answer = String::from_utf8_lossy(connection.answer());
            assert!(answer.contains("INVALID_CREDENTIALS"), "{answer}");
        }
    }
    times
}
