//! Three-way comparison of an imported account: what it was at the last import, what it is there, and what it
//! is here.

use crate::domain::words::words;

words! {
    /// A field that is compared on its own, so that a change of one here does not keep out one of another
    /// there. Passwords and logins are compared by rules of their own.
    AccountField {
        Username = "username",
        Email = "email",
        Active = "active",
        Role = "role",
        Roles = "roles",
    }
}

/// Bytes of a digest of one field.
const BYTES: usize = 8;

/// Digests of all fields of an account, 8 bytes each in the order of [`AccountField::ALL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDigests([u8; FieldDigests::LENGTH]);

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldChange {
    /// It did not change there.
    None,
    /// It changed there, and not here.
    There,
    /// It changed there and here: the value here stays.
    Both,
}

impl FieldDigests {
    pub const LENGTH: usize = BYTES * AccountField::ALL.len();

    /// Makes the digests by a function from a field to the digest of its value.
    #[must_use]
    pub fn of(mut digest: impl FnMut(AccountField) -> [u8; 32]) -> Self {
        let mut all = [0; Self::LENGTH];
        for (field, part) in AccountField::ALL.iter().zip(all.chunks_exact_mut(BYTES)) {
            part.copy_from_slice(&digest(*field)[..BYTES]);
        }
        Self(all)
    }

    /// The digests of a stored row; those of another length, which a newer version may have written, are
    /// like those of no account.
    #[must_use]
    pub fn from_stored(bytes: &[u8]) -> Self {
        Self(bytes.try_into().unwrap_or([0; Self::LENGTH]))
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn part(&self, field: AccountField) -> &[u8] {
        self.0.chunks_exact(BYTES).nth(field as usize).unwrap_or_default()
    }

    /// The same digests with that of one field from others.
    #[must_use]
    pub fn with(mut self, field: AccountField, from: &Self) -> Self {
        if let Some(part) = self.0.chunks_exact_mut(BYTES).nth(field as usize) {
            part.copy_from_slice(from.part(field));
        }
        self
    }

    /// Whether both have the same value in a field.
    #[must_use]
    pub fn agree(&self, other: &Self, field: AccountField) -> bool {
        self.part(field) == other.part(field)
    }

    /// What becomes of a field, given its digests at the last import (what was in the file, and what was
    /// written here of it) and now (in the file, and here).
    #[must_use]
    pub fn change(
        field: AccountField,
        (imported, written): (&Self, &Self),
        (there, here): (&Self, &Self),
    ) -> FieldChange {
        if imported.agree(there, field) {
            FieldChange::None
        } else if written.agree(here, field) || there.agree(here, field) {
            FieldChange::There
        } else {
            FieldChange::Both
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(name: u8, email: u8) -> FieldDigests {
        FieldDigests::of(|field| match field {
            AccountField::Username => [name; 32],
            AccountField::Email => [email; 32],
            _ => [0; 32],
        })
    }

    #[test]
    fn each_field_is_compared_on_its_own() {
        let change = |field, there: &FieldDigests, here: &FieldDigests| {
            let before = digests(1, 1);
            FieldDigests::change(field, (&before, &before), (there, here))
        };
        let (name, email) = (AccountField::Username, AccountField::Email);
        assert_eq!(change(name, &digests(1, 1), &digests(2, 1)), FieldChange::None);
        assert_eq!(change(name, &digests(2, 1), &digests(1, 3)), FieldChange::There);
        assert_eq!(change(email, &digests(2, 1), &digests(1, 3)), FieldChange::None);
        assert_eq!(change(email, &digests(1, 2), &digests(1, 3)), FieldChange::Both);
        // The same change on both sides is no conflict.
        assert_eq!(change(email, &digests(1, 3), &digests(1, 3)), FieldChange::There);
    }

    #[test]
    fn digests_are_stored_and_changed_by_field() {
        let (one, other) = (digests(1, 1), digests(2, 2));
        assert_eq!(FieldDigests::from_stored(one.as_bytes()), one);
        assert_eq!(one.clone().with(AccountField::Email, &other), digests(1, 2));
        assert!(!FieldDigests::from_stored(b"newer").agree(&one, AccountField::Username));
    }
}
