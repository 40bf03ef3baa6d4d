//! The service as its clients use it: GraphQL documents in, JSON out.

#![expect(clippy::items_after_statements, reason = "a document stands where it is sent")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod account_data;
mod accounts;
mod attempt_limits;
mod audit;
mod compromised_signing_key;
mod concurrent_requests;
pub mod email;
mod error_nulls;
mod federation;
mod foreign_passwords;
pub mod foreign_tokens;
mod guard;
mod imports;
mod keys;
mod lists;
mod login;
mod login_flood;
mod logout;
mod mass_session_end;
mod master_secret_rotation;
mod metrics;
mod newer_words;
pub mod passkeys;
mod persisted_documents;
mod readiness;
mod reauthentication;
mod refresh;
mod refresh_model;
mod restored_database;
mod root_fields;
pub mod second_factors;
mod selections;
pub mod service;
mod stolen_refresh_token;
mod token_pairs;
mod user_changes;
mod visibility;
