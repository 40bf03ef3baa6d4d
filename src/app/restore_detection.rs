//! Detection of a database that was restored from an older copy.
//!
//! A restored copy cannot tell that it is one. So the service writes the newest audit event into a file
//! beside the database (with PostgreSQL, beside the secret's file) every few seconds, and replaces it only
//! while the database has the event in the file. After a restore the file stays as it is, and each start and
//! `sallyport check` warn, until `sallyport recover`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::auth::Auth;
use crate::clock::Timestamp;
use crate::config::{Config, SecretSource};
use crate::store::{self, AuditCheckpoint, Store};

/// Events of the last interval before a crash are not in the file, so their loss is not detected.
const WRITE_INTERVAL: Duration = Duration::from_secs(10);

/// Keeps the newest audit event in a file, or in memory if there is no directory for one.
pub(super) struct RestoreDetector {
    path: Option<PathBuf>,
    /// Two databases may share the secret beside which the file is.
    database: String,
    retention: Duration,
    in_memory: Mutex<Option<AuditCheckpoint>>,
}

impl RestoreDetector {
    pub(super) fn new(config: &Config) -> Self {
        let beside = |path: &Path| path.with_added_extension("seen");
        let (path, database) = match (config.database.path(), &config.secret) {
            (Some(path), _) => (Some(beside(path)), "SQLite".to_owned()),
            (None, SecretSource::File(path)) => (Some(beside(path)), config.database.to_string()),
            (None, _) => (None, String::new()),
        };
        Self {
            path,
            database,
            retention: config.policy.audit_retention,
            in_memory: Mutex::default(),
        }
    }

    /// Time of the event in the file if the database does not have it; `None` also if it is so old that
    /// it may have been purged.
    pub(super) async fn missing_since(
        &self,
        store: &Store,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, store::Error> {
        let Some(mark) = self.read() else { return Ok(None) };
        let is_kept = mark.at + self.retention > now;
        Ok((is_kept && !store.has_audit_checkpoint(mark).await?).then_some(mark.at))
    }

    /// Writes the newest event, unless the database lacks the one in the file; returns the time of that
    /// one.
    pub(super) async fn update(
        &self,
        store: &Store,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, store::Error> {
        let missing = self.missing_since(store, now).await?;
        if missing.is_none() {
            self.reset(store).await?;
        }
        Ok(missing)
    }

    /// Writes the newest event, even if the database lacks the one in the file.
    pub(super) async fn reset(&self, store: &Store) -> Result<(), store::Error> {
        let Some(newest) = store.newest_audit_checkpoint().await? else { return Ok(()) };
        if self.read() != Some(newest) {
            self.write(newest);
        }
        Ok(())
    }

    /// Updates the file for as long as it is polled, and warns once for each restore; `is_warned` if the
    /// start has warned already.
    pub(super) async fn run(
        self: Arc<Self>,
        auth: Arc<Auth>,
        store: Arc<Store>,
        mut is_warned: bool,
    ) {
        loop {
            // The feed logs that the database is unavailable.
            if let Ok(missing) = self.update(&store, auth.system.now()).await {
                if let Some(until) = missing.filter(|_| !is_warned) {
                    tracing::warn!("{}", warning(until));
                }
                is_warned = missing.is_some();
            }
            tokio::time::sleep(WRITE_INTERVAL).await;
        }
    }

    /// The file first: another process may have written a newer event.
    fn read(&self) -> Option<AuditCheckpoint> {
        let in_memory = || *self.in_memory.lock();
        self.path.as_deref().and_then(|path| self.read_file(path)).or_else(in_memory)
    }

    /// A file with other contents counts as none.
    fn read_file(&self, path: &Path) -> Option<AuditCheckpoint> {
        let text = fs::read_to_string(path).ok()?;
        let mut words = text.trim_end().splitn(3, ' ');
        let mut number = || words.next()?.parse().ok();
        let mark = AuditCheckpoint { number: number()?, at: Timestamp::from_micros(number()?) };
        (words.next() == Some(&self.database)).then_some(mark)
    }

    fn write(&self, mark: AuditCheckpoint) {
        *self.in_memory.lock() = Some(mark);
        let Some(path) = &self.path else { return };
        let text = format!("{} {} {}\n", mark.number, mark.at.as_micros(), self.database);
        if let Err(error) = replace_file(path, &text) {
            // The secret's directory may be read-only, or the disk full: detection is not worth an outage.
            tracing::debug!(%error, path = %path.display(), "writing the newest audit event to a file failed");
        }
    }
}

pub(super) fn warning(until: Timestamp) -> String {
    format!(
        "The database lacks changes made until {}: it was restored from an older copy, or replaced by \
         another database. Sessions ended and signing keys removed since the copy may be valid again. \
         Run sallyport recover.",
        until.floor_to_second()
    )
}

/// Replaces a file atomically.
fn replace_file(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_added_extension(std::process::id().to_string());
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes()).and_then(|()| fs::rename(&draft, path)).inspect_err(|_| {
        let _ = fs::remove_file(&draft);
    })
}
