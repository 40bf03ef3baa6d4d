//! The process itself: how soon it is ready, what it holds, and a purge beside its work.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::median;
use crate::Scale;
use crate::client::run;
use crate::database::{Database, Kind};
use crate::report::{Goal, Report};
use crate::service::Service;
use crate::visitors::Chain;

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
    let slice = scale.time.min(Duration::from_secs(2));
    let (mut beside, mut alone, mut chains) = (Vec::new(), Vec::new(), chains);
    while purge.try_wait().expect("the purge").is_none() {
        let (measured, kept) = run(service.address, chains, slice).await;
        beside.push(measured.p99());
        chains = kept;
    }
    // As many of either, since the worst of many is worse than the worst of few.
    for _ in 0..beside.len() {
        let (measured, kept) = run(service.address, chains, slice).await;
        alone.push(measured.p99());
        chains = kept;
    }
    report.ratio(
        &format!("refresh p99 (ms) beside a purge of {} rows / without it", scale.expired),
        database.kind(),
        worst(beside),
        worst(alone),
        Goal::AtMost(2.0),
    );
}

/// The worst of some slices: an average would hide a pause.
fn worst(slices: Vec<f64>) -> f64 {
    slices.into_iter().fold(f64::NAN, f64::max)
}
