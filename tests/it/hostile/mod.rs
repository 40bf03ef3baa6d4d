//! Malicious input: documents, requests and values, and secrets in wrong places.

#![expect(clippy::format_collect, reason = "these texts are short, and read better so")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod arguments;
mod corpus;
mod documents;
mod log_injection;
mod long_responses;
mod requests;
mod secret_leaks;
mod sockets;
mod values;
