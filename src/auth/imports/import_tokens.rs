//! Refresh tokens of the other system: which are outstanding, and which are blacklisted.

use super::apply::{Run, patiently};
use super::error::ImportError;
use super::pace::Pace;
use super::progress::{ImportPhase, ImportProgress};
use super::read_file::unknown_expiry;
use super::state::Imports;
use crate::auth::sessions::end_by_admin;
use crate::clock::Stopwatch;
use crate::domain::origin::Origin;
use crate::store::Scope;

impl Imports {
    /// Adds all tokens that have not expired. Returns the number of sessions that ended, because the token
    /// that they were opened by is blacklisted.
    pub(super) async fn import_tokens(&self, run: &mut Run<'_>) -> Result<usize, ImportError> {
        let now = self.now();
        let times = (now, unknown_expiry(&run.staged.header, now));
        let summary = &run.staged.summary;
        let total = summary.outstanding + summary.blacklisted;
        let (mut pace, mut after, mut done, mut ended) =
            (Pace::of(&self.store), String::new(), 0, 0);
        loop {
            let staging = &mut run.staged.staging;
            let tokens = staging.tokens(&after, times, pace.rows).await;
            let tokens = tokens.map_err(ImportError::Staging)?;
            let Some(last) = tokens.last() else { return Ok(ended) };
            last.jti.clone_into(&mut after);
            let batch = Stopwatch::start();
            let at = self.now();
            let order = |scope| end_by_admin(run.by.user_id(), scope, at, Origin::default());
            let write = || {
                let end = order(Scope::These(Vec::new()));
                self.store.import_tokens(run.lease.clone(), &tokens, end)
            };
            let ending = patiently(&mut pace, write).await?;
            self.ends.note(&ending.ended);
            ended += ending.ended.len();
            pace.after(batch).await;
            done += tokens.len() as u64;
            let phase = ImportPhase::Tokens;
            (run.progress)(ImportProgress { phase, done, total: Some(total), rows: done });
        }
    }
}
