//! Counters of failed logins, shared by all replicas.
//!
//! Check and count are one conditional statement, so concurrent attempts cannot exceed a limit. Several
//! limits are charged in one transaction, always in the same order of kinds, so that transactions cannot
//! deadlock. The first limit that refuses stops the sequence. Charges before it stay, which can only
//! delay the next attempt.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::AssertSqlSafe;

use crate::clock::Timestamp;
use crate::domain::filter::IpBlock;
use crate::domain::id::UserId;
use crate::domain::throttle::{Bucket, FORGET, Limit, Tally};
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::query::conditions::{Arg, Conditions, bind_all};
use crate::store::query::from_row::from_row;

/// How many of an account's latest sessions are searched for a known address. A constant, so that the
/// cost is bounded for any account.
const SEARCHED_SESSIONS: i64 = 200;

/// A limit and the bucket that it counts in.
#[derive(Clone, Copy, Debug)]
pub struct Charge {
    pub bucket: Bucket,
    pub limit: Limit,
    /// Digest of the account's name alone, if the limit counts the attempts of one account.
    pub account: Option<Bucket>,
}

/// The result of charging limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charged {
    /// The wait that the refusing limit demands. Limits after it are not charged.
    pub refused: Option<Duration>,
    /// The bucket of the refusing limit.
    pub refuser: Option<Bucket>,
    /// The name of the first limit that this charge exhausted.
    pub closed: Option<&'static str>,
}

/// Counters to correct after a successful login.
#[derive(Clone, Debug, Default)]
pub struct Settlement {
    /// Set to zero.
    pub reset: Vec<Bucket>,
    /// Take back the one charge of this attempt.
    pub refund: Vec<Bucket>,
}

from_row! {
    struct TallyRow {
        bucket: Vec<u8>,
        failures: i64,
        delay: i64,
        until: i64,
    }
}

impl From<&TallyRow> for Tally {
    fn from(row: &TallyRow) -> Self {
        Self { failures: row.failures, until: Timestamp::from_micros(row.until) }
    }
}

