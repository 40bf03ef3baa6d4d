//! The flags that commands share with `serve`: where the database is, and what opens its keys.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Args, Command};

use super::connections::ConnectionArguments;
use super::values::Lifetime;
use super::{Secret, SecretSource};
use crate::store::{DatabaseUrl, DatabaseUrlError};

/// Where the database is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArguments {
    /// Its address.
    // Apart from the sentence above, which rustdoc would want to make a link of.
    #[arg(
        long,
        help = "sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME",
        env = "SALLYPORT_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        default_value = "sqlite://sallyport.db",
        value_parser = Unrepeated
    )]
    pub database_url: DatabaseUrl,

    #[command(flatten)]
    pub connections: ConnectionArguments,
}

/// Where the master secret is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Database")]
pub struct SecretArguments {
    /// The master secret, 32 bytes or more, the same for every replica. While it is being replaced
    /// the older one follows after a comma. PostgreSQL needs this or the next
    // A secret in base64url may start like a flag.
    #[arg(
        long,
        env = "SALLYPORT_SECRET",
        hide_env_values = true,
        value_name = "SECRET",
        allow_hyphen_values = true
    )]
    pub secret: Option<Secret>,

    /// A file that holds it [default with SQLite: the database's path and .secret, made where it is
    /// not there]
    #[arg(long, env = "SALLYPORT_SECRET_FILE", value_name = "PATH", conflicts_with = "secret")]
    pub secret_file: Option<PathBuf>,
}

/// How long what happened is remembered.
#[derive(Args, Clone, Debug)]
pub struct RetentionArguments {
    /// How long audit events are kept
    #[arg(
        long,
        env = "SALLYPORT_AUDIT_RETENTION",
        value_name = "TIME",
        default_value = "90d",
        help_heading = "Sessions"
    )]
    audit_retention: Lifetime,

    /// How long addresses and user agents are kept: in audit events and blacklist entries, and in
    /// sessions since their last use
    #[arg(
        long,
        env = "SALLYPORT_METADATA_RETENTION",
        value_name = "TIME",
        default_value = "90d",
        help_heading = "Sessions"
    )]
    metadata_retention: Lifetime,
}

impl RetentionArguments {
    /// How long audit events are kept.
    #[must_use]
    pub fn audit(&self) -> Duration {
        self.audit_retention.0
    }

    /// How long addresses and user agents are kept.
    #[must_use]
    pub fn metadata(&self) -> Duration {
        self.metadata_retention.0
    }
}

impl SecretArguments {
    /// Where the secret of this database is.
    pub(super) fn source(self, database: &DatabaseUrl) -> SecretSource {
        match (self.secret, self.secret_file, database.path()) {
            (Some(secret), _, _) => SecretSource::Given(secret),
            (None, Some(path), _) => SecretSource::File(path),
            (None, None, Some(database)) => {
                SecretSource::Made(database.with_added_extension("secret"))
            }
            (None, None, None) => SecretSource::Missing,
        }
    }
}

/// Reads a database URL. What cannot be read is not repeated, as other values are: it may hold a
/// password.
#[derive(Clone)]
pub(super) struct Unrepeated;

impl TypedValueParser for Unrepeated {
    type Value = DatabaseUrl;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<DatabaseUrl, clap::Error> {
        let text = value.to_str().ok_or(DatabaseUrlError::Scheme);
        text.and_then(str::parse).map_err(|error| {
            let flag = argument.map(ToString::to_string).unwrap_or_default();
            let message = format!("invalid value for '{flag}': {error}\n");
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })
    }
}
