//! Changes of accounts that were imported before, and changed there since.

use std::collections::HashMap;

use super::apply::{Run, patiently};
use super::compare::{Comparison, Standing};
use super::error::ImportError;
use super::foreign_record::ForeignRecord;
use super::pace::Pace;
use super::progress::{ImportPhase, ImportProgress};
use super::state::Imports;
use crate::auth::sessions::end_by_admin;
use crate::clock::Stopwatch;
use crate::crypto::password::PasswordHash;
use crate::domain::import::{AccountField, Problem, ProblemKind};
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;
use crate::domain::user::{Email, Names, Username};
use crate::store::{
    ChangedAccount, ChangedStanding, EndSessions, ImportedChanges, PresentAccount, Scope,
    StagedRow, StagedState, StandingChange,
};

/// Rows of a batch: each of its accounts takes several statements.
const ROWS: i64 = 50;

/// Fields that a batch changes; the others may end sessions.
const IN_BATCH: &[AccountField] =
    &[AccountField::Username, AccountField::Email, AccountField::Roles];

impl Imports {
    /// Changes all accounts that changed there. Returns the number of sessions that ended.
    pub(super) async fn change_present(&self, run: &mut Run<'_>) -> Result<usize, ImportError> {
        let staging = &mut run.staged.staging;
        let logged_in = staging.count_users(StagedState::LoggedIn).await;
        let total = run.staged.summary.users.changed + logged_in.map_err(ImportError::Staging)?;
        let (mut pace, mut done, mut ended) = (Pace::of(&self.store), 0, 0);
        for (state, most) in [(StagedState::Changed, ROWS), (StagedState::LoggedIn, i64::MAX)] {
            let mut after = 0;
            loop {
                let staging = &mut run.staged.staging;
                let rows = staging.users(state, after, pace.rows.min(most)).await;
                let rows = rows.map_err(ImportError::Staging)?;
                let Some(last) = rows.last() else { break };
                after = last.line;
                done += rows.len() as u64;
                let batch = Stopwatch::start();
                if state == StagedState::LoggedIn {
                    self.note_logins(run, rows, &mut pace).await?;
                } else {
                    ended += self.change_batch(run, rows, &mut pace).await?;
                }
                pace.after(batch).await;
                let phase = ImportPhase::Change;
                (run.progress)(ImportProgress { phase, done, total: Some(total), rows: done });
            }
        }
        Ok(ended)
    }

    /// Takes over the last logins of accounts of which nothing else changed.
    async fn note_logins(
        &self,
        run: &Run<'_>,
        rows: Vec<StagedRow>,
        pace: &mut Pace,
    ) -> Result<(), ImportError> {
        let options = run.staged.options;
        let records: Vec<_> = rows
            .into_iter()
            .filter_map(|row| ForeignRecord::of_staged(row.line, row.record, options))
            .collect();
        let present = self.present(&run.lease.source, &records).await?;
        let logins: Vec<_> = records
            .iter()
            .filter_map(|record| Some((present.get(record.id())?.id, record.wanted.last_login_at?)))
            .collect();
        patiently(pace, || self.store.note_logins_there(run.lease.clone(), &logins)).await
    }

    async fn change_batch(
        &self,
        run: &mut Run<'_>,
        rows: Vec<StagedRow>,
        pace: &mut Pace,
    ) -> Result<usize, ImportError> {
        let options = run.staged.options;
        let mut records = Vec::with_capacity(rows.len());
        let mut names = HashMap::new();
        for StagedRow { line, record, username, is_email_lost } in rows {
            names.insert(line, (username, is_email_lost));
            records.extend(ForeignRecord::of_staged(line, record, options));
        }
        let present = self.present(&run.lease.source, &records).await?;
        let mut changes = Vec::new();
        let mut standings = Vec::new();
        let mut passwords = Vec::new();
        for record in &records {
            let Some(here) = present.get(record.id()).filter(|here| !here.is_deleted) else {
                continue;
            };
            let Some((username, is_email_lost)) = names.remove(&record.line) else { continue };
            let comparison = Comparison::new(record, here);
            let rest = rest_of_change(record, here, &comparison, (username, is_email_lost));
            if comparison.has_new_password
                && let Ok(hash) = &record.password
            {
                passwords.push((changes.len(), hash.clone()));
            }
            standings.extend(standing(record, here, &comparison, &rest));
            changes.push(rest);
        }
        let (places, hashes): (Vec<_>, Vec<_>) = passwords.into_iter().unzip();
        for (place, hash) in places.into_iter().zip(self.passwords.wrap(hashes).await?) {
            set_password(&mut changes, place, hash);
        }
        let end = self.end_order(run, Scope::These(Vec::new()), EndReason::PasswordChanged);
        let write = || {
            let (lease, end) = (run.lease.clone(), end.clone());
            self.store.change_imported(lease, changes.clone(), end)
        };
        let ImportedChanges { refused, ended: endings } = patiently(pace, write).await?;
        let lines = records.iter().filter(|record| {
            present.get(record.id()).is_some_and(|here| refused.contains(&here.id))
        });
        let problems: Vec<Problem> =
            lines.map(|record| conflict((record.line, record.id()), "changed meanwhile")).collect();
        run.staged.staging.add_problems(&problems).await.map_err(ImportError::Staging)?;
        let mut ended = 0;
        for (user, ending) in endings {
            ended += self.ends.finish(&Scope::User(user), end.at, ending).await?.count;
        }
        for (record, standing) in standings {
            if !refused.contains(&standing.id) {
                let of = (record.line, record.id());
                ended += self.change_standing(run, of, standing).await?;
            }
        }
        Ok(ended)
    }

