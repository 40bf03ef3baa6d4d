//! [`Challenges`]: the state that all its use cases share.

use std::sync::Arc;

use crate::auth::passwords::Passwords;
use crate::clock::Clock;
use crate::crypto::one_time_code::CodeKeys;
use crate::store::Store;

/// Challenges of clients.
pub struct Challenges {
    pub(in crate::auth) store: Arc<Store>,
    pub(in crate::auth) codes: CodeKeys,
    /// For the limits on guessing.
    pub(in crate::auth) passwords: Arc<Passwords>,
    pub(in crate::auth) clock: Arc<dyn Clock>,
}
