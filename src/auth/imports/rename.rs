//! Other names for accounts that cannot have their own.

use super::error::ImportError;
use super::foreign_record::ForeignRecord;
use super::state::Imports;
use crate::domain::import::{
    ImportOptions, Problem, ProblemKind, numbered_username, username_without_at,
};
use crate::domain::user::Username;
use crate::store::{NameQuery, Renamed, Staging};

/// Accounts of one page.
const PAGE: i64 = 500;

/// The last number that was given to a name, so that the next account with the name does not try all numbers
/// again. Accounts with one name follow each other.
#[derive(Default)]
struct LastNumber {
    key: String,
    number: u64,
}

impl Imports {
    /// Gives other names to all accounts that need one.
    pub(super) async fn rename_all(
        &self,
        staging: &mut Staging,
        options: ImportOptions,
    ) -> Result<(), ImportError> {
        let (mut after, mut last) = (0, LastNumber::default());
        loop {
            let page = staging.renamed(after, PAGE).await.map_err(ImportError::Staging)?;
            let Some(end) = page.last() else { return Ok(()) };
            after = end.number;
            let mut problems = Vec::with_capacity(page.len());
            for account in page {
                problems.push(self.rename(staging, account, options, &mut last).await?.0);
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
        let mut last = LastNumber::default();
        let (problem, username) = self.rename(staging, account, options, &mut last).await?;
        staging.add_problems(&[problem]).await.map_err(ImportError::Staging)?;
        Ok(username)
    }

    async fn rename(
        &self,
        staging: &mut Staging,
        account: Renamed,
        options: ImportOptions,
        last: &mut LastNumber,
    ) -> Result<(Problem, Username), ImportError> {
        let mut base = account.username;
        // A name that had to be changed anyhow may be free without a number.
        let mut is_changed =
            matches!(account.problem, ProblemKind::NameIsNoAddressOfIt | ProblemKind::InvalidName);
        if base.as_str().contains('@') {
            base = username_without_at(&base);
            is_changed = true;
        }
        if last.key != base.key() {
            *last = LastNumber { key: base.key().to_owned(), number: u64::from(!is_changed) };
        }
        let username = loop {
            let number = last.number + 1;
            last.number = number;
            let candidate =
                if number == 1 { base.clone() } else { numbered_username(&base, number) };
            if self.is_free(staging, &candidate).await? {
                break candidate;
            }
        };
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
