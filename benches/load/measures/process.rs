//! The process: time to readiness, memory, and a purge under load.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::median;
use crate::Scale;
use crate::clients::Chain;
use crate::database::{Database, Kind};
use crate::driver::{Measured, run};
use crate::report::{Goal, Report};
use crate::service::Service;

pub async fn measure(kind: Kind, scale: &Scale, report: &mut Report) {
    let database = Database::new(kind).await;
    drop(Service::start(&database, &[]).await);
    let (mut starts, mut idle) = (Vec::new(), Vec::new());
    for _ in 0..scale.turns * 3 {
        let service = Service::start(&database, &[]).await;
        starts.push(service.started_in.as_secs_f64() * 1000.0);
        idle.push(service.resident());
    }
    report.amount(
        "from start to ready, existing database",
        kind,
        median(starts),
        "ms",
        Goal::AtMost(60.0),
    );
    report.amount("resident memory, idle", kind, median(idle), "MB", Goal::AtMost(25.0));
    purge(&database, scale, report).await;
}

async fn purge(database: &Database, scale: &Scale, report: &mut Report) {
    let service = Service::start(database, &[]).await;
    let tokens = service.log_in(8).await;
    database.add_expired(scale.expired).await;
    let chains: Vec<_> = tokens.into_iter().map(|tokens| Chain::graphql(tokens.refresh)).collect();
    let mut purge = Command::new(env!("CARGO_BIN_EXE_sallyport"))
        .args(["purge", "--database-url", &database.url()])
        .env("SALLYPORT_SECRET", "0123456789abcdefghijklmnopqrstuv")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program");
    let (beside, chains) =
        slices(&service, chains, scale, |_| purge.try_wait().expect("the purge").is_none()).await;
    // As many of either, since the worst of many is worse than the worst of few.
    let (alone, _) = slices(&service, chains, scale, |done| done < beside.p99.len()).await;
    let what = format!("refresh p99 (ms) beside a purge of {} rows / without it", scale.expired);
    let kind = database.kind();
    report.ratio(&what, kind, beside.all.p99(), alone.all.p99(), Goal::AtMost(2.0));
    report.ratio(
        "the same of the worst two seconds of either",
        kind,
        beside.worst(),
        alone.worst(),
        Goal::AtMost(2.0),
    );
}

/// Results of slices of two seconds.
#[derive(Default)]
struct Slices {
    all: Measured,
    /// The p99 of each.
    p99: Vec<f64>,
}

impl Slices {
    /// The slowest slice: an average would hide a pause.
    fn worst(&self) -> f64 {
        self.p99.iter().copied().fold(f64::NAN, f64::max)
    }
}

/// Refreshes a slice at a time for as long as there are to be more than so many.
async fn slices(
    service: &Service,
    mut chains: Vec<Chain>,
    scale: &Scale,
    mut more: impl FnMut(usize) -> bool,
) -> (Slices, Vec<Chain>) {
    let time = scale.time.min(Duration::from_secs(2));
    let mut slices = Slices::default();
    while more(slices.p99.len()) {
        let (measured, kept) = run(service.address, chains, time).await;
        slices.p99.push(measured.p99());
        slices.all.add(measured);
        chains = kept;
    }
    (slices, chains)
}
