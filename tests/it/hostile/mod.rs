//! What is sent by those who mean harm: documents, requests, values and secrets in wrong places.

#![expect(clippy::format_collect, reason = "these texts are short, and read better so")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod arguments;
mod canaries;
mod corpus;
mod documents;
mod log_lines;
mod requests;
mod sockets;
mod values;
