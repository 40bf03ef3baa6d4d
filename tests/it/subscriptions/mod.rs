//! Subscriptions from the view of a client, over WebSocket and as event streams.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

pub mod client;
pub mod event_streams;
mod protocol;
mod quotas;
mod session_ends;
