//! The proof that ended means ended: real processes over real databases, while what they stand on
//! fails.
//!
//! Rule: clients write down what they were answered, and one checker reads it afterwards
//! ([`invariants`]); a scenario only does harm. What is measured goes into `target/replicas-report.md`.
//! Scenarios run one at a time. `SALLYPORT_PROOF=long` makes each of them longer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod browser;
mod cluster;
mod disk;
mod floors;
mod guests;
mod history;
mod http;
mod invariants;
mod load;
mod proxy;
mod replica;
mod report;
mod scenarios;
mod server;

/// Whether this is the long run.
fn is_long() -> bool {
    std::env::var("SALLYPORT_PROOF").is_ok_and(|length| length == "long")
}

/// The first number in a short run, the second in the long one.
fn times(short: usize, long: usize) -> usize {
    if is_long() { long } else { short }
}
