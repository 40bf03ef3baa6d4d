//! What access tokens say of their user, beside the ID.

use super::external_account::ExternalId;
use super::user::{Role, User};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserClaims {
    /// The claim `role`.
    pub role: Role,
    /// The claim `user_id`.
    pub external_id: Option<ExternalId>,
}

impl UserClaims {
    #[must_use]
    pub fn of(user: &User) -> Self {
        Self { role: user.role, external_id: user.external_id.clone() }
    }
}
