//! Metrics in Prometheus' text format (`OpenMetrics`).
//!
//! The code that decides an outcome counts it, through the [`Metrics`] that it is given. The values of every
//! label are a closed set: a label with a username, an address or text of a client would make a series for
//! each value and overload the monitoring. Every series exists from the start with the value zero, because a
//! rate over a series that appears with its first event misses that event.

mod labels;

pub use labels::{EmailOutcome, LoginResult, OperationKind, Outcome, RefreshOutcome};

use std::sync::LazyLock;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use crate::domain::mail::MailPurpose;
use crate::domain::session::EndReason;

/// Content type of `OpenMetrics`.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Bounds of the histogram of durations, in seconds: a refresh takes one or two milliseconds, a login fifty,
/// and 2.5 s is above the timeout of the database's queries.
const DURATION_BUCKETS: [f64; 11] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// Label of e-mails whose purpose only a newer version knows.
const UNKNOWN_PURPOSE: &str = "unknown";

/// A label's name and value.
type Label = (&'static str, &'static str);

type FloatGauge = Gauge<f64, AtomicU64>;

/// Dropped lines of the log. Static, because a process has one log.
#[must_use]
pub fn dropped_log_lines() -> &'static Counter {
    static DROPPED: LazyLock<Counter> = LazyLock::new(Counter::default);
    &DROPPED
}

pub struct Metrics {
    registry: Registry,
    logins: Family<[Label; 1], Counter>,
    refreshes: Family<[Label; 1], Counter>,
    ends: Family<[Label; 1], Counter>,
    operations: Family<[Label; 2], Counter>,
    durations: Family<[Label; 1], Histogram>,
    emails: Family<[Label; 2], Counter>,
    email_queue: FloatGauge,
    observed: ObservedGauges,
}

/// Values that are read when the metrics are requested.
#[derive(Clone, Copy, Debug, Default)]
pub struct Observed {
    /// Age of the set of ended sessions; `None` before the first complete read.
    pub staleness: Option<Duration>,
    /// Number of ended sessions in memory.
    pub ended_sessions: usize,
    /// Number of idle and of used connections to the database.
    pub connections: (usize, usize),
    /// Largest number of connections to the database.
    pub connections_max: usize,
    /// Number of passwords that are being hashed, and that wait for it.
    pub hashing: (usize, usize),
    /// Number of open web sockets and event streams.
    pub open_sockets: usize,
    /// Correction of the machine's clock in microseconds.
    pub clock_correction: i64,
    /// Time since the start of the process.
    pub uptime: Duration,
}

#[derive(Default)]
struct ObservedGauges {
    staleness: FloatGauge,
    ended_sessions: Gauge,
    connections: Family<[Label; 1], Gauge>,
    connections_max: Gauge,
    hashing: Family<[Label; 1], Gauge>,
    open_sockets: Gauge,
    clock_correction: FloatGauge,
    uptime: FloatGauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("sallyport");
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Version of the program", version);
        let dropped = "Number of log lines dropped because standard error was not read";
        registry.register("log_lines_dropped", dropped, dropped_log_lines().clone());
        let durations = Family::new_with_constructor(duration as fn() -> Histogram);
        let ends = "Number of sessions ended by this process, by reason";
        let operations = "Number of GraphQL and REST requests, by type and outcome";
        let emails = "Number of attempts to send an e-mail, by purpose and outcome";
        let email_queue = FloatGauge::default();
        let age = "Age of the oldest e-mail that is not sent yet";
        registry.register_with_unit("email_queue", age, Unit::Seconds, email_queue.clone());
        let metrics = Self {
            logins: counters(&mut registry, "logins", "Number of login attempts, by result"),
            refreshes: counters(&mut registry, "refreshes", "Number of refreshes, by outcome"),
            ends: counters(&mut registry, "session_ends", ends),
            operations: counters(&mut registry, "operations", operations),
            durations: durations.clone(),
            emails: counters(&mut registry, "emails", emails),
            email_queue,
            observed: ObservedGauges::registered(&mut registry),
            registry,
        };
        metrics.with_all_series()
    }
}

impl Metrics {
    pub fn login(&self, result: LoginResult) {
        self.logins.get_or_create(&[("result", result.as_str())]).inc();
    }

    pub fn refresh(&self, outcome: RefreshOutcome) {
        self.refreshes.get_or_create(&[("outcome", outcome.as_str())]).inc();
    }

    /// Counts the end of a session by this process.
    pub fn session_end(&self, reason: EndReason) {
        self.ends.get_or_create(&[("reason", reason.as_str())]).inc();
    }

    pub fn operation(&self, kind: OperationKind, outcome: Outcome, took: Duration) {
        let kind = ("type", kind.as_str());
        self.operations.get_or_create(&[kind, ("outcome", outcome.as_str())]).inc();
        self.durations.get_or_create(&[kind]).observe(took.as_secs_f64());
    }

