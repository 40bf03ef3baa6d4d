//! Revoked sessions in memory: the guard asks here instead of the database.
//!
//! Owns the set of ended sessions that an access token could still be valid for, the floors that stand
//! for very many of them, and the reader of the database's feed that keeps both fresh. The set answers
//! "ended" or "not ended" only while it is known to be fresh. Once the last complete read is older than
//! the allowed staleness, a logout on another replica may be missing, so "not ended" becomes an error
//! and the caller answers that the service is unavailable.

mod clock_lower_bound;
mod feed_sync;
mod floors;
mod notifier;
mod revocations;

pub use feed_sync::{KeyListener, RevocationSync};
pub use notifier::EndWatcher;
pub use revocations::{Revocations, Stale};
