//! The handle of a connected database, [`Store`].

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Timestamp;
use crate::store::backend::backup::BackupError;
use crate::store::backend::connection_options::ConnectionOptions;
use crate::store::backend::database::Database;
use crate::store::backend::database_url::DatabaseUrl;
use crate::store::backend::migrations::MigrationError;
use crate::store::backend::pool_usage::PoolUsage;
use crate::store::backend::session_defaults::SessionDefault;
use crate::store::error::Result;
use crate::store::rotation::batch::RotationQueue;

/// A connected database.
#[derive(Debug)]
pub struct Store {
    database: Database,
    rotations: RotationQueue,
    operations: AtomicU64,
}

impl Store {
    /// Connects with default options, see [`Store::connect_with`].
    pub async fn connect(url: &DatabaseUrl) -> Result<Self> {
        Self::connect_with(url, &ConnectionOptions::default()).await
    }

    /// Connects. Creates the file of a SQLite database if it does not exist, and applies no
    /// migrations.
    pub async fn connect_with(url: &DatabaseUrl, options: &ConnectionOptions) -> Result<Self> {
        let database = Database::connect(url, options).await?;
        let rotations = RotationQueue::start(&database);
        Ok(Self { database, rotations, operations: AtomicU64::new(0) })
    }

    /// The number of operations so far, for tests that count the queries of a page.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    /// The database, for one operation, which is counted.
    pub(in crate::store) fn database(&self) -> &Database {
        self.operations.fetch_add(1, Ordering::Relaxed);
        &self.database
    }

    /// The database, not counted as an operation: for checks of its kind.
    pub(in crate::store) fn kind(&self) -> &Database {
        &self.database
    }

    pub(in crate::store) fn rotations(&self) -> &RotationQueue {
        &self.rotations
    }

    /// The time of the database's clock; `None` for SQLite, which has none of its own.
    pub async fn now(&self) -> Result<Option<Timestamp>> {
        self.database().now().await
    }

    /// Checks that the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.database().ping().await
    }

    /// Applies the missing migrations. Safe to run in several processes at once: one applies them,
    /// the others wait. Writes nothing if none is missing, so a full disk prevents no start.
    ///
    /// # Errors
    /// See [`MigrationError`].
    pub async fn migrate(&self) -> Result<(), MigrationError> {
        self.database().migrate().await
    }

    /// The number of migrations that the database lacks.
    ///
    /// # Errors
    /// See [`MigrationError`].
    pub async fn missing_migrations(&self) -> Result<usize, MigrationError> {
        self.database().missing_migrations().await
    }

    /// Copies a SQLite database, as of one moment, into a new file. Writers do not wait.
    ///
    /// # Errors
    /// See [`BackupError`].
    pub async fn back_up(&self, file: &Path) -> Result<(), BackupError> {
        self.database().back_up(file).await
    }

    /// The defaults of sessions that differ from PostgreSQL's own; none for SQLite.
    pub async fn unusual_defaults(&self) -> Result<Vec<SessionDefault>> {
        self.database().unusual_defaults().await
    }

    /// How busy the connection pool is.
    #[must_use]
    pub fn pool_usage(&self) -> PoolUsage {
        self.database.pool_usage()
    }
}
