//! Records as they are staged: their names, and what of them cannot come over.

use super::compare::Comparison;
use super::foreign_record::ForeignRecord;
use crate::domain::import::{Problem, ProblemKind};
use crate::store::{NameQuery, NamesTaken, PresentAccount, StagedState, StagedUser};

/// A record, the account that was imported from it before, and their comparison if it was not deleted here.
pub(super) type Compared<'a> = (ForeignRecord, Option<&'a PresentAccount>, Option<Comparison>);

/// The names to look up: those of new accounts, and new ones.
pub(super) fn names_of(compared: &[Compared<'_>]) -> NameQuery {
    let mut names = NameQuery::default();
    for (record, here, comparison) in compared {
        let (username, email) = match (here, comparison) {
            (None, _) => (Some(&record.wanted.username), record.wanted.email.as_ref()),
            (Some(_), Some(comparison)) => {
                let email = comparison.email.as_ref().and_then(|(email, _)| email.as_ref());
                (comparison.username.as_ref(), email)
            }
            // Deleted here.
            (Some(_), None) => (None, None),
        };
        if let Some(username) = username {
            names.add_username(username);
        }
        if let Some(email) = email {
            names.add_email(email);
        }
    }
    names
}

pub(super) fn staged_user(
    record: ForeignRecord,
    here: Option<&PresentAccount>,
    comparison: Option<&Comparison>,
    taken: &NamesTaken,
) -> StagedUser {
    let wanted = record.wanted;
    let (state, username, email, is_no_address) = match (here, comparison) {
        (None, _) => (StagedState::New, Some(wanted.username.clone()), wanted.email.clone(), false),
        (Some(_), Some(comparison)) => {
            let email = comparison.email.clone().and_then(|(email, _)| email);
            (comparison.state(), comparison.username.clone(), email, comparison.is_no_address)
        }
        (Some(_), None) => (StagedState::Unchanged, None, None, false),
    };
    let own = here.map(|here| here.id);
    let is_changed = |kind| wanted.problems.iter().any(|(found, _)| *found == kind);
    let name_problem = username.as_ref().and_then(|username| {
        if taken.has_username(username, own) {
            Some(ProblemKind::NameTaken)
        } else if is_no_address || is_changed(ProblemKind::NameIsNoAddressOfIt) {
            Some(ProblemKind::NameIsNoAddressOfIt)
        } else {
            is_changed(ProblemKind::InvalidName).then_some(ProblemKind::InvalidName)
        }
    });
    let is_email_lost = email.as_ref().is_some_and(|email| taken.has_email(email, own));
    StagedUser {
        line: record.line,
        id: wanted.id.as_str().to_owned(),
        record: record.text,
        has_new_name: username.is_some(),
        has_new_email: email.is_some(),
        username: username.unwrap_or(wanted.username),
        email,
        is_email_verified: wanted.email_verified,
        is_active: wanted.is_active,
        last_login: wanted.last_login_at,
        state,
        name_problem,
        is_email_lost,
    }
}

/// What of a record cannot come over, except names, of which it is not known yet which ones are free.
pub(super) fn problems_of(
    record: &ForeignRecord,
    here: Option<&PresentAccount>,
    comparison: Option<&Comparison>,
    taken: &NamesTaken,
) -> Vec<Problem> {
    let problem = |kind, value, outcome| Problem {
        kind,
        line: record.line,
        id: Some(record.id().to_owned()),
        value,
        outcome,
    };
    if here.is_some_and(|here| here.is_deleted) {
        return vec![problem(ProblemKind::DeletedHere, None, None)];
    }
    let mut problems = Vec::new();
    let (mut has_password, mut has_email, mut has_roles) = (true, true, true);
    if let Some(comparison) = comparison {
        has_password = comparison.has_new_password;
        has_email = comparison.email.is_some();
        has_roles = comparison.roles.is_some();
        if !comparison.conflicts.is_empty() {
            let fields = comparison.conflicts.join(", ");
            problems.push(problem(ProblemKind::ChangedOnBothSides, Some(fields), None));
        }
    }
    if let Some((kind, hasher)) = record.password_problem().filter(|_| has_password) {
        problems.push(problem(kind, hasher, None));
    }
    for (kind, value) in &record.wanted.problems {
        let is_new = match kind {
            ProblemKind::InvalidEmail => has_email,
            ProblemKind::InvalidRoles => has_roles,
            _ => false,
        };
        if is_new {
            problems.push(problem(*kind, Some(value.clone()), None));
        }
    }
    let email = match comparison {
        None => record.wanted.email.as_ref(),
        Some(comparison) => comparison.email.as_ref().and_then(|(email, _)| email.as_ref()),
    };
    let lost = email.filter(|email| taken.has_email(email, here.map(|here| here.id)));
    problems.extend(
        lost.map(|email| problem(ProblemKind::EmailTaken, Some(email.as_str().to_owned()), None)),
    );
    problems
}
