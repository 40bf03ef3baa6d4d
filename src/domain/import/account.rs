//! An account as it should become here, of a record of another system.

use super::imported_name::{imported_username, username_without_at};
use super::line::ForeignUser;
use super::problem::ProblemKind;
use crate::clock::Timestamp;
use crate::domain::external_account::ExternalId;
use crate::domain::role_names::RoleNames;
use crate::domain::user::{Email, Role, Username};

/// Role name of accounts that could use the other system's administration.
const STAFF: &str = "staff";

/// Role name of accounts that could do everything there.
const SUPERUSER: &str = "superuser";

/// How records become accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Superusers get the role ADMIN, and others lose it. Otherwise an import leaves roles as they are.
    pub superusers_are_admins: bool,
    /// Names of groups become roles.
    pub groups_are_roles: bool,
    /// Accounts that are not in the file any more are deactivated.
    pub deactivates_gone: bool,
}

/// Password of a record: its hash as the other system writes it.
#[derive(Clone, PartialEq, Eq)]
pub struct WantedPassword(pub String);

crate::redacted::redacted_debug!(WantedPassword);

/// An account as it should become here. Other accounts may keep it from its name and its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedAccount {
    pub id: ExternalId,
    pub username: Username,
    pub email: Option<Email>,
    pub email_verified: bool,
    pub password: Option<WantedPassword>,
    pub is_active: bool,
    pub role: Role,
    /// Whether an account that is here gets the role.
    pub decides_role: bool,
    pub roles: RoleNames,
    pub created_at: Option<Timestamp>,
    pub last_login_at: Option<Timestamp>,
    /// Names in the record as they were, by which a later change there is noticed.
    pub there: (String, Option<String>),
    /// Values of the record that are not valid here.
    pub problems: Vec<(ProblemKind, String)>,
}

impl WantedAccount {
    #[must_use]
    pub fn new(record: ForeignUser, options: ImportOptions) -> Self {
        let there = (record.username.clone(), record.email.clone());
        let mut problems = Vec::new();
        let (mut username, is_as_it_was) = imported_username(&record.username);
        if !is_as_it_was {
            problems.push((ProblemKind::InvalidName, record.username));
        }
        let has_at = username.as_str().contains('@');
        let mut email = None;
        if let Some(text) = record.email {
            email = Email::parse(&text).ok();
            if email.is_none() {
                problems.push((ProblemKind::InvalidEmail, text));
            }
        } else if has_at {
            email = Email::parse(username.as_str()).ok();
        }
        if has_at && email.as_ref().map(Email::key) != Some(username.key()) {
            problems.push((ProblemKind::NameIsNoAddressOfIt, username.as_str().to_owned()));
            username = username_without_at(&username);
        }
        let groups = if options.groups_are_roles { record.groups } else { Vec::new() };
        let (roles, invalid) = roles(record.is_staff, record.is_superuser, groups);
        problems.extend(invalid.into_iter().map(|name| (ProblemKind::InvalidRoles, name)));
        let is_admin = record.is_superuser && options.superusers_are_admins;
        Self {
            id: record.id,
            // Of another text than the record's nothing is verified there.
            email_verified: record.email_verified && there.1.is_some() && email.is_some(),
            username,
            email,
            password: record.password.map(WantedPassword),
            is_active: record.is_active,
            role: if is_admin { Role::Admin } else { Role::User },
            decides_role: options.superusers_are_admins,
            roles,
            created_at: record.date_joined,
            last_login_at: record.last_login,
            there,
            problems,
        }
    }
}

/// Role names, and those of groups that cannot be one.
fn roles(is_staff: bool, is_superuser: bool, groups: Vec<String>) -> (RoleNames, Vec<String>) {
    let own = [(is_staff, STAFF), (is_superuser, SUPERUSER)];
    let own = own.into_iter().filter(|(has, _)| *has).map(|(_, name)| name.to_owned());
    let (mut names, mut invalid) = (own.collect::<Vec<_>>(), Vec::new());
    for group in groups {
        names.push(group);
        if RoleNames::parse(names.iter().cloned()).is_err() {
            invalid.extend(names.pop());
        }
    }
    (RoleNames::parse(names).unwrap_or_default(), invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(username: &str, email: Option<&str>) -> ForeignUser {
        ForeignUser {
            id: ExternalId::parse("1").unwrap(),
            username: username.to_owned(),
            email: email.map(str::to_owned),
            email_verified: true,
            password: None,
            is_active: true,
            is_staff: true,
            is_superuser: true,
            groups: vec!["Editors".to_owned(), "a\nb".to_owned(), "staff".to_owned()],
            date_joined: None,
            last_login: None,
        }
    }

    fn wanted(username: &str, email: Option<&str>) -> WantedAccount {
        WantedAccount::new(record(username, email), ImportOptions::default())
    }

    #[test]
    fn superusers_and_groups_count_on_request_only() {
        let plain = wanted("ada", None);
        assert_eq!(
            (plain.role, plain.roles.as_slice().join(" ")),
            (Role::User, "staff superuser".into())
        );
        let options = ImportOptions {
            superusers_are_admins: true,
            groups_are_roles: true,
            ..ImportOptions::default()
        };
        let all = WantedAccount::new(record("ada", None), options);
        assert_eq!(
            (all.role, all.roles.as_slice().join(" ")),
            (Role::Admin, "staff superuser Editors".into())
        );
        assert_eq!(all.problems, [(ProblemKind::InvalidRoles, "a\nb".to_owned())]);
    }

    #[test]
    fn a_name_with_an_at_sign_stays_if_it_is_the_address() {
        for email in [None, Some("Ada@example.com")] {
            let account = wanted("ada@example.com", email);
            assert_eq!(account.username.as_str(), "ada@example.com");
            assert_eq!(account.email.unwrap().key(), "ada@example.com");
            assert_eq!(account.email_verified, email.is_some());
            assert_eq!(account.problems, []);
        }
        for (name, email) in [("bob@example.com", Some("ada@example.com")), ("ada@", None)] {
            let account = wanted(name, email);
            assert_eq!(account.username.as_str(), name.replace('@', "-"));
            assert_eq!(account.email.as_ref().map(Email::as_str), email);
            assert_eq!(account.problems, [(ProblemKind::NameIsNoAddressOfIt, name.to_owned())]);
        }
    }

    #[test]
    fn an_address_that_is_none_is_left_out() {
        let account = wanted("ada", Some("ada@localhost"));
        assert_eq!((account.email, account.email_verified), (None, false));
        assert_eq!(account.problems, [(ProblemKind::InvalidEmail, "ada@localhost".to_owned())]);
    }
}
