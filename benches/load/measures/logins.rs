//! Logins, their effect on other requests, and logout of all sessions.

use std::thread::available_parallelism;
use std::time::Instant;

use sallyport::crypto::password::Hashing;
use sallyport::domain::password::Password;
use sallyport::entropy::SystemEntropy;
use serde_json::Value;

use super::median;
use crate::Scale;
use crate::clients::{Chain, Repeat};
use crate::database::{Database, Kind};
use crate::driver::run;
use crate::report::{Goal, Report};
use crate::service::{PASSWORD, Service, login};

pub async fn measure(kind: Kind, scale: &Scale, report: &mut Report) {
    let database = Database::new(kind).await;
    let service = Service::start(&database, &[]).await;
    let tokens = service.log_in(9).await;
    let (address, flood) = (service.address, Repeat::document(&login(), None, "refreshToken"));
    let guarded = Repeat::document("{ viewerSession { sid } }", Some(&tokens[0].access), "sid");
    let mut chains: Vec<_> =
        tokens[1..].iter().map(|tokens| Chain::graphql(tokens.refresh.clone())).collect();

    let (mut possible, mut logins) = (Vec::new(), Vec::new());
    let (mut guard_p99, mut refresh_p99) = (Vec::new(), Vec::new());
    for _ in 0..scale.turns {
        possible.push(hashes_a_second());
        logins.push(run(address, vec![flood.clone(); 16], scale.time).await.0.rate);
        let beside = (
            run(address, vec![flood.clone(); 16], scale.time),
            run(address, vec![guarded.clone()], scale.time),
            run(address, chains, scale.time),
        );
        let (_, (guarded, _), (refreshed, kept)) = tokio::join!(beside.0, beside.1, beside.2);
        guard_p99.push(guarded.p99());
        refresh_p99.push(refreshed.p99());
        chains = kept;
    }
    report.ratio(
        "login / cores by the time of one hash",
        kind,
        median(logins),
        median(possible),
        Goal::AtLeast(0.95),
    );
    report.amount(
        "guarded query while logins flood, p99",
        kind,
        median(guard_p99),
        "ms",
        Goal::AtMost(20.0),
    );
    report.amount(
        "refresh while logins flood, p99",
        kind,
        median(refresh_p99),
        "ms",
        Goal::AtMost(100.0),
    );
    log_out_everywhere(&database, &service, scale, report).await;
}

/// Hashes per second of all cores, from the time of one hash on each of them.
fn hashes_a_second() -> f64 {
    const HASHES: u32 = 20;
    let cores = available_parallelism().map_or(1, usize::from);
    let password = Password::attempt(PASSWORD).expect("a password");
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let hashing = Hashing::default();
                for _ in 0..HASHES {
                    hashing.hash(&password, &SystemEntropy).expect("a hash");
                }
            });
        }
    });
    let cores = u32::try_from(cores).unwrap_or(1);
    f64::from(HASHES * cores) / began.elapsed().as_secs_f64()
}

async fn log_out_everywhere(
    database: &Database,
    service: &Service,
    scale: &Scale,
    report: &mut Report,
) {
    let mut times = Vec::new();
    for _ in 0..scale.turns {
        let access = service.log_in(1).await.remove(0).access;
        database.add_sessions_of_admin(1000).await;
        // Nobody logs out of a thousand sessions twice in a minute, whose ends are read again.
        database.age_ends().await;
        let began = Instant::now();
        let document = "mutation { logout(input: { scope: ALL }) { endedCount } }";
        let answer = service.ask(Some(&access), document, Value::Null).await;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        let ended = answer["data"]["logout"]["endedCount"].as_u64();
        assert!(ended.is_some_and(|ended| ended >= 1000), "{answer}");
    }
    let goal = if database.kind() == Kind::Sqlite { 30.0 } else { 60.0 };
    report.amount(
        "logout of 1000 sessions at once",
        database.kind(),
        median(times),
        "ms",
        Goal::AtMost(goal),
    );
}
