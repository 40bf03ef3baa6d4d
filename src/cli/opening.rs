//! Log and database of commands other than `serve`.

use anyhow::{Result, bail};

use crate::app::{self, Components};
use crate::config::{Config, DatabaseArguments, LogFormat, SecretArguments, Sources};
use crate::telemetry::{self, Format};

/// Starts the log, pretty by default: the output of commands is for people, too.
pub(super) fn log_for_people(config: Config) -> Config {
    telemetry::start(Some(config.log_format.map_or(Format::Pretty, log_format)));
    config
}

/// Opens the database, and creates it if it does not exist.
pub(super) async fn open(config: Config) -> Result<Components> {
    Ok(app::open_without_keys(&log_for_people(config)).await?)
}

/// Opens the database for a command that reads or changes its contents. Creating an empty database would
/// hide that the directory is wrong.
pub(super) async fn open_existing(config: Config) -> Result<Components> {
    check_exists(&config)?;
    open(config).await
}

/// Opens the database and the master secret, for a command that uses keys derived from it.
pub(super) async fn open_with_secret(
    database: DatabaseArguments,
    secret: SecretArguments,
    sources: &Sources,
) -> Result<Components> {
    let config = log_for_people(Config::of_key_command(database, secret, sources)?);
    check_exists(&config)?;
    Ok(app::open_for_keys(&config).await?)
}

/// As [`open_with_secret`], for a command that shows the texts of mails.
pub(super) async fn open_for_emails(
    database: DatabaseArguments,
    secret: SecretArguments,
    sources: &Sources,
) -> Result<Components> {
    let config = log_for_people(Config::of_key_command(database, secret, sources)?);
    check_exists(&config)?;
    Ok(app::open_for_emails(&config).await?)
}

pub(super) fn check_exists(config: &Config) -> Result<()> {
    match config.database.path() {
        Some(path) if !path.exists() => bail!(
            "the database {} does not exist; start sallyport first, or check --database-url",
            path.display()
        ),
        _ => Ok(()),
    }
}

pub(super) fn log_format(format: LogFormat) -> Format {
    match format {
        LogFormat::Pretty => Format::Pretty,
        LogFormat::Json => Format::Json,
    }
}
