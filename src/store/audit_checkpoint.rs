//! The newest audit event as a checkpoint that identifies a database and its age.
//!
//! A database that lacks a checkpoint that was seen in it before is an older copy, or another database.
//! An older copy that is used again assigns the same number to another event, at another microsecond.

use crate::clock::Timestamp;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditCheckpoint {
    pub number: i64,
    pub at: Timestamp,
}

impl Store {
    /// `None` if there are no events.
    pub async fn newest_audit_checkpoint(&self) -> Result<Option<AuditCheckpoint>> {
        let row: Option<(i64, i64)> = read!(self, conn => Ok::<_, Error>(metered::query_as(
            "SELECT id, occurred_at FROM audit_events ORDER BY id DESC LIMIT 1",
        )
        .fetch_optional(conn)
        .await?))?;
        Ok(row.map(|(number, at)| AuditCheckpoint { number, at: Timestamp::from_micros(at) }))
    }

    pub async fn has_audit_checkpoint(&self, checkpoint: AuditCheckpoint) -> Result<bool> {
        read!(self, conn => Ok(metered::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM audit_events WHERE id = $1 AND occurred_at = $2)",
        )
        .bind(checkpoint.number)
        .bind(checkpoint.at.as_micros())
        .fetch_one(conn)
        .await?))
    }
}
