//! Every byte before and after GraphQL: connections, headers, cookies, addresses.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod addresses;
mod browser;
mod cookies;
mod cross_origin;
mod forgery;
mod h2;
mod headers;
mod refused_answers;
mod server;
mod unread;
mod wire;
