//! The outbox as administrators see it.

use sqlx::AssertSqlSafe;
use sqlx::types::Uuid;

use crate::clock::Timestamp;
use crate::domain::id::EmailId;
use crate::domain::pagination::{COUNT_CAP, Page, PageRequest};
use crate::store::backend::metered;
use crate::store::email::outbox::{MailContent, content};
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::conditions::{Arg, Conditions, bind_all};
use crate::store::query::from_row::from_row;

/// A mail of the outbox.
#[derive(Clone, Debug)]
pub struct StoredMail {
    pub id: EmailId,
    pub purpose: String,
    pub address: String,
    pub language: String,
    pub content: MailContent,
    /// `PENDING`, `KEPT`, `FAILED`, or a word of a newer version.
    pub state: String,
    pub attempts: i32,
    pub due_at: Timestamp,
    pub expires_at: Timestamp,
    pub last_error: Option<String>,
    pub created_at: Timestamp,
}

/// State of the outbox, for metrics and the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxState {
    pub pending: i64,
    pub failed: i64,
    /// When the oldest pending mail was queued.
    pub oldest: Option<Timestamp>,
}

from_row! {
    struct StoredRow {
        id: Uuid,
        purpose: String,
        address: Option<String>,
        language: String,
        content: Option<String>,
        sealed: Option<Vec<u8>>,
        state: String,
        attempts: i32,
        due_at: i64,
        expires_at: i64,
        last_error: Option<String>,
        created_at: i64,
    }
}

from_row! {
    struct StateRow {
        pending: i64,
        failed: i64,
        oldest: Option<i64>,
    }
}

impl From<StoredRow> for StoredMail {
    fn from(row: StoredRow) -> Self {
        Self {
            id: EmailId::from_uuid(row.id),
            purpose: row.purpose,
            address: row.address.unwrap_or_default(),
            language: row.language,
            content: content(row.content, row.sealed),
            state: row.state,
            attempts: row.attempts,
            due_at: Timestamp::from_micros(row.due_at),
            expires_at: Timestamp::from_micros(row.expires_at),
            last_error: row.last_error,
            created_at: Timestamp::from_micros(row.created_at),
        }
    }
}

impl Store {
    /// Mails of the outbox, newest first, without decoys.
    pub async fn mails(
        &self,
        page: &PageRequest<(Timestamp, EmailId)>,
    ) -> Result<Page<StoredMail>> {
        let mut conditions = Conditions::after(0);
        conditions.and("address IS NOT NULL", []);
        let key =
            |(at, id): (Timestamp, EmailId)| [Arg::Int(at.as_micros()), Arg::Uuid(id.as_uuid())];
        if let Some(after) = page.after {
            conditions.and("(created_at, id) < (?, ?)", key(after));
        }
        if let Some(before) = page.before {
            conditions.and("(created_at, id) > (?, ?)", key(before));
        }
        let order = if page.from_end { "created_at, id" } else { "created_at DESC, id DESC" };
        let sql = format!(
            "SELECT id, purpose, address, language, content, sealed, state, attempts, due_at, \
             expires_at, last_error, created_at FROM emails WHERE {} ORDER BY {order} LIMIT {}",
            conditions.sql(),
            page.size + 1
        );
        let args = conditions.into_args();
        let rows: Vec<StoredRow> = read!(self, conn => {
            let query = metered::query_as(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        Ok(Page::of(rows.into_iter().map(StoredMail::from).collect(), page))
    }

    /// The mail with this ID, unless it was sent.
    pub async fn mail(&self, id: EmailId) -> Result<Option<StoredMail>> {
        let row: Option<StoredRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(
            "SELECT id, purpose, address, language, content, sealed, state, attempts, due_at, \
             expires_at, last_error, created_at FROM emails WHERE id = $1 AND address IS NOT NULL",
        )
        .bind(id.as_uuid())
        .fetch_optional(conn)
        .await?))?;
        Ok(row.map(StoredMail::from))
    }

    /// The number of mails; `None` if more than [`COUNT_CAP`].
    pub async fn count_mails(&self) -> Result<Option<i64>> {
        let count: i64 = read!(self, conn => Ok::<_, Error>(metered::query_scalar(
            "SELECT count(*) FROM (SELECT 1 FROM emails WHERE address IS NOT NULL LIMIT $1) AS found",
        )
        .bind(COUNT_CAP + 1)
        .fetch_one(conn)
        .await?))?;
        Ok((count <= COUNT_CAP).then_some(count))
    }

    pub async fn outbox_state(&self) -> Result<OutboxState> {
        let row: StateRow = read!(self, conn => Ok::<_, Error>(metered::query_as(
            "SELECT (SELECT count(*) FROM emails WHERE state = 'PENDING') AS pending, \
             (SELECT count(*) FROM emails WHERE state = 'FAILED') AS failed, \
             (SELECT min(created_at) FROM emails WHERE state = 'PENDING') AS oldest",
        )
        .fetch_one(conn)
        .await?))?;
        let oldest = row.oldest.map(Timestamp::from_micros);
        Ok(OutboxState { pending: row.pending, failed: row.failed, oldest })
    }

    /// Makes waiting and failed mails due that are not worthless yet; returns their number. A mail that is
    /// being sent has no error yet and is left alone, since two senders would send it.
    pub async fn retry_mails(&self, now: Timestamp) -> Result<u64> {
        transact!(self, conn => {
            let done = metered::query(
                "UPDATE emails SET state = 'PENDING', due_at = $1 \
                 WHERE state IN ('PENDING', 'FAILED') AND last_error IS NOT NULL \
                 AND expires_at > $1",
            )
            .bind(now.as_micros())
            .execute(conn)
            .await?;
            Ok(done.rows_affected())
        })
    }
}
