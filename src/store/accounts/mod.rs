//! User accounts.

pub(super) mod activation;
pub(super) mod create;
mod lookup;
