//! Reads: lists, counts and objects, narrowed to what the reader may see.

mod narrowed_reads;
mod user_cache;

pub use narrowed_reads::Reads;
pub(super) use user_cache::UserCache;
