//! The mark by which a database is known again: the newest event of its audit.
//!
//! Rule: a database that lacks a mark which was seen in it once is an older copy, or another one. An
//! older copy that goes on gives the event's number again, and not at the same microsecond.

use super::{Error, Result, Store, counted};
use crate::clock::Timestamp;

/// An event of the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its number.
    pub number: i64,
    /// When it was.
    pub at: Timestamp,
}

impl Store {
    /// The newest event, if there is any.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn newest_mark(&self) -> Result<Option<Mark>> {
        let row: Option<(i64, i64)> = read!(self, conn => Ok::<_, Error>(counted::query_as(
            "SELECT id, occurred_at FROM audit_events ORDER BY id DESC LIMIT 1",
        )
        .fetch_optional(conn)
        .await?))?;
        Ok(row.map(|(number, at)| Mark { number, at: Timestamp::from_micros(at) }))
    }

    /// Whether the database has this event.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn has_mark(&self, mark: Mark) -> Result<bool> {
        read!(self, conn => Ok(counted::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM audit_events WHERE id = $1 AND occurred_at = $2)",
        )
        .bind(mark.number)
        .bind(mark.at.as_micros())
        .fetch_one(conn)
        .await?))
    }
}
