//! Reads: lists, counts and objects, narrowed to what the reader may see.

mod lists;
mod user_cache;

pub use lists::Reads;
pub(super) use user_cache::UserCache;
