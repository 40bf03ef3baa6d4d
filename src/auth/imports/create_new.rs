//! Creation of the accounts of an import that are not here.

use std::collections::HashSet;

use super::apply::Run;
use super::error::ImportError;
use super::foreign_record::ForeignRecord;
use super::pace::Pace;
use super::progress::{ImportPhase, ImportProgress};
use super::state::Imports;
use crate::clock::Stopwatch;
use crate::crypto::password::ForeignHash;
use crate::domain::id::UserId;
use crate::domain::import::ProblemKind;
use crate::store::{ImportedAccount, NameQuery, Renamed, StagedRow, StagedState};

/// How often names are chosen anew for an account whose names others take meanwhile.
const ATTEMPTS: usize = 5;

/// Rows of a batch with hashes to wrap: the progress goes on after each batch.
const WRAPPED_ROWS: usize = 64;

/// A new account, and the line that it is of.
struct New {
    line: i64,
    record: String,
    account: ImportedAccount,
}

impl Imports {
    /// Creates all accounts that are not here.
    pub(super) async fn create_new(&self, run: &mut Run<'_>) -> Result<(), ImportError> {
        let total = run.staged.summary.users.new;
        let (mut pace, mut after, mut done) = (Pace::of(&self.store), 0, 0);
        let mut batch = self.next_new(run, after, &pace).await?;
        while let Some(last) = batch.last() {
            after = last.line;
            let began = Stopwatch::start();
            let accounts: Vec<_> = batch.iter().map(|new| new.account.clone()).collect();
            let create = self.create_batch(run, &accounts, &mut pace);
            let created: HashSet<UserId> = create.await?.into_iter().collect();
            pace.after(began).await;
            let rest = batch.iter().filter(|new| !created.contains(&new.account.id));
            for new in rest {
                self.create_alone(run, new).await?;
            }
            done += batch.len() as u64;
            let phase = ImportPhase::Create;
            (run.progress)(ImportProgress { phase, done, total: Some(total), rows: done });
            batch = self.next_new(run, after, &pace).await?;
        }
        Ok(())
    }

    /// Writes a batch. One that took too long is tried again in the same transaction's order: what it wrote
    /// already stays as it is.
    async fn create_batch(
        &self,
        run: &Run<'_>,
        accounts: &[ImportedAccount],
        pace: &mut Pace,
    ) -> Result<Vec<UserId>, ImportError> {
        run.patiently(pace, || self.store.create_imported(run.lease.clone(), accounts, self.now()))
            .await
    }

    /// The next accounts of the file that are to be created, with their hashes.
    async fn next_new(
        &self,
        run: &mut Run<'_>,
        after: i64,
        pace: &Pace,
    ) -> Result<Vec<New>, ImportError> {
        let staging = &mut run.staged.staging;
        let rows = staging.users(StagedState::New, after, pace.rows).await;
        let rows = rows.map_err(ImportError::Staging)?;
        let options = run.staged.options;
        let mut records = Vec::with_capacity(rows.len());
        let mut fast = 0;
        for StagedRow { line, record, username, is_email_lost } in rows {
            let Some(record) = ForeignRecord::of_staged(line, record, options) else { continue };
            fast += usize::from(record.password.as_ref().is_ok_and(ForeignHash::is_fast));
            records.push((record, username, is_email_lost));
            if fast == WRAPPED_ROWS {
                break;
            }
        }
        let hashes = records.iter().filter_map(|(record, ..)| record.password.as_ref().ok());
        let mut hashes = self.passwords.wrap(hashes.cloned().collect()).await?.into_iter();
        let now = self.now();
        let new = records.into_iter().map(|(record, username, is_email_lost)| {
            let password = record.password.is_ok().then(|| hashes.next()).flatten();
            let wanted = record.wanted;
            let email = wanted.email.filter(|_| !is_email_lost);
            let account = ImportedAccount {
                id: UserId::new(now, &*self.entropy),
                external_id: wanted.id.as_str().to_owned(),
                username,
                is_email_verified: wanted.email_verified && email.is_some(),
                email,
                password,
                password_fingerprint: record.password_fingerprint,
                is_active: wanted.is_active,
                role: wanted.role,
                roles: wanted.roles,
                created_at: wanted.created_at.unwrap_or(now).min(now),
                last_login_at: wanted.last_login_at,
                imported: record.digests,
            };
            New { line: record.line, record: record.text, account }
        });
        Ok(new.collect())
    }

    /// Creates an account that was not created in its batch: it is here already, because the batch was tried
    /// twice, or another account took one of its names meanwhile.
    async fn create_alone(&self, run: &mut Run<'_>, new: &New) -> Result<(), ImportError> {
        let mut account = new.account.clone();
        for _ in 0..ATTEMPTS {
            let source = &run.lease.source;
            if !self.store.present_accounts(source, &[&account.external_id]).await?.is_empty() {
                return Ok(());
            }
            let mut names = NameQuery::default();
            names.add_username(&account.username);
            if let Some(email) = &account.email {
                names.add_email(email);
            }
            let taken = self.store.names_taken(&names, self.now()).await?;
            if account.email.as_ref().is_some_and(|email| taken.has_email(email, None)) {
                account.email = None;
                account.is_email_verified = false;
                run.staged.lose_email(new.line, &account.external_id).await?;
            }
            let has_at = account.username.as_str().contains('@') && account.email.is_none();
            if has_at || taken.has_username(&account.username, None) {
                let renamed = Renamed {
                    number: 0,
                    line: new.line,
                    id: account.external_id.clone(),
                    record: new.record.clone(),
                    username: account.username.clone(),
                    problem: ProblemKind::NameTaken,
                };
                let options = run.staged.options;
                let staging = &mut run.staged.staging;
                account.username = self.rename_again(staging, renamed, options).await?;
            }
            let one = std::slice::from_ref(&account);
            let created = self.store.create_imported(run.lease.clone(), one, self.now()).await?;
            if !created.map_err(|_| ImportError::TakenOver)?.is_empty() {
                return Ok(());
            }
        }
        Err(ImportError::Contended)
    }
}
