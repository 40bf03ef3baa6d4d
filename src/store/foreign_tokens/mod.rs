//! Refresh tokens of other systems: what is known of one, its exchange for a session, and its end.

pub(super) mod exchange;
pub(super) mod known;
mod refuse;
