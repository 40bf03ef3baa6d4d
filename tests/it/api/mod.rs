//! The service as its clients see it: documents in, JSON out.

#![expect(clippy::items_after_statements, reason = "a document stands where it is sent")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod audit;
mod documents;
mod emergency;
mod federation;
mod guard;
mod guessing;
mod keys;
mod lists;
mod login;
mod login_flood;
mod logout;
mod mass_session_end;
mod metrics;
mod model;
mod newer_words;
mod nulls;
mod races;
mod readiness;
mod refresh;
mod restored_database;
mod root_fields;
mod secrets;
mod selections;
pub mod service;
mod stolen_refresh_token;
mod token_pairs;
mod visibility;
