//! The outbox: mails queued, leased by a sender, and finished.
//!
//! A sender leases due mails by moving their `due_at` to the end of the lease. A sender that dies in between
//! leaves them due again, so a mail may be sent twice and is never lost. What a sender reports later counts
//! only if nobody else has leased the mail since. A leased mail has no `last_error`, and one that waits for
//! its next attempt has one.

use sqlx::types::Uuid;
use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::domain::id::{EmailId, UserId};
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::query::from_row::from_row;

/// The values of a mail's template as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailContent {
    Plain(String),
    /// Encrypted: a code or a token is among them.
    Sealed(Vec<u8>),
}

/// A mail to be queued.
#[derive(Clone, Debug)]
pub struct NewMail {
    pub id: EmailId,
    pub purpose: &'static str,
    pub user: Option<UserId>,
    /// `None` for a decoy, which is never sent.
    pub address: Option<String>,
    pub language: &'static str,
    pub content: MailContent,
    pub created_at: Timestamp,
    /// After this time the mail is worthless.
    pub expires_at: Timestamp,
}

/// A mail that a sender has leased.
#[derive(Clone, Debug)]
pub struct LeasedMail {
    pub id: EmailId,
    pub purpose: String,
    pub address: Option<String>,
    pub language: String,
    pub content: MailContent,
    /// Number of attempts with this one.
    pub attempts: i32,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
}

from_row! {
    struct LeasedRow {
        id: Uuid,
        purpose: String,
        address: Option<String>,
        language: String,
        content: Option<String>,
        sealed: Option<Vec<u8>>,
        attempts: i32,
        expires_at: i64,
        created_at: i64,
    }
}

/// Content of a row. A row without any is one of a newer version, which no sender can read.
pub(in crate::store) fn content(plain: Option<String>, sealed: Option<Vec<u8>>) -> MailContent {
    match (plain, sealed) {
        (Some(plain), _) => MailContent::Plain(plain),
        (None, sealed) => MailContent::Sealed(sealed.unwrap_or_default()),
    }
}

impl From<LeasedRow> for LeasedMail {
    fn from(row: LeasedRow) -> Self {
        Self {
            id: EmailId::from_uuid(row.id),
            purpose: row.purpose,
            address: row.address,
            language: row.language,
            content: content(row.content, row.sealed),
            attempts: row.attempts,
            expires_at: Timestamp::from_micros(row.expires_at),
            created_at: Timestamp::from_micros(row.created_at),
        }
    }
}

macro_rules! lease {
    ($with:literal, $due:literal) => {
        concat!(
            $with,
            "UPDATE emails SET due_at = $2, attempts = attempts + 1, last_error = NULL WHERE id IN (",
            $due,
            ") RETURNING id, purpose, address, language, content, sealed, attempts, expires_at, \
             created_at"
        )
    };
}

trait LeaseSql {
    const LEASE: &str;
}

/// SQLite has one writer at a time.
impl LeaseSql for SqliteConnection {
    const LEASE: &str = lease!(
        "",
        "SELECT id FROM emails WHERE state = 'PENDING' AND due_at <= $1 ORDER BY due_at LIMIT $3"
    );
}

/// Materialized: a plan that ran the selection several times would lock other rows each time.
impl LeaseSql for PgConnection {
    const LEASE: &str = lease!(
        "WITH due AS MATERIALIZED (SELECT id FROM emails WHERE state = 'PENDING' AND due_at <= $1 \
         ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED) ",
        "SELECT id FROM due"
    );
}

