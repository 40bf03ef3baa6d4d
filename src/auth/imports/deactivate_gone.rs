//! Deactivation of the accounts that are not in the file any more, where that is asked for.

use super::apply::Run;
use super::error::ImportError;
use super::state::Imports;
use crate::domain::import::{AccountField, FieldChange, FieldDigests, ProblemKind};
use crate::domain::user::Email;
use crate::store::{ChangedStanding, PresentAccount, field_digests};

/// Accounts of one page.
const PAGE: i64 = 500;

impl Imports {
    /// Deactivates accounts that were imported before and that the file does not have, except those that were
    /// activated here since they were gone. Returns the number of sessions that ended.
    pub(super) async fn deactivate_gone(&self, run: &mut Run<'_>) -> Result<usize, ImportError> {
        let (mut after, mut ended) = (0, 0);
        loop {
            let gone = run.staged.problems(Some(ProblemKind::GoneInactive), after, PAGE).await?;
            let (problems, last) = gone;
            if problems.is_empty() {
                return Ok(ended);
            }
            after = last;
            let ids: Vec<&str> = problems.iter().filter_map(|one| one.id.as_deref()).collect();
            for account in self.store.present_accounts(&run.lease.source, &ids).await? {
                if let Some(change) = deactivation(&account) {
                    let of = (0, account.external_id.as_str());
                    ended += self.change_standing(run, of, change).await?;
                }
            }
        }
    }
}

/// The account is as one that the file says is inactive.
fn deactivation(account: &PresentAccount) -> Option<ChangedStanding> {
    let email = (account.names.email().map(Email::as_str), account.is_email_verified);
    let username = account.names.username().as_str();
    let inactive = field_digests(username, email, false, account.role, &account.roles);
    let there = account.imported.clone().with(AccountField::Active, &inactive);
    let before = (&account.imported, &account.written);
    let change = FieldDigests::change(AccountField::Active, before, (&there, &account.digests()));
    let is_wanted = change == FieldChange::There && account.is_active && !account.is_deleted;
    is_wanted.then(|| ChangedStanding {
        id: account.id,
        external_id: account.external_id.clone(),
        is_active: Some(false),
        role: None,
        written: account.written.clone().with(AccountField::Active, &inactive),
        imported: there,
    })
}
