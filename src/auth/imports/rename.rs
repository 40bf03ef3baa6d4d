//! Other names for accounts that cannot have their own.

use super::error::ImportError;
use super::foreign_record::ForeignRecord;
use super::state::Imports;
use crate::domain::import::{
    ImportOptions, Problem, ProblemKind, numbered_part, numbered_username, username_without_at,
};
use crate::domain::user::Username;
use crate::store::{NameQuery, Renamed, Staging};

/// Accounts of one page.
const PAGE: i64 = 500;

impl Imports {
    /// Gives other names to all accounts that need one.
    pub(super) async fn rename_all(
        &self,
        staging: &mut Staging,
        options: ImportOptions,
    ) -> Result<(), ImportError> {
        let mut after = 0;
        loop {
            let page = staging.renamed(after, PAGE).await.map_err(ImportError::Staging)?;
            let Some(end) = page.last() else { return Ok(()) };
            after = end.number;
            let mut problems = Vec::with_capacity(page.len());
            for account in page {
                problems.push(self.rename(staging, account, options).await?.0);
            }
            staging.add_problems(&problems).await.map_err(ImportError::Staging)?;
        }
    }

    /// Gives another name to an account whose own is taken by now.
    pub(super) async fn rename_again(
        &self,
        staging: &mut Staging,
        account: Renamed,
        options: ImportOptions,
    ) -> Result<Username, ImportError> {
        let (problem, username) = self.rename(staging, account, options).await?;
        staging.add_problems(&[problem]).await.map_err(ImportError::Staging)?;
        Ok(username)
    }

    async fn rename(
        &self,
        staging: &mut Staging,
        account: Renamed,
        options: ImportOptions,
    ) -> Result<(Problem, Username), ImportError> {
        let mut base = account.username;
        // A name that had to be changed anyhow may be free without a number.
        let mut is_changed =
            matches!(account.problem, ProblemKind::NameIsNoAddressOfIt | ProblemKind::InvalidName);
        if base.as_str().contains('@') {
            base = username_without_at(&base);
            is_changed = true;
        }
        // Of names that look alike too: each number is tried once for all of them.
        let numbered = numbered_part(&base).skeleton();
        let mut username = base.clone();
        let mut is_tried = !is_changed;
        while is_tried || !self.is_free(staging, &username).await? {
            let number = staging.next_number(&numbered).await.map_err(ImportError::Staging)?;
            username = numbered_username(&base, number);
            is_tried = false;
        }
        staging.assign(account.line, &username).await.map_err(ImportError::Staging)?;
        let record = ForeignRecord::of_staged(account.line, account.record, options);
        let problem = Problem {
            kind: account.problem,
            line: account.line,
            id: Some(account.id),
            value: record.map(|record| record.wanted.there.0),
            outcome: Some(username.as_str().to_owned()),
        };
        Ok((problem, username))
    }

    async fn is_free(
        &self,
        staging: &mut Staging,
        username: &Username,
    ) -> Result<bool, ImportError> {
        if staging.is_assigned(username).await.map_err(ImportError::Staging)? {
            return Ok(false);
        }
        let mut names = NameQuery::default();
        names.add_username(username);
        Ok(!self.store.names_taken(&names, self.now()).await?.has_username(username, None))
    }
}
