//! Flags about the database: its URL and the connections to it.

use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use clap::{Arg, Args, Command, ValueEnum};

use super::error::ConfigError;
use super::flag_value::error_without_value;
use crate::store::{ConnectionOptions, DatabaseUrl, DatabaseUrlError, Pooler};

/// Flags about the database.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArguments {
    // No doc comment, in which rustdoc would make links of the URLs.
    #[arg(
        long,
        help = "URL of the database: sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME",
        env = "SALLYPORT_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        default_value = "sqlite://sallyport.db",
        value_parser = DatabaseUrlParser
    )]
    pub database_url: DatabaseUrl,

    #[command(flatten)]
    pub connections: ConnectionArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PoolerKind {
    None,
    Transaction,
}

/// Flags about connections to PostgreSQL.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Database")]
pub struct ConnectionArguments {
    /// Maximum number of connections to PostgreSQL per process, 1 to 1000; each process opens one
    /// more for the feed of ended sessions
    #[arg(
        long = "database-connections",
        env = "SALLYPORT_DATABASE_CONNECTIONS",
        value_name = "COUNT",
        default_value = "16",
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    most: u32,

    /// Connection pooler in front of PostgreSQL: `transaction` for a pooler that assigns a connection
    /// per transaction, such as PgBouncer with `pool_mode=transaction`
    #[arg(
        long = "database-pooler",
        env = "SALLYPORT_DATABASE_POOLER",
        value_enum,
        value_name = "none|transaction",
        hide_possible_values = true,
        default_value = "none"
    )]
    pooler: PoolerKind,

    /// URL of PostgreSQL that bypasses the pooler, for the feed of ended sessions: directly connected,
    /// the feed is notified immediately; behind a pooler, the database is polled every second
    #[arg(
        long = "database-direct-url",
        env = "SALLYPORT_DATABASE_DIRECT_URL",
        hide_env_values = true,
        value_name = "URL",
        value_parser = DatabaseUrlParser
    )]
    direct_url: Option<DatabaseUrl>,
}

impl DatabaseArguments {
    pub(super) fn connections(&self) -> Result<ConnectionOptions, ConfigError> {
        let ConnectionArguments { most, pooler, direct_url: direct } = self.connections.clone();
        let is_sqlite = |url: &DatabaseUrl| url.path().is_some();
        if direct.as_ref().is_some_and(|url| is_sqlite(url) || is_sqlite(&self.database_url)) {
            const MESSAGE: &str = "--database-direct-url must be a postgres:// URL of the same \
                                   database as --database-url";
            return Err(ConfigError(MESSAGE.into()));
        }
        let pooler = match pooler {
            PoolerKind::None => Pooler::None,
            PoolerKind::Transaction => Pooler::Transaction,
        };
        Ok(ConnectionOptions { max: most, pooler, direct, ..ConnectionOptions::default() })
    }
}

/// Parser of database URLs. Its errors do not repeat the value, as clap's own would: it may hold a
/// password.
#[derive(Clone)]
pub(super) struct DatabaseUrlParser;

impl TypedValueParser for DatabaseUrlParser {
    type Value = DatabaseUrl;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<DatabaseUrl, clap::Error> {
        let text = value.to_str().ok_or(DatabaseUrlError::Scheme);
        text.and_then(str::parse).map_err(|error| error_without_value(command, argument, &error))
    }
}
