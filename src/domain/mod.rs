//! Domain: users, sessions, blacklist entries, audit events, and the decisions about them.
//!
//! Pure values and functions. Nothing here does I/O, is async, or knows a database, a token format or
//! GraphQL. A function that depends on the time takes `now`. Text from outside becomes a value only through
//! a `parse` that can refuse it.

pub mod assurance;
pub mod audit;
pub mod authentication;
pub mod blacklist;
pub mod challenge;
pub mod external_account;
pub mod filter;
pub mod foreign_token;
pub mod id;
pub mod import;
pub mod key_life;
pub mod locale;
pub mod login_name;
pub mod mail;
pub mod mail_limit;
mod name_comparison;
pub mod origin;
pub mod pagination;
pub mod passkey;
pub mod password;
pub mod refresh_decision;
pub mod role_names;
pub mod second_factor;
pub mod session;
pub mod simplejwt_settings;
pub mod throttle;
pub mod typed_password;
pub mod unprintable;
pub mod user;
pub mod user_claims;
mod username;
mod words;

pub(crate) use words::words;
