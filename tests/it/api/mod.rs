//! The service as its clients see it: documents in, JSON out.

#![expect(clippy::items_after_statements, reason = "a document stands where it is sent")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod audit;
mod documents;
mod emergency;
mod federation;
mod flood;
mod guard;
mod guessing;
mod keys;
mod lists;
mod login;
mod logout;
mod metrics;
mod model;
mod nulls;
mod pairs;
mod races;
mod readiness;
mod refresh;
mod restored;
mod root_fields;
mod secrets;
mod selections;
pub mod service;
mod shown;
mod thief;
mod very_many;
