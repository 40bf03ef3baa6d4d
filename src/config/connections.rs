//! The flags that say how a process connects to PostgreSQL.

use clap::{Args, ValueEnum};

use super::ConfigError;
use super::database::Unrepeated;
use crate::store::{ConnectionOptions, DatabaseUrl, Pooler};

/// What stands between the service and PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PoolerKind {
    /// Nothing.
    None,
    /// A pooler that lends a connection for a transaction.
    Transaction,
}

/// How a process connects to PostgreSQL.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Database")]
pub struct ConnectionArguments {
    /// The most connections to PostgreSQL; each process has one more, for its feed of ended sessions
    #[arg(
        long = "database-connections",
        env = "SALLYPORT_DATABASE_CONNECTIONS",
        value_name = "COUNT",
        default_value = "16",
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    most: u32,

    /// What stands before PostgreSQL: `transaction` is a pooler that lends a connection for a
    /// transaction, such as pgbouncer with that as its `pool_mode`
    #[arg(
        long = "database-pooler",
        env = "SALLYPORT_DATABASE_POOLER",
        value_enum,
        value_name = "none|transaction",
        hide_possible_values = true,
        default_value = "none"
    )]
    pooler: PoolerKind,

    /// PostgreSQL itself, past the pooler, for the feed of ended sessions: there it is woken at once,
    /// behind a pooler it asks every second
    #[arg(
        long = "database-direct-url",
        env = "SALLYPORT_DATABASE_DIRECT_URL",
        hide_env_values = true,
        value_name = "URL",
        value_parser = Unrepeated
    )]
    direct_url: Option<DatabaseUrl>,
}

impl ConnectionArguments {
    /// How to connect to this database.
    pub(super) fn to(&self, database: &DatabaseUrl) -> Result<ConnectionOptions, ConfigError> {
        let direct = self.direct_url.clone();
        if direct
            .as_ref()
            .is_some_and(|direct| direct.path().is_some() || database.path().is_some())
        {
            const MESSAGE: &str = "--database-direct-url is for postgres:// URLs, and names the same \
                                   database as --database-url";
            return Err(ConfigError(MESSAGE.into()));
        }
        let pooler = match self.pooler {
            PoolerKind::None => Pooler::None,
            PoolerKind::Transaction => Pooler::Transaction,
        };
        Ok(ConnectionOptions { max: self.most, pooler, direct, ..ConnectionOptions::default() })
    }
}
