//! Operations on single sessions: login, refresh, rename, lookup.

pub(super) mod begin_step;
mod by_id;
pub(super) mod grounds;
pub(super) mod known_token;
mod latest_origins;
pub(super) mod live;
pub(super) mod open;
pub(super) mod reauthenticate;
pub(super) mod refresh_retry;
pub(super) mod reissue;
mod rotate;
mod session_limit;
