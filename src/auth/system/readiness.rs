//! Readiness: checks of everything that the service needs.
//!
//! The answer comes within [`TIMEOUT`], however the database hangs. It names what fails and why in words
//! that an operator can act on, and nothing that a driver said.

use std::borrow::Cow;
use std::time::Duration;

use super::System;
use crate::auth::keys::UsableKeys;
use crate::clock::{REPORTED_DRIFT, Timestamp};
use crate::store::{Error, MigrationError};

/// Timeout of all queries together.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Check of one thing that the service needs.
#[derive(Clone, Debug)]
pub struct Check {
    pub name: &'static str,
    pub outcome: Result<Cow<'static, str>, Cow<'static, str>>,
}

impl Check {
    /// What fails and why; `None` where the check passed.
    #[must_use]
    pub fn impediment(&self) -> Option<String> {
        let why = self.outcome.as_ref().err()?;
        Some(format!("{}: {why}", self.name))
    }
}

/// Answers of the database.
struct Answers {
    missing: Result<usize, MigrationError>,
    /// Difference between its clock and this process's, and how much of it the query's duration may be.
    drift: Option<(Duration, Duration)>,
}

impl System {
    pub async fn readiness(&self) -> Vec<Check> {
        let said = tokio::time::timeout(TIMEOUT, self.ask_database()).await;
        let said = said.unwrap_or(Err(Error::TooSlow(TIMEOUT))).ok();
        let said = said.as_ref();
        let check = |name, outcome| Check { name, outcome };
        vec![
            check("database", said.map(|_| "ok".into()).ok_or(NO_ANSWER.into())),
            check("migrations", said.map_or(Err(UNKNOWN.into()), |said| schema(&said.missing))),
            check("feed", self.feed()),
            check("keys", self.keys_state()),
            check("clock", said.map_or(Err(UNKNOWN.into()), |said| self.clock_state(said.drift))),
        ]
    }

    async fn ask_database(&self) -> Result<Answers, Error> {
        let missing = match self.store.missing_migrations().await {
            Err(MigrationError::Store(error)) => return Err(error),
            known => known,
        };
        let (asked, began) = (self.clock.now(), self.clock.monotonic());
        let theirs = self.store.now().await?;
        let took = self.clock.monotonic().saturating_sub(began);
        let drift = theirs.map(|theirs| (between(asked + took / 2, theirs), took / 2));
        Ok(Answers { missing, drift })
    }

    fn feed(&self) -> Result<Cow<'static, str>, Cow<'static, str>> {
        match self.revocations.age() {
            _ if self.revocations.is_fresh() => Ok("ok".into()),
            None => Err("the ended sessions have not been read yet".into()),
            Some(age) => {
                Err(format!("the ended sessions were read {} s ago", age.as_secs()).into())
            }
        }
    }

    fn keys_state(&self) -> Result<Cow<'static, str>, Cow<'static, str>> {
        match self.keys.usable() {
            UsableKeys::All => Ok("ok".into()),
            UsableKeys::AllOfKnownAlgorithms => Ok(TOKENS_OF_UNKNOWN_KEY.into()),
            // Another replica may be able to sign, and most tokens are of that key.
            UsableKeys::AllButTheSigningKey => Err(UNKNOWN_SIGNING_KEY.into()),
            UsableKeys::NotThoseOfAnotherSecret => {
                Err("the master secret does not decrypt every signing key".into())
            }
        }
    }

    fn clock_state(
        &self,
        drift: Option<(Duration, Duration)>,
    ) -> Result<Cow<'static, str>, Cow<'static, str>> {
        let Some((drift, unsure)) = drift else { return Ok("ok".into()) };
        if drift > REPORTED_DRIFT + unsure {
            let seconds = drift.as_secs();
            return Err(format!("the clock differs from the database's by {seconds} s").into());
        }
        let correction = self.clock.correction_micros();
        let off = Duration::from_micros(correction.unsigned_abs());
        if off <= REPORTED_DRIFT {
            return Ok("ok".into());
        }
        let way = if correction > 0 { "behind" } else { "ahead of" };
        let seconds = off.as_secs();
        Ok(format!("ok: the clock is {seconds} s {way} the database's, and corrected").into())
    }
}

const TOKENS_OF_UNKNOWN_KEY: &str =
    "ok: this version does not know the algorithm of a signing key, and refuses tokens of that key";

const UNKNOWN_SIGNING_KEY: &str = "this version does not know the algorithm of the active signing key: \
     run the version that created the key, or rotate the keys";

const NO_ANSWER: &str = "the database does not answer";

/// Outcome of the checks that need an answer of the database, without one.
const UNKNOWN: &str = "unknown, because the database does not answer";

fn schema(missing: &Result<usize, MigrationError>) -> Result<Cow<'static, str>, Cow<'static, str>> {
    match missing {
        Ok(0) => Ok("ok".into()),
        Ok(_) => Err("the database is older than this binary: run sallyport migrate".into()),
        Err(MigrationError::Newer) => Err("the database is newer than this binary".into()),
        Err(_) => Err("the migrations of the database differ from those of this binary".into()),
    }
}

fn between(one: Timestamp, other: Timestamp) -> Duration {
    Duration::from_micros(one.as_micros().abs_diff(other.as_micros()))
}
