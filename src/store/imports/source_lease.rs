//! The lease of an import: one process at a time imports from a source.
//!
//! A process that was killed leaves its lease, which expires. The transactions of a process that was only
//! suspended find that they do not hold it any more.

use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::domain::external_account::Source;
use crate::domain::id::TokenId;
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;

/// Right of one process to import from a source.
#[derive(Clone, Debug)]
pub struct ImportLease {
    pub source: Source,
    pub worker: TokenId,
}

/// Another process imports from the source by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseLost;

/// Of two first imports at once one gives its ids.
trait LockSources {
    async fn lock_sources(&mut self) -> Result<()>;
}

/// SQLite has one writer at a time.
impl LockSources for SqliteConnection {
    async fn lock_sources(&mut self) -> Result<()> {
        Ok(())
    }
}

impl LockSources for PgConnection {
    async fn lock_sources(&mut self) -> Result<()> {
        metered::query("SELECT 1 FROM import_sources ORDER BY source FOR UPDATE")
            .execute(self)
            .await?;
        Ok(())
    }
}

trait HoldsLease {
    /// Finds the lease and, on PostgreSQL, keeps it until the end of the transaction.
    const HOLDS: &str;
}

macro_rules! holds {
    ($lock:literal) => {
        concat!("SELECT 1 FROM import_sources WHERE source = $1 AND worker = $2", $lock)
    };
}

/// SQLite has one writer at a time.
impl HoldsLease for SqliteConnection {
    const HOLDS: &str = holds!("");
}

impl HoldsLease for PgConnection {
    const HOLDS: &str = holds!(" FOR SHARE");
}

steps! {
    pub(in crate::store) trait CheckLease {
        async fn holds_lease(&mut self, lease: &ImportLease) -> Result<bool> {
            let found: Option<i32> = metered::query_scalar(Self::HOLDS)
                .bind(lease.source.as_str().to_owned())
                .bind(lease.worker.as_uuid())
                .fetch_optional(self)
                .await?;
            Ok(found.is_some())
        }
    }
}

impl Store {
    /// Takes or renews the lease; `false` if another process has it. A new source gets its row.
    pub async fn lease_import(
        &self,
        lease: ImportLease,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool> {
        transact!(self, conn => {
            let done = metered::query(
                "INSERT INTO import_sources (source, imported_at, settings, worker, leased_until) \
                 VALUES ($1, $2, '{}', $3, $4) ON CONFLICT (source) DO UPDATE \
                 SET worker = excluded.worker, leased_until = excluded.leased_until \
                 WHERE import_sources.worker IS NULL OR import_sources.leased_until <= $2 \
                 OR import_sources.worker = excluded.worker",
            )
            .bind(lease.source.as_str().to_owned())
            .bind(now.as_micros())
            .bind(lease.worker.as_uuid())
            .bind(until.as_micros())
            .execute(conn)
            .await?;
            Ok(done.rows_affected() > 0)
        })
    }

    /// Notes the other system's settings, a JSON object, and the time. The first source for which this is done gives
    /// its ids to accounts.
    pub async fn note_import_settings(
        &self,
        lease: ImportLease,
        settings: String,
        now: Timestamp,
    ) -> Result<()> {
        transact!(self, conn => {
            conn.lock_sources().await?;
            metered::query(
                "UPDATE import_sources SET settings = $3, imported_at = $4, gives_ids = gives_ids \
                 OR NOT EXISTS (SELECT 1 FROM import_sources WHERE gives_ids) \
                 WHERE source = $1 AND worker = $2",
            )
            .bind(lease.source.as_str().to_owned())
            .bind(lease.worker.as_uuid())
            .bind(settings.clone())
            .bind(now.as_micros())
            .execute(conn)
            .await?;
            Ok(())
        })
    }

    /// The other source that gives its ids to accounts, if one does.
    pub async fn other_giver_of_ids(&self, source: &Source) -> Result<Option<Source>> {
        let other: Option<String> = read!(self, conn => Ok::<_, Error>(metered::query_scalar(
            "SELECT source FROM import_sources WHERE gives_ids AND source <> $1",
        )
        .bind(source.as_str().to_owned())
        .fetch_optional(conn)
        .await?))?;
        Ok(other.map(Source::from_stored))
    }

    /// Ends the lease, and records the event of an import that was done.
    pub async fn finish_import(
        &self,
        lease: ImportLease,
        done: Option<(NewEvent, String)>,
    ) -> Result<()> {
        transact!(self, conn => {
            if let Some((event, detail)) = &done {
                conn.record_event_with(event, detail).await?;
            }
            metered::query(
                "UPDATE import_sources SET worker = NULL, leased_until = NULL \
                 WHERE source = $1 AND worker = $2",
            )
            .bind(lease.source.as_str().to_owned())
            .bind(lease.worker.as_uuid())
            .execute(conn)
            .await?;
            Ok(())
        })
    }
}
