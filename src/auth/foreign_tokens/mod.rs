//! Refresh tokens of another system (Django's SimpleJWT), each exchanged for a session once.
//!
//! A token stands for a login in the other system, so its exchange goes on with that login: it asks for no second
//! factor, as a refresh does not, and `auth_time` stays that of the old login. It is not a new way in: `refresh`
//! accepts only tokens from before the other system stopped issuing them, where the operator says so
//! ([`ForeignTokenSettings`]).

mod settings;
mod verified;

pub use settings::ForeignTokenSettings;
pub(in crate::auth) use verified::{ForeignTokenProof, VerifiedForeignToken};