    fn end_order(&self, run: &Run<'_>, scope: Scope, reason: EndReason) -> EndSessions {
        let order = end_by_admin(run.by.user_id(), scope, self.now(), Origin::default());
        EndSessions { reason, ..order }
    }

    /// Activates or deactivates an account, or changes its role. Returns the number of sessions that ended.
    pub(super) async fn change_standing(
        &self,
        run: &mut Run<'_>,
        of: (i64, &str),
        change: ChangedStanding,
    ) -> Result<usize, ImportError> {
        let scope = Scope::User(change.id);
        let is_off = change.is_active == Some(false);
        let reason = if is_off { EndReason::UserDeactivated } else { EndReason::Admin };
        let end = self.end_order(run, scope.clone(), reason);
        let now = end.at;
        let done = self.store.change_standing(run.lease.clone(), change, end, now).await??;
        match done {
            StandingChange::Changed(ending) => {
                Ok(self.ends.finish(&scope, now, ending).await?.count)
            }
            StandingChange::Refused(_) => {
                let problem = conflict(of, "the last administrator stays one");
                let staging = &mut run.staged.staging;
                staging.add_problems(&[problem]).await.map_err(ImportError::Staging)?;
                Ok(0)
            }
            StandingChange::Missing => Ok(0),
        }
    }
}

fn conflict((line, id): (i64, &str), what: &str) -> Problem {
    Problem {
        kind: ProblemKind::ChangedOnBothSides,
        line,
        id: Some(id.to_owned()),
        value: Some(what.to_owned()),
        outcome: None,
    }
}

fn set_password(changes: &mut [ChangedAccount], place: usize, hash: PasswordHash) {
    if let Some(change) = changes.get_mut(place) {
        change.password = Some(Some(hash));
    }
}

/// The change of an account but for its standing. A password is still to be set.
fn rest_of_change(
    record: &ForeignRecord,
    here: &PresentAccount,
    comparison: &Comparison,
    (username, is_email_lost): (Username, bool),
) -> ChangedAccount {
    let current = (here.names.clone(), here.is_email_verified);
    let (mut email, mut is_verified) = (here.names.email().cloned(), here.is_email_verified);
    // An address that another account has leaves the account with its own.
    if let Some((new, verified)) = comparison.email.clone().filter(|_| !is_email_lost) {
        (email, is_verified) = (new, verified);
    }
    let mut kept = here.names.username().clone();
    if comparison.username.is_some() {
        kept = username;
    }
    let roles = comparison.roles.clone().unwrap_or_else(|| here.roles.clone());
    let after = Standing {
        username: kept.as_str(),
        email: (email.as_ref().map(Email::as_str), is_verified),
        is_active: here.is_active,
        role: here.role,
        roles: &roles,
    };
    let (imported, written) = comparison.digests_after(record, here, &after, IN_BATCH);
    let fingerprint = record.password_fingerprint.map(|digest| digest.to_vec());
    let has_new = comparison.has_new_password;
    ChangedAccount {
        id: here.id,
        external_id: here.external_id.clone(),
        current,
        names: (Names::from_stored(kept, email), is_verified),
        roles,
        // Of an unusable one nothing is left.
        password: has_new.then_some(None),
        password_fingerprint: if has_new { fingerprint } else { here.password_fingerprint.clone() },
        last_login_at: comparison.last_login_at,
        imported,
        written,
    }
}

/// The change of an account's standing, if there is one, after the rest of the change.
fn standing<'a>(
    record: &'a ForeignRecord,
    here: &PresentAccount,
    comparison: &Comparison,
    rest: &ChangedAccount,
) -> Option<(&'a ForeignRecord, ChangedStanding)> {
    if comparison.is_active.is_none() && comparison.role.is_none() {
        return None;
    }
    let (names, is_verified) = &rest.names;
    let after = Standing {
        username: names.username().as_str(),
        email: (names.email().map(Email::as_str), *is_verified),
        is_active: comparison.is_active.unwrap_or(here.is_active),
        role: comparison.role.unwrap_or(here.role),
        roles: &rest.roles,
    };
    let (imported, written) = comparison.digests_after(record, here, &after, AccountField::ALL);
    let change = ChangedStanding {
        id: here.id,
        external_id: here.external_id.clone(),
        is_active: comparison.is_active,
        role: comparison.role,
        imported,
        written,
    };
    Some((record, change))
}
