//! The note of what was last seen in the database, outside of it.
//!
//! Rule: a restored copy cannot say of itself that it is one. So the newest event of its audit is noted
//! beside it every few seconds (with PostgreSQL, beside the secret's file), and the note goes on only
//! from an event that the database still has. It stays where it is until `sallyport recover`, and each
//! start and `sallyport check` say so until then.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::auth::Auth;
use crate::clock::Timestamp;
use crate::config::{Config, SecretSource};
use crate::store::{self, AuditCheckpoint, Store};

/// How often a running service looks: what happened since is not missed after a crash.
const INTERVAL: Duration = Duration::from_secs(10);

/// A note, in a file where there is a place for one, else in memory.
pub(super) struct LastSeen {
    path: Option<PathBuf>,
    /// Which database it is about: of two with one secret each has its own events.
    database: String,
    retention: Duration,
    held: Mutex<Option<AuditCheckpoint>>,
}

impl LastSeen {
    /// The note about the database of this configuration.
    pub(super) fn of(config: &Config) -> Self {
        let beside = |path: &Path| path.with_added_extension("seen");
        let (path, database) = match (config.database.path(), &config.secret) {
            (Some(path), _) => (Some(beside(path)), "SQLite".to_owned()),
            (None, SecretSource::File(path)) => (Some(beside(path)), config.database.to_string()),
            (None, _) => (None, String::new()),
        };
        Self { path, database, retention: config.policy.audit_retention, held: Mutex::default() }
    }

    /// Until when events were seen that this database does not have; `None` where it has them, and
    /// where they are so old that they may have been purged.
    pub(super) async fn missing(
        &self,
        store: &Store,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, store::Error> {
        let Some(mark) = self.read() else { return Ok(None) };
        let is_kept = mark.at + self.retention > now;
        Ok((is_kept && !store.has_audit_checkpoint(mark).await?).then_some(mark.at))
    }

    /// Notes the newest event, unless the database lacks the one noted before; says until when it
    /// lacks what was seen.
    pub(super) async fn go_on(
        &self,
        store: &Store,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, store::Error> {
        let missing = self.missing(store, now).await?;
        if missing.is_none() {
            self.begin_anew(store).await?;
        }
        Ok(missing)
    }

    /// Notes the newest event, whatever was noted before.
    pub(super) async fn begin_anew(&self, store: &Store) -> Result<(), store::Error> {
        let Some(newest) = store.newest_audit_checkpoint().await? else { return Ok(()) };
        if self.read() != Some(newest) {
            self.write(newest);
        }
        Ok(())
    }

    /// Goes on for as long as it is polled, and says once that something is missing, unless that was
    /// said.
    pub(super) async fn follow(
        self: Arc<Self>,
        auth: Arc<Auth>,
        store: Arc<Store>,
        mut is_said: bool,
    ) {
        loop {
            // A database that is away is somebody else's concern.
            if let Ok(missing) = self.go_on(&store, auth.system.now()).await {
                if let Some(until) = missing.filter(|_| !is_said) {
                    tracing::warn!("{}", warning(until));
                }
                is_said = missing.is_some();
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// As it is in the file, where another process may have noted more; else as it is held.
    fn read(&self) -> Option<AuditCheckpoint> {
        let held = || *self.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.path.as_deref().and_then(|path| self.noted(path)).or_else(held)
    }

    /// A note that is none is as good as no note.
    fn noted(&self, path: &Path) -> Option<AuditCheckpoint> {
        let text = fs::read_to_string(path).ok()?;
        let mut words = text.trim_end().splitn(3, ' ');
        let mut number = || words.next()?.parse().ok();
        let mark = AuditCheckpoint { number: number()?, at: Timestamp::from_micros(number()?) };
        (words.next() == Some(&self.database)).then_some(mark)
    }

    fn write(&self, mark: AuditCheckpoint) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some(mark);
        drop(held);
        let Some(path) = &self.path else { return };
        let text = format!("{} {} {}\n", mark.number, mark.at.as_micros(), self.database);
        if let Err(error) = replace(path, &text) {
            // A secret's directory may be read-only, and a disk full: the service does without.
            tracing::debug!(%error, path = %path.display(), "what was last seen is not noted");
        }
    }
}

/// What to say of a database that lacks what was seen until then.
pub(super) fn warning(until: Timestamp) -> String {
    format!(
        "the database lacks what was seen here until {}: an older copy, or another database, was \
         put in its place; sessions ended since and signing keys removed since may be good again: \
         run sallyport recover",
        until.floor_to_second()
    )
}

/// Puts a text in the place of a file at once.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_added_extension(std::process::id().to_string());
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes()).and_then(|()| fs::rename(&draft, path)).inspect_err(|_| {
        let _ = fs::remove_file(&draft);
    })
}
