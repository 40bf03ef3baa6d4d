//! The SMTP client against a server whose replies the test chooses, and the delivery from the outbox.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod delivery;
mod failures;
mod hostile_servers;
mod mails;
mod outbox;
mod outbox_failures;
mod relay;
pub mod server;
mod setup;
