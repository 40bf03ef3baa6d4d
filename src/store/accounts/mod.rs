//! User accounts.

pub(super) mod activation;
pub(super) mod create;
pub(super) mod delete;
mod lookup;
mod names;
pub(super) mod rename;
pub(super) mod update;