    /// Counts an attempt to send an e-mail; `None` for a purpose that only a newer version knows.
    pub fn email(&self, purpose: Option<MailPurpose>, outcome: EmailOutcome) {
        let purpose = ("purpose", purpose.map_or(UNKNOWN_PURPOSE, MailPurpose::as_str));
        self.emails.get_or_create(&[purpose, ("outcome", outcome.as_str())]).inc();
    }

    /// Sets the age of the oldest e-mail that is not sent yet.
    pub fn email_queue(&self, age: Duration) {
        self.email_queue.set(age.as_secs_f64());
    }

    #[must_use]
    pub fn text(&self, observed: Observed) -> String {
        self.observed.set(observed);
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// Creates every series with the value zero.
    fn with_all_series(mut self) -> Self {
        for result in LoginResult::ALL {
            drop(self.logins.get_or_create(&[("result", result.as_str())]));
        }
        for outcome in RefreshOutcome::ALL {
            drop(self.refreshes.get_or_create(&[("outcome", outcome.as_str())]));
        }
        for reason in EndReason::ALL {
            drop(self.ends.get_or_create(&[("reason", reason.as_str())]));
        }
        for kind in OperationKind::ALL {
            let kind = ("type", kind.as_str());
            for outcome in Outcome::ALL {
                drop(self.operations.get_or_create(&[kind, ("outcome", outcome.as_str())]));
            }
            drop(self.durations.get_or_create(&[kind]));
        }
        let purposes = MailPurpose::ALL.iter().map(|purpose| purpose.as_str());
        for purpose in purposes.chain([UNKNOWN_PURPOSE]) {
            for outcome in EmailOutcome::ALL {
                let labels = [("purpose", purpose), ("outcome", outcome.as_str())];
                drop(self.emails.get_or_create(&labels));
            }
        }
        let durations = self.durations.clone();
        let help = "Duration of GraphQL and REST requests, by type";
        self.registry.register_with_unit("operation_duration", help, Unit::Seconds, durations);
        self
    }
}

impl ObservedGauges {
    fn registered(registry: &mut Registry) -> Self {
        let gauges = Self::default();
        let age = "Age of the set of sessions ended by other processes";
        registry.register_with_unit("feed_staleness", age, Unit::Seconds, gauges.staleness.clone());
        let ended = "Number of ended sessions in memory";
        registry.register("ended_sessions", ended, gauges.ended_sessions.clone());
        let connections = "Number of database connections, by state";
        registry.register("database_connections", connections, gauges.connections.clone());
        let most = "Maximum number of database connections";
        registry.register("database_connections_max", most, gauges.connections_max.clone());
        let hashing = "Number of password hashes, by state";
        registry.register("hashing", hashing, gauges.hashing.clone());
        let sockets = "Number of open WebSockets and event streams";
        registry.register("open_sockets", sockets, gauges.open_sockets.clone());
        let correction = "Correction of the local clock, to follow the clock of the database";
        let clock = gauges.clock_correction.clone();
        registry.register_with_unit("clock_correction", correction, Unit::Seconds, clock);
        let uptime = "Time since the start of the process";
        registry.register_with_unit("uptime", uptime, Unit::Seconds, gauges.uptime.clone());
        gauges
    }

    fn set(&self, observed: Observed) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        // Before the first read the age is unbounded.
        let staleness = observed.staleness.map_or(f64::INFINITY, |age| age.as_secs_f64());
        self.staleness.set(staleness);
        self.ended_sessions.set(number(observed.ended_sessions));
        let (idle, in_use) = observed.connections;
        self.connections.get_or_create(&[("state", "idle")]).set(number(idle));
        self.connections.get_or_create(&[("state", "in_use")]).set(number(in_use));
        self.connections_max.set(number(observed.connections_max));
        let (running, waiting) = observed.hashing;
        self.hashing.get_or_create(&[("state", "running")]).set(number(running));
        self.hashing.get_or_create(&[("state", "waiting")]).set(number(waiting));
        self.open_sockets.set(number(observed.open_sockets));
        let correction = Duration::from_micros(observed.clock_correction.unsigned_abs());
        let sign = if observed.clock_correction < 0 { -1.0 } else { 1.0 };
        self.clock_correction.set(sign * correction.as_secs_f64());
        self.uptime.set(observed.uptime.as_secs_f64());
    }
}

fn counters<const N: usize>(
    registry: &mut Registry,
    name: &str,
    help: &str,
) -> Family<[Label; N], Counter>
where
    Family<[Label; N], Counter>: Metric + Default + Clone,
{
    let family = Family::<[Label; N], Counter>::default();
    registry.register(name, help, family.clone());
    family
}

fn duration() -> Histogram {
    Histogram::new(DURATION_BUCKETS)
}
