//! Sallyport: log in, refresh and log out for GraphQL teams, with sessions that end at once.
//!
//! The house is built from the bottom up, and imports point one way only (a test holds it):
//!
//! - [`clock`] and [`entropy`]: time and randomness, as arguments;
//! - [`bounded_cache`]: the least-recently-used cache behind every cache of the service;
//! - [`redacted`]: `Debug` for types that hold secrets;
//! - [`domain`]: users, sessions, blacklist entries; pure values and decisions, no I/O;
//! - [`crypto`]: passwords, the master secret, signing keys and both kinds of token;
//! - [`metrics`]: what the service counts of itself;
//! - [`store`]: SQLite and PostgreSQL, the only SQL;
//! - [`revocation`]: the sessions that have ended, in memory, and the feed that keeps it fresh;
//! - [`auth`]: every rule about who is logged in and who may do what;
//! - [`graphql`]: the schema, and what a document may cost;
//! - [`http`]: the routes, and GraphQL over HTTP;
//! - [`config`], [`telemetry`]: flags, variables and the log;
//! - [`app`]: all of it put together, and served;
//! - [`cli`]: the commands.

pub mod app;
pub mod auth;
pub mod bounded_cache;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod entropy;
pub mod graphql;
pub mod http;
pub mod metrics;
pub mod redacted;
pub mod revocation;
pub mod store;
pub mod telemetry;
