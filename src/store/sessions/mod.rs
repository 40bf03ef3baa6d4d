//! Operations on single sessions: login, refresh, rename, lookup.

mod by_id;
pub(super) mod known_token;
pub(super) mod open;
pub(super) mod reissue;
pub(super) mod repeated_refresh;
mod rotate;
mod session_limit;
