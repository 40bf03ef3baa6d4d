//! Writing of an import that was read, under a lease that is renewed while it runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::error::ImportError;
use super::pace::Pace;
use super::progress::{ImportPhase, ImportProgress, Progress};
use super::read_file::StagedImport;
use super::state::Imports;
use super::summary::ImportSummary;
use crate::auth::authority::Admin;
use crate::auth::error::Error;
use crate::clock::Clock;
use crate::domain::audit::AuditKind;
use crate::domain::id::TokenId;
use crate::domain::import::{Problem, ProblemKind};
use crate::domain::origin::Origin;
use crate::store::{self, ImportLease, LeaseLost, NewEvent, Store};

/// How long a process that does not answer is believed to import.
const LEASE: Duration = Duration::from_secs(5);

/// Interval at which the lease is renewed.
const RENEWAL: Duration = Duration::from_secs(1);

/// Interval at which a lease of another process is asked for.
const RETRY: Duration = Duration::from_millis(500);

/// Attempts of a batch that the database does not answer in time, with fewer rows each time.
const ATTEMPTS: u32 = 6;

/// An import that is being written.
pub(super) struct Run<'a> {
    pub staged: &'a mut StagedImport,
    pub lease: ImportLease,
    pub by: Admin,
    pub progress: Progress<'a>,
}

/// Runs a batch, again if the database was too slow: a batch that was written after all changes nothing.
pub(super) async fn patiently<T, F>(
    pace: &mut Pace,
    batch: impl Fn() -> F,
) -> Result<T, ImportError>
where
    F: Future<Output = Result<Result<T, LeaseLost>, store::Error>>,
{
    let mut attempt = 1;
    loop {
        match batch().await {
            Ok(done) => return done.map_err(|LeaseLost| ImportError::TakenOver),
            Err(error) if error.is_temporary() && attempt < ATTEMPTS => {
                attempt += 1;
                pace.slow_down();
                tokio::time::sleep(RETRY * attempt).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Renews a lease until it is dropped.
struct Renewal(JoinHandle<()>);

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Renewal {
    fn start(store: Arc<Store>, clock: Arc<dyn Clock>, lease: ImportLease) -> Self {
        Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(RENEWAL).await;
                let now = clock.now();
                // Where it fails the next one renews it; and every batch checks that it is still held.
                let _ = store.lease_import(lease.clone(), now, now + LEASE).await;
            }
        }))
    }
}

impl Imports {
    /// Writes an import. It may be repeated: what is here already stays as it is.
    ///
    /// # Errors
    /// [`ImportError::Running`] if another process imports from the source; [`ImportError::UnreadableLines`] if
    /// accounts that are gone are to be deactivated, and it is not known which ones are.
    pub async fn apply(
        &self,
        by: Admin,
        staged: &mut StagedImport,
        progress: Progress<'_>,
    ) -> Result<ImportSummary, ImportError> {
        let unreadable = staged.summary.count(ProblemKind::UnreadableLine);
        if staged.options.deactivates_gone && unreadable > 0 {
            return Err(ImportError::UnreadableLines);
        }
        let source = staged.header.source.clone();
        let worker = TokenId::new(self.now(), &*self.entropy);
        let lease = ImportLease { source, worker };
        self.wait_for_lease(&lease, progress).await?;
        let renewal =
            Renewal::start(Arc::clone(&self.store), Arc::clone(&self.clock), lease.clone());
        let mut run = Run { staged, lease: lease.clone(), by, progress };
        let outcome = self.write(&mut run).await;
        drop(renewal);
        let done = outcome.as_ref().ok().map(|summary| {
            let event = NewEvent {
                kind: AuditKind::UsersImported,
                at: self.now(),
                user: None,
                actor: by.user_id(),
                session: None,
                origin: Origin::default(),
                detail: None,
            };
            (event, detail(summary))
        });
        let finished = self.store.finish_import(lease, done).await;
        let summary = outcome?;
        finished?;
        self.ends.complete(by.actor()).await?;
        Ok(summary)
    }

    async fn wait_for_lease(
        &self,
        lease: &ImportLease,
        progress: Progress<'_>,
    ) -> Result<(), ImportError> {
        let began = self.clock.monotonic();
        loop {
            let now = self.now();
            if self.store.lease_import(lease.clone(), now, now + LEASE).await? {
                return Ok(());
            }
            let waited = self.clock.monotonic().saturating_sub(began);
            if waited > LEASE + RETRY {
                return Err(ImportError::Running(lease.source.as_str().to_owned()));
            }
            let done = waited.as_secs();
            let total = Some(LEASE.as_secs());
            progress(ImportProgress { phase: ImportPhase::Wait, done, total, rows: 0 });
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn write(&self, run: &mut Run<'_>) -> Result<ImportSummary, ImportError> {
        let settings = serde_json::Value::Object(run.staged.header.settings.clone()).to_string();
        // First: tokens of the other system are judged by its settings.
        self.store.note_import_settings(run.lease.clone(), settings, self.now()).await?;
        self.create_new(run).await?;
        let mut ended = self.change_present(run).await?;
        ended += self.deactivate_gone(run).await?;
        ended += self.import_tokens(run).await?;
        let problems = run.staged.staging.count_problems().await.map_err(ImportError::Staging)?;
        Ok(ImportSummary { problems, ended_sessions: ended, ..run.staged.summary.clone() })
    }
}

impl StagedImport {
    /// Notes that an account that is here took the address meanwhile.
    pub(super) async fn lose_email(&mut self, line: i64, id: &str) -> Result<(), ImportError> {
        let problem = Problem {
            kind: ProblemKind::EmailTaken,
            line,
            id: Some(id.to_owned()),
            value: None,
            outcome: None,
        };
        self.staging.add_problems(&[problem]).await.map_err(ImportError::Staging)
    }
}

/// Detail of the audit event.
fn detail(summary: &ImportSummary) -> String {
    let users = summary.users;
    format!(
        "{}: {} new, {} changed, {} unchanged",
        summary.source.as_str(),
        users.new,
        users.changed,
        users.unchanged
    )
}

impl From<LeaseLost> for ImportError {
    fn from(_: LeaseLost) -> Self {
        Self::TakenOver
    }
}

impl From<crate::crypto::CryptoError> for ImportError {
    fn from(error: crate::crypto::CryptoError) -> Self {
        Self::Service(Error::from(error))
    }
}