steps! {
    pub(in crate::store) trait Outbox {
        /// Deletes all mails of an account.
        async fn delete_mails(&mut self, user: UserId) -> Result<()> {
            metered::query("DELETE FROM emails WHERE user_id = $1")
                .bind(user.as_uuid())
                .execute(self)
                .await?;
            Ok(())
        }

        async fn queue_mail(&mut self, new: &NewMail) -> Result<()> {
            let (plain, sealed) = match &new.content {
                MailContent::Plain(plain) => (Some(plain.clone()), None),
                MailContent::Sealed(sealed) => (None, Some(sealed.clone())),
            };
            metered::query(
                "INSERT INTO emails (id, purpose, user_id, address, language, content, sealed, \
                 state, attempts, due_at, expires_at, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 'PENDING', 0, $8, $9, $8)",
            )
            .bind(new.id.as_uuid())
            .bind(new.purpose)
            .bind(new.user.map(UserId::as_uuid))
            .bind(new.address.clone())
            .bind(new.language)
            .bind(plain)
            .bind(sealed)
            .bind(new.created_at.as_micros())
            .bind(new.expires_at.as_micros())
            .execute(self)
            .await?;
            Ok(())
        }

        async fn queue_mails(&mut self, mails: &[NewMail]) -> Result<()> {
            for mail in mails {
                self.queue_mail(mail).await?;
            }
            Ok(())
        }

        async fn lease(
            &mut self,
            now: Timestamp,
            until: Timestamp,
            count: i64,
        ) -> Result<Vec<LeasedMail>> {
            let rows: Vec<LeasedRow> = metered::query_as(Self::LEASE)
                .bind(now.as_micros())
                .bind(until.as_micros())
                .bind(count)
                .fetch_all(self)
                .await?;
            Ok(rows.into_iter().map(LeasedMail::from).collect())
        }
    }
}

impl Store {
    /// Queues a mail by itself.
    pub async fn queue(&self, mail: NewMail) -> Result<()> {
        transact!(self, conn => conn.queue_mail(&mail).await)
    }

    /// Leases due mails for a sender, at most `count`.
    pub async fn lease_mails(
        &self,
        now: Timestamp,
        until: Timestamp,
        count: i64,
    ) -> Result<Vec<LeasedMail>> {
        transact!(self, conn => conn.lease(now, until, count).await)
    }

    /// Whether any mail is due, for a sender that has nothing to do.
    pub async fn has_due_mail(&self, now: Timestamp) -> Result<bool> {
        let found: Option<i32> = read!(self, conn => Ok::<_, crate::store::error::Error>(
            metered::query_scalar(
                "SELECT 1 FROM emails WHERE state = 'PENDING' AND due_at <= $1 LIMIT 1",
            )
            .bind(now.as_micros())
            .fetch_optional(conn)
            .await?
        ))?;
        Ok(found.is_some())
    }

    /// Deletes a mail that was sent, or that is worthless.
    pub async fn delete_mail(&self, mail: EmailId) -> Result<()> {
        transact!(self, conn => {
            metered::query("DELETE FROM emails WHERE id = $1")
                .bind(mail.as_uuid())
                .execute(conn)
                .await?;
            Ok(())
        })
    }

    /// Keeps a mail for administrators, where there is no SMTP server.
    pub async fn keep_mail(&self, mail: EmailId) -> Result<()> {
        transact!(self, conn => {
            metered::query("UPDATE emails SET state = 'KEPT' WHERE id = $1 AND state = 'PENDING'")
                .bind(mail.as_uuid())
                .execute(conn)
                .await?;
            Ok(())
        })
    }

    /// Reports a failed attempt: the mail is due again at `retry_at`, or has failed for good.
    pub async fn mail_failed(
        &self,
        mail: &LeasedMail,
        error: String,
        retry_at: Option<Timestamp>,
    ) -> Result<()> {
        let (id, attempts) = (mail.id, mail.attempts);
        transact!(self, conn => {
            metered::query(
                "UPDATE emails SET last_error = $3, due_at = COALESCE($4, due_at), \
                 state = CASE WHEN $4 IS NULL THEN 'FAILED' ELSE state END \
                 WHERE id = $1 AND attempts = $2 AND state = 'PENDING'",
            )
            .bind(id.as_uuid())
            .bind(attempts)
            .bind(error)
            .bind(retry_at.map(Timestamp::as_micros))
            .execute(conn)
            .await?;
            Ok(())
        })
    }
}
