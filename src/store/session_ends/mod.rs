//! The end of sessions, and the feed by which every process learns of it.

pub(super) mod end_all;
pub(super) mod end_batches;
pub(super) mod end_foreign_tokens;
pub(super) mod end_order;
pub(super) mod end_rows;
mod end_sessions;
mod ended_below;
pub(super) mod ended_session;
pub(super) mod ends_after;
pub(super) mod feed;
mod feed_backfill;
pub(super) mod feed_cursor;
pub(super) mod floor;
mod foreign_ends;
mod recent_ends;