/// The delay that the next failure adds: doubled each time, from the start after the count expired.
macro_rules! next_delay {
    () => {
        "CASE WHEN login_failures.until <= $3 THEN $4 \
         WHEN login_failures.failures + 1 >= $5 THEN $6 \
         WHEN login_failures.failures + 1 < $7 THEN 0 \
         WHEN login_failures.delay * 2 >= $8 THEN $8 \
         WHEN login_failures.delay * 2 > $9 THEN login_failures.delay * 2 ELSE $9 END"
    };
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn bucket_args(buckets: &[Bucket]) -> Vec<Arg> {
    buckets.iter().map(|bucket| Arg::Bytes(bucket.0.to_vec())).collect()
}

steps! {
    pub(in crate::store) trait Throttle {
        /// Counts one failure, if the wait so far is at most `owed`; `None` if it is longer. Otherwise
        /// returns whether this exhausted the limit. Without a delay there is no wait: `until` is then only
        /// the time of the last failure, by a clock that may be ahead of this one.
        async fn charge_one(
            &mut self,
            charge: &Charge,
            owed: Duration,
            now: Timestamp,
        ) -> Result<Option<bool>> {
            let Charge { bucket, limit, account } = charge;
            let alone = if limit.free <= 1 { limit.first } else { Duration::ZERO };
            let row: Option<TallyRow> = metered::query_as(concat!(
                "INSERT INTO login_failures (bucket, failures, delay, until, account) \
                 VALUES ($1, 1, $4, $2 + $4, $11) \
                 ON CONFLICT (bucket) DO UPDATE SET account = excluded.account, failures = \
                 CASE WHEN login_failures.until <= $3 THEN 1 ELSE login_failures.failures + 1 END, \
                 delay = ", next_delay!(), ", \
                 until = CASE WHEN login_failures.until > $2 THEN login_failures.until ELSE $2 END + ",
                next_delay!(),
                " WHERE login_failures.until <= $10 OR login_failures.delay = 0 \
                 RETURNING bucket, failures, delay, until"
            ))
            .bind(bucket.0.to_vec())
            .bind(now.as_micros())
            .bind((now - FORGET).as_micros())
            .bind(micros(alone))
            .bind(limit.most)
            .bind(micros(FORGET))
            .bind(limit.free)
            .bind(micros(limit.longest))
            .bind(micros(limit.first))
            .bind((now + owed).as_micros())
            .bind(account.map(|account| account.0.to_vec()))
            .fetch_optional(self)
            .await?;
            Ok(row.map(|row| {
                let was = Tally {
                    failures: row.failures - 1,
                    until: Timestamp::from_micros(row.until - row.delay),
                };
                let is_exhausted = |tally: &Tally| limit.wait(Some(tally), 0, now).is_some();
                is_exhausted(&Tally::from(&row)) && !is_exhausted(&was)
            }))
        }

        /// Counts one failure in each limit, up to the first that refuses.
        async fn charge_all(&mut self, charges: &[Charge], now: Timestamp) -> Result<Charged> {
            let mut charged = Charged::default();
            for charge in charges {
                let Some(closes) = self.charge_one(charge, charge.limit.slack, now).await? else {
                    let until: Option<i64> =
                        metered::query_scalar("SELECT until FROM login_failures WHERE bucket = $1")
                            .bind(charge.bucket.0.to_vec())
                            .fetch_optional(&mut *self)
                            .await?;
                    let until = Timestamp::from_micros(until.unwrap_or(now.as_micros()));
                    let wait = charge.limit.wait(Some(&Tally { failures: i64::MAX, until }), 0, now);
                    // The limit refused a moment ago, so there is a wait, however short.
                    charged.refused = Some(wait.unwrap_or(Duration::from_secs(1)));
                    charged.refuser = Some(charge.bucket);
                    break;
                };
                if closes && charged.closed.is_none() {
                    charged.closed = Some(charge.limit.name);
                }
            }
            Ok(charged)
        }

        /// Counts one failure in each limit, even beyond it.
        async fn charge_beyond(&mut self, charges: &[Charge], now: Timestamp) -> Result<Charged> {
            let mut charged = Charged::default();
            for charge in charges {
                let within = self.charge_one(charge, charge.limit.slack, now).await?;
                if within.is_none() && !charge.limit.is_steady() {
                    charged.refused = Some(charge.limit.first);
                }
                let closes = match within {
                    None => self.charge_one(charge, Duration::MAX, now).await?,
                    within => within,
                } == Some(true);
                if closes && charged.closed.is_none() {
                    charged.closed = Some(charge.limit.name);
                }
            }
            Ok(charged)
        }

        /// Corrects the counters after a successful attempt.
        async fn settle(&mut self, settlement: &Settlement) -> Result<()> {
            for (statement, buckets) in [
                ("DELETE FROM login_failures WHERE", &settlement.reset),
                (
                    "UPDATE login_failures SET failures = failures - 1, until = until - delay WHERE",
                    &settlement.refund,
                ),
            ] {
                if buckets.is_empty() {
                    continue;
                }
                let mut conditions = Conditions::after(0);
                conditions.and_one_of("bucket", bucket_args(buckets));
                let sql = AssertSqlSafe(format!("{statement} {}", conditions.sql()));
                bind_all!(metered::query(sql), conditions.into_args()).execute(&mut *self).await?;
            }
            Ok(())
        }
    }
}

impl Store {
    /// The counters of these buckets; without those that are zero.
    pub async fn tallies(&self, buckets: &[Bucket]) -> Result<HashMap<Bucket, Tally>> {
        let mut conditions = Conditions::after(0);
        conditions.and_one_of("bucket", bucket_args(buckets));
        let sql = format!(
            "SELECT bucket, failures, delay, until FROM login_failures WHERE {}",
            conditions.sql()
        );
        let args = conditions.into_args();
        let rows: Vec<TallyRow> = read!(self, conn => {
            let query = metered::query_as(AssertSqlSafe(sql.as_str()));
            Ok::<_, crate::store::error::Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        let bucket = |row: &TallyRow| row.bucket.as_slice().try_into().ok().map(Bucket);
        Ok(rows.iter().filter_map(|row| Some((bucket(row)?, Tally::from(row)))).collect())
    }

    /// Whether one of the account's latest sessions was opened or last refreshed from this block.
    pub async fn knows_source(&self, user: UserId, block: &IpBlock) -> Result<bool> {
        let found: Option<i32> = read!(self, conn => Ok::<_, crate::store::error::Error>(metered::query_scalar(
            "SELECT 1 FROM (SELECT ip, last_ip FROM sessions WHERE user_id = $1 \
             ORDER BY id DESC LIMIT $2) AS latest \
             WHERE ip BETWEEN $3 AND $4 OR last_ip BETWEEN $3 AND $4 LIMIT 1",
        )
        .bind(user.as_uuid())
        .bind(SEARCHED_SESSIONS)
        .bind(block.low().to_vec())
        .bind(block.high().to_vec())
        .fetch_optional(conn)
        .await?))?;
        Ok(found.is_some())
    }

    /// Counts an attempt before its password is checked.
    pub async fn charge(&self, charges: Vec<Charge>, now: Timestamp) -> Result<Charged> {
        transact!(self, conn => conn.charge_all(&charges, now).await)
    }

    /// Counts a failed attempt and records it; also records `limited` if this attempt, or its charge
    /// before (`closed`), exhausted a limit. If concurrent attempts exhausted a limit meanwhile, the
    /// result is a refusal, as if the password had not been checked.
    pub async fn charge_failure(
        &self,
        charges: Vec<Charge>,
        closed: Option<&'static str>,
        failed: NewEvent,
        limited: NewEvent,
    ) -> Result<Charged> {
        transact!(self, conn => {
            let outcome = conn.charge_beyond(&charges, failed.at).await?;
            let closed = closed.or(outcome.closed);
            conn.record_event(&failed).await?;
            if closed.is_some() {
                conn.record_event(&NewEvent { detail: closed, ..limited }).await?;
            }
            Ok(Charged { closed, ..outcome })
        })
    }

    /// Resets all counters of an account, by the digests of its names, and records the event.
    pub async fn reset_counters(&self, accounts: Vec<Bucket>, event: NewEvent) -> Result<()> {
        transact!(self, conn => {
            let mut conditions = Conditions::after(0);
            conditions.and_one_of("account", bucket_args(&accounts));
            let sql = AssertSqlSafe(format!("DELETE FROM login_failures WHERE {}", conditions.sql()));
            bind_all!(metered::query(sql), conditions.into_args()).execute(&mut *conn).await?;
            conn.record_event(&event).await
        })
    }

    /// Corrects the counters of an attempt that succeeded or was abandoned.
    pub async fn settle(&self, settlement: Settlement) -> Result<()> {
        if settlement.reset.is_empty() && settlement.refund.is_empty() {
            return Ok(());
        }
        transact!(self, conn => conn.settle(&settlement).await)
    }
}
