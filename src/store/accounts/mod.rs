//! User accounts.

pub(super) mod activation;
pub(super) mod create;
pub(super) mod delete;
mod lookup;
pub(super) mod names;
pub(super) mod rename;
pub(super) mod update;
