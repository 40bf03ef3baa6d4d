//! Comparison of a record with the account that was imported from it before.

use super::foreign_record::ForeignRecord;
use crate::clock::Timestamp;
use crate::domain::import::{AccountField, FieldChange, FieldDigests, username_without_at};
use crate::domain::role_names::RoleNames;
use crate::domain::user::{Email, Role, Username};
use crate::store::{PresentAccount, StagedState, field_digests};

/// What of a record is to be taken over. `None` keeps what is here.
pub(super) struct Comparison {
    pub username: Option<Username>,
    /// Whether the username would be an address that the account does not have.
    pub is_no_address: bool,
    pub email: Option<(Option<Email>, bool)>,
    pub is_active: Option<bool>,
    pub role: Option<Role>,
    pub roles: Option<RoleNames>,
    pub has_new_password: bool,
    pub last_login_at: Option<Timestamp>,
    /// Fields that changed there since the last import, and not here.
    pub changed: Vec<AccountField>,
    /// What changed there and here, so that the value here stays.
    pub conflicts: Vec<&'static str>,
}

impl Comparison {
    pub(super) fn new(record: &ForeignRecord, present: &PresentAccount) -> Self {
        let (wanted, here) = (&record.wanted, present.digests());
        let (mut changed, mut conflicts) = (Vec::new(), Vec::new());
        // Without the option that is about roles, an import says nothing of them.
        let counts = |field: &&AccountField| **field != AccountField::Role || wanted.decides_role;
        for field in AccountField::ALL.iter().filter(counts) {
            let before = (&present.imported, &present.written);
            match FieldDigests::change(*field, before, (&record.digests, &here)) {
                FieldChange::None => {}
                FieldChange::There => changed.push(*field),
                FieldChange::Both => conflicts.push(field.as_str()),
            }
        }
        let fingerprint = record.password_fingerprint.map(|digest| digest.to_vec());
        let is_other_password = fingerprint != present.password_fingerprint;
        if is_other_password && present.has_own_password {
            conflicts.push("password");
        }
        let has = |field| changed.contains(&field);
        let email = has(AccountField::Email).then(|| (wanted.email.clone(), wanted.email_verified));
        let kept = present.names.username();
        let mut username = has(AccountField::Username).then(|| wanted.username.clone());
        // Whether or not the name changed: with another address it may be none of the account's any more.
        let (name, address) = (username.as_ref().unwrap_or(kept), email.as_ref());
        let address = address.map_or(present.names.email(), |(email, _)| email.as_ref());
        let is_no_address =
            name.as_str().contains('@') && address.map(Email::key) != Some(name.key());
        if is_no_address {
            username = Some(username_without_at(name));
        }
        let newer = wanted.last_login_at.filter(|at| Some(*at) > present.last_login_at);
        Self {
            username: username.filter(|username| username != kept),
            is_no_address,
            is_active: has(AccountField::Active).then_some(wanted.is_active),
            role: has(AccountField::Role).then_some(wanted.role),
            roles: has(AccountField::Roles).then(|| wanted.roles.clone()),
            has_new_password: is_other_password && !present.has_own_password,
            email,
            last_login_at: newer,
            changed,
            conflicts,
        }
    }

    pub(super) fn state(&self) -> StagedState {
        if !self.changed.is_empty() || self.has_new_password {
            StagedState::Changed
        } else if self.last_login_at.is_some() {
            StagedState::LoggedIn
        } else {
            StagedState::Unchanged
        }
    }

    /// Digests of the record and of the account as they are after the change of these fields.
    pub(super) fn digests_after(
        &self,
        record: &ForeignRecord,
        present: &PresentAccount,
        after: &Standing<'_>,
        fields: &[AccountField],
    ) -> (FieldDigests, FieldDigests) {
        let Standing { username, email, is_active, role, roles } = *after;
        let here = field_digests(username, email, is_active, role, roles);
        let (mut imported, mut written) = (present.imported.clone(), present.written.clone());
        for field in self.changed.iter().filter(|field| fields.contains(field)) {
            imported = imported.with(*field, &record.digests);
            written = written.with(*field, &here);
        }
        (imported, written)
    }
}

/// Values of an account after a change.
pub(super) struct Standing<'a> {
    pub username: &'a str,
    pub email: (Option<&'a str>, bool),
    pub is_active: bool,
    pub role: Role,
    pub roles: &'a RoleNames,
}
