//! Fault injection: ended sessions stay ended and live ones stay alive, with real processes and databases.
//!
//! Clients record their answers, and one checker ([`invariants`]) reads the record afterwards; a scenario
//! only causes faults. Measurements go to `target/replicas-report.md`. `SALLYPORT_PROOF=long` makes each
//! scenario longer, and runs one at a time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod browser;
mod bystanders;
mod cluster;
mod disk;
mod floors;
mod history;
mod http;
mod invariants;
mod load;
mod proxy;
mod replica;
mod report;
mod scenarios;
mod server;

fn is_long() -> bool {
    std::env::var("SALLYPORT_PROOF").is_ok_and(|length| length == "long")
}

fn times(short: usize, long: usize) -> usize {
    if is_long() { long } else { short }
}
