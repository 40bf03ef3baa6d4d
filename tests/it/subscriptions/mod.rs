//! Subscriptions as their clients see them: over real sockets, and as event streams.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

pub mod client;
mod ends;
pub mod event_streams;
mod protocol;
mod room;
