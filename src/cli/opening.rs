//! Log and database of commands other than `serve`.

use anyhow::{Result, bail};

use crate::app::{self, Components};
use crate::config::{Config, LogFormat};
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
