//! Wrong passwords, counted where every replica sees them.
//!
//! Rule: whether a try is let through and that it counts are one conditional statement, so of any
//! number at once no more get through than the limit says. Several limits are charged in one
//! transaction, always in the same order of kinds, so that no two wait for each other. The first that
//! refuses ends it; what was charged before it stays, which can only slow the next try.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::audit::{Audit, NewEvent};
use super::conditions::{Arg, Conditions, bind_all};
use super::{Result, Store, counted};
use crate::clock::Timestamp;
use crate::domain::filter::IpBlock;
use crate::domain::id::UserId;
use crate::domain::throttle::{Bucket, FORGET, Limit, Tally};

/// How many of an account's latest sessions tell where it was logged in from: enough for anybody, and
/// the same work for an account with a million.
const REMEMBERED: i64 = 200;

/// A limit and what it is counted under.
#[derive(Clone, Copy, Debug)]
pub struct Charge {
    /// Under what.
    pub bucket: Bucket,
    /// How many, how fast.
    pub limit: Limit,
}

/// What came of charging limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charged {
    /// How long the one that refused makes wait. The ones behind it are not charged.
    pub refused: Option<Duration>,
    /// Under what that one counts.
    pub refuser: Option<Bucket>,
    /// The first that lets no more through for a while from now on.
    pub closed: Option<&'static str>,
}

/// What a login that was right puts back.
#[derive(Clone, Debug, Default)]
pub struct Settlement {
    /// Counts that begin anew.
    pub reset: Vec<Bucket>,
    /// Counts that this try was charged to before it was known to be right.
    pub refund: Vec<Bucket>,
}

#[derive(sqlx::FromRow)]
struct TallyRow {
    bucket: Vec<u8>,
    failures: i64,
    delay: i64,
    until: i64,
}

impl From<&TallyRow> for Tally {
    fn from(row: &TallyRow) -> Self {
        Self { failures: row.failures, until: Timestamp::from_micros(row.until) }
    }
}

