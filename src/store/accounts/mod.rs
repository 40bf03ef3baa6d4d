//! User accounts.

pub(super) mod activation;
mod by_id;
pub(super) mod create;
