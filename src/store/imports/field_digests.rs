//! Digests of the fields of an account.

use crate::crypto::digest::sha256;
use crate::domain::import::{AccountField, FieldDigests, WantedAccount};
use crate::domain::role_names::RoleNames;
use crate::domain::user::Role;

/// Digests of a record. They are of its own text, so that names that come here in another form change only
/// if the record does.
#[must_use]
pub fn record_digests(wanted: &WantedAccount) -> FieldDigests {
    let (username, email) = (&wanted.there.0, wanted.there.1.as_deref());
    let verified = wanted.email_verified;
    field_digests(username, (email, verified), wanted.is_active, wanted.role, &wanted.roles)
}

/// Digests of the fields that have these values.
#[must_use]
pub fn field_digests(
    username: &str,
    (email, is_verified): (Option<&str>, bool),
    is_active: bool,
    role: Role,
    roles: &RoleNames,
) -> FieldDigests {
    FieldDigests::of(|field| match field {
        AccountField::Username => sha256(username.as_bytes()),
        AccountField::Email => {
            let email = email.unwrap_or_default();
            sha256(format!("{is_verified} {email}").as_bytes())
        }
        AccountField::Active => sha256(&[u8::from(is_active)]),
        AccountField::Role => sha256(role.as_str().as_bytes()),
        // No name contains a line break.
        AccountField::Roles => sha256(roles.as_slice().join("\n").as_bytes()),
    })
}
