//! SQLite and PostgreSQL behind one type: [`Database`](database::Database).

#[macro_use]
mod dialects;
pub(super) mod backup;
pub(super) mod connection_options;
pub(super) mod database;
pub(super) mod database_url;
#[cfg(test)]
mod database_url_tests;
pub(super) mod lease;
pub(super) mod metered;
pub(super) mod migrations;
pub(super) mod notify;
mod percent_encoding;
pub(super) mod pool_usage;
pub(super) mod postgres;
mod postgres_url;
pub(super) mod postgres_url_error;
pub(super) mod server_selection;
pub(super) mod session_defaults;
pub(super) mod sqlite;
mod url_parameters;
mod url_servers;
