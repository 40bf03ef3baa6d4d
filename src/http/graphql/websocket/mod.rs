//! Subscriptions over WebSocket, by the protocol `graphql-transport-ws` of the library graphql-ws.
//!
//! The loop of async-graphql-axum is not used: it accepts any origin and an older protocol, has no
//! timeouts, and closes with codes at which clients give up although they should reconnect.

mod close_reason;
mod message;
mod socket;
mod upgrade;

pub(super) use upgrade::{is_requested, open};
