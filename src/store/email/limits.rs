//! Counting of mails against their limits.
//!
//! A row holds the times of the latest mails as text, newest first, each in 16 digits, so that one
//! conditional statement of both databases checks and counts: of concurrent requests as many are counted as
//! the limit allows.

use crate::clock::Timestamp;
use crate::domain::mail_limit::{MailCharge, Window};
use crate::store::backend::metered;
use crate::store::error::Result;

/// Digits of a time in microseconds, until the year 2286.
const DIGITS: usize = 16;

fn digits(at: Timestamp) -> String {
    format!("{:0DIGITS$}", at.as_micros().max(0))
}

/// Position of the time that must be outside of the window if another mail is to fit.
fn position(window: Window) -> i64 {
    i64::try_from((window.count.max(1) - 1) * DIGITS + 1).unwrap_or(i64::MAX)
}

steps! {
    pub(in crate::store) trait MailLimits {
        /// Counts a mail. `false`, and nothing is counted, if the limit is reached.
        async fn charge_mail(&mut self, charge: &MailCharge, now: Timestamp) -> Result<bool> {
            let limit = charge.limit;
            let kept = i64::try_from(limit.remembered() * DIGITS).unwrap_or(i64::MAX);
            let done = metered::query(
                "INSERT INTO email_limits (bucket, times, until) VALUES ($1, $2, $3) \
                 ON CONFLICT (bucket) DO UPDATE SET until = excluded.until, \
                 times = substr(excluded.times || email_limits.times, 1, CAST($4 AS INTEGER)) \
                 WHERE substr(email_limits.times, CAST($5 AS INTEGER), 16) <= $6 \
                 AND substr(email_limits.times, CAST($7 AS INTEGER), 16) <= $8",
            )
            .bind(charge.bucket.0.to_vec())
            .bind(digits(now))
            .bind((now + limit.memory()).as_micros())
            .bind(kept)
            .bind(position(limit.short))
            .bind(digits(now - limit.short.period))
            .bind(position(limit.long))
            .bind(digits(now - limit.long.period))
            .execute(self)
            .await?;
            Ok(done.rows_affected() > 0)
        }
    }
}
