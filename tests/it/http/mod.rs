//! HTTP around GraphQL: connections, headers, cookies and client addresses.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

pub mod browser;
mod client_address;
mod cookies;
mod cors;
mod csrf;
mod http2_client;
mod raw_client;
mod refused_responses;
mod response_headers;
mod server;
mod unread_responses;
mod well_known;
