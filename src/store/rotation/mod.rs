//! Rotation of refresh tokens: one compare-and-swap on the session's row, alone or in batches.

pub(super) mod batch;
pub(super) mod refresh_limit;
pub(super) mod refreshed;
pub(super) mod statement;
