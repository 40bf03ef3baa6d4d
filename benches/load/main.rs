//! Load program: source of the figures in `benches/README.md`.
//!
//!     benches/run                     everything, in about half an hour
//!     benches/run --short             that it works, in a minute; its figures say nothing
//!     benches/run --only refresh      one part of it
//!
//! It starts the service, its floors and the peer by itself, takes turns between what it compares, so
//! that all of them have the same weather, and writes a report with a chart of growth.

mod chart;
mod clients;
mod database;
mod driver;
mod floors;
mod measures;
mod peer;
mod report;
mod service;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::database::Kind;
use crate::measures::{growth, guard, logins, process, refresh, refusals};
use crate::report::Report;

/// Measures the service against its floors and its peer.
#[derive(Parser)]
struct Arguments {
    /// Proves that it works, with runs too short to mean anything
    #[arg(long)]
    short: bool,
    /// Only the parts of this name: guard, refresh, login, refusals, process, growth
    #[arg(long)]
    only: Vec<String>,
    /// How many seconds a run lasts
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// The most rows of each table
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Where the report goes
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/report"))]
    report: PathBuf,
    /// Where the peer was set up; without it nothing is compared with a peer
    #[arg(long, env = "PEER_DIRECTORY")]
    peer: Option<PathBuf>,
    /// `cargo bench` gives it
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Debug)]
pub struct Scale {
    pub time: Duration,
    /// Runs of each measurement; the median counts.
    pub turns: usize,
    pub connections: usize,
    /// Ended sessions in memory.
    pub ends: [u64; 3],
    /// Rows of the lists.
    pub rows: Vec<u64>,
    /// Expired rows to purge.
    pub expired: u64,
    /// Requests per page.
    pub pages: usize,
    pub peer: Option<PathBuf>,
}

impl Scale {
    /// The same in many short turns, for what differs by a few hundredths: whatever else the machine
    /// does comes and goes within seconds.
    #[must_use]
    pub fn in_short_turns(&self) -> Self {
        if self.turns == 1 {
            return self.clone();
        }
        Self { turns: self.turns * 5, time: self.time / 4, ..self.clone() }
    }
}

impl Arguments {
    fn scale(&self) -> Scale {
        let peer = self.peer.clone();
        if self.short {
            return Scale {
                time: Duration::from_millis(150),
                turns: 1,
                connections: 8,
                ends: [0, 100, 1000],
                rows: vec![100, 1000],
                expired: 1000,
                pages: 5,
                peer,
            };
        }
        let rows = (4..).map(|power| 10_u64.pow(power)).take_while(|&rows| rows <= self.rows);
        Scale {
            time: Duration::from_secs(self.seconds),
            turns: 3,
            connections: 64,
            ends: [0, 100_000, 1_000_000],
            rows: rows.collect(),
            expired: 1_000_000,
            pages: 300,
            peer,
        }
    }

    fn has(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }
}

#[tokio::main]
async fn main() {
    if std::env::args().nth(1).as_deref() == Some(floors::GRAPHQL) {
        return floors::serve_graphql().await;
    }
    let arguments = Arguments::parse();
    let scale = arguments.scale();
    let mut report = Report::begin(&scale);
    for kind in Kind::ALL {
        if arguments.has("guard") {
            guard::measure(kind, &scale, &mut report).await;
        }
        if arguments.has("refresh") {
            refresh::measure(kind, &scale, &mut report).await;
        }
        if arguments.has("login") {
            logins::measure(kind, &scale, &mut report).await;
        }
        if arguments.has("refusals") {
            refusals::measure(kind, &scale, &mut report).await;
        }
        if arguments.has("process") {
            process::measure(kind, &scale, &mut report).await;
        }
        if arguments.has("growth") {
            growth::measure(kind, &scale, &mut report).await;
        }
    }
    report.write(&arguments.report).expect("the report is written");
}
