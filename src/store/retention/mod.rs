//! Deletion of expired rows and of outdated client metadata, in batches.

mod batch_size;
pub(super) mod client_metadata;
pub(super) mod purge;
mod unproved;