/// What the next failure adds: doubled each time, and anew where the count was forgotten.
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
    /// Steps of transactions that count.
    pub(super) trait Throttle {
        /// Counts one failure under one limit, if that owes no more waiting than `owed`. `None` where
        /// it does; else whether it lets no more through from now on.
        async fn charge_one(
            &mut self,
            charge: &Charge,
            owed: Duration,
            now: Timestamp,
        ) -> Result<Option<bool>> {
            let Charge { bucket, limit } = charge;
            let alone = if limit.free <= 1 { limit.first } else { Duration::ZERO };
            let row: Option<TallyRow> = counted::query_as(concat!(
                "INSERT INTO login_failures (bucket, failures, delay, until) \
                 VALUES ($1, 1, $4, $2 + $4) \
                 ON CONFLICT (bucket) DO UPDATE SET failures = \
                 CASE WHEN login_failures.until <= $3 THEN 1 ELSE login_failures.failures + 1 END, \
                 delay = ", next_delay!(), ", \
                 until = CASE WHEN login_failures.until > $2 THEN login_failures.until ELSE $2 END + ",
                next_delay!(),
                " WHERE login_failures.until <= $10 RETURNING bucket, failures, delay, until"
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
            .fetch_optional(self)
            .await?;
            Ok(row.map(|row| {
                let was = Tally { until: Timestamp::from_micros(row.until - row.delay), ..Tally::from(&row) };
                let closes = |tally: &Tally| limit.wait(Some(tally), 0, now).is_some();
                closes(&Tally::from(&row)) && !closes(&was)
            }))
        }

        /// Counts one failure under each limit, up to the first that refuses.
        async fn charge_all(&mut self, charges: &[Charge], now: Timestamp) -> Result<Charged> {
            let mut charged = Charged::default();
            for charge in charges {
                let Some(closes) = self.charge_one(charge, charge.limit.slack, now).await? else {
                    let until: Option<i64> =
                        counted::query_scalar("SELECT until FROM login_failures WHERE bucket = $1")
                            .bind(charge.bucket.0.to_vec())
                            .fetch_optional(&mut *self)
                            .await?;
                    let until = Timestamp::from_micros(until.unwrap_or(now.as_micros()));
                    let wait = charge.limit.wait(Some(&Tally { failures: 0, until }), 0, now);
                    // It was refused, so there is something to wait for, be it only this moment.
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

        /// Counts one failure under each limit, whatever they say.
        async fn charge_past(&mut self, charges: &[Charge], now: Timestamp) -> Result<Charged> {
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

        /// Puts back what a right try was charged.
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
                bind_all!(counted::query(sql), conditions.into_args()).execute(&mut *self).await?;
            }
            Ok(())
        }
    }
}

impl Store {
    /// What was counted under these so far.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database fails.
    pub async fn tallies(&self, buckets: &[Bucket]) -> Result<HashMap<Bucket, Tally>> {
        let mut conditions = Conditions::after(0);
        conditions.and_one_of("bucket", bucket_args(buckets));
        let sql = format!(
            "SELECT bucket, failures, delay, until FROM login_failures WHERE {}",
            conditions.sql()
        );
        let args = conditions.into_args();
        let rows: Vec<TallyRow> = read!(self, conn => {
            let query = counted::query_as(AssertSqlSafe(sql.as_str()));
            Ok::<_, super::Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        let bucket = |row: &TallyRow| row.bucket.as_slice().try_into().ok().map(Bucket);
        Ok(rows.iter().filter_map(|row| Some((bucket(row)?, Tally::from(row)))).collect())
    }

    /// Whether one of the account's latest sessions was opened or refreshed from there.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database fails.
    pub async fn knows_source(&self, user: UserId, block: &IpBlock) -> Result<bool> {
        let found: Option<i32> = read!(self, conn => Ok::<_, super::Error>(counted::query_scalar(
            "SELECT 1 FROM (SELECT ip, last_ip FROM sessions WHERE user_id = $1 \
             ORDER BY id DESC LIMIT $2) AS latest \
             WHERE ip BETWEEN $3 AND $4 OR last_ip BETWEEN $3 AND $4 LIMIT 1",
        )
        .bind(user.as_uuid())
        .bind(REMEMBERED)
        .bind(block.low().to_vec())
        .bind(block.high().to_vec())
        .fetch_optional(conn)
        .await?))?;
        Ok(found.is_some())
    }

    /// Counts a try before it is made.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database fails.
    pub async fn charge(&self, charges: Vec<Charge>, now: Timestamp) -> Result<Charged> {
        transact!(self, conn => conn.charge_all(&charges, now).await)
    }

    /// Counts a try that failed and writes it down; and `limited` with it, where this or what was
    /// charged before (`closed`) makes the next one wait. Where it came too late, because others used
    /// up what was left meanwhile, it is told to wait as if it had not been made.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database fails.
    pub async fn charge_failure(
        &self,
        charges: Vec<Charge>,
        closed: Option<&'static str>,
        failed: NewEvent,
        limited: NewEvent,
    ) -> Result<Charged> {
        transact!(self, conn => {
            let outcome = conn.charge_past(&charges, failed.at).await?;
            let closed = closed.or(outcome.closed);
            conn.write_down(&failed).await?;
            if closed.is_some() {
                conn.write_down(&NewEvent { detail: closed, ..limited }).await?;
            }
            Ok(Charged { closed, ..outcome })
        })
    }

    /// Puts back what a try was charged that was right, or came to nothing.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database fails.
    pub async fn settle(&self, settlement: Settlement) -> Result<()> {
        if settlement.reset.is_empty() && settlement.refund.is_empty() {
            return Ok(());
        }
        transact!(self, conn => conn.settle(&settlement).await)
    }
}
