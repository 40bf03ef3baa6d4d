//! `sallyport backup`: a copy of a SQLite database, also of one that a server uses.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::opening::{check_exists, log_for_people};
use super::table::print;
use crate::app;
use crate::config::{Config, DatabaseArguments, SecretArguments};
use crate::store::BackupError;

#[derive(Args)]
pub(super) struct BackupArguments {
    /// The file to make; it must not be there yet
    file: PathBuf,
    /// Also copy the master secret, into a file of this name with .secret behind it
    #[arg(long)]
    with_secret: bool,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    secret: SecretArguments,
}

pub(super) async fn run(arguments: BackupArguments) -> Result<()> {
    let BackupArguments { file, with_secret, database, secret } = arguments;
    // Before the secret is demanded, which PostgreSQL needs and a copy does not.
    if database.database_url.path().is_none() {
        return Err(BackupError::Postgres.into());
    }
    let config = log_for_people(Config::of_key_command(database, secret)?);
    check_exists(&config)?;
    let secret = with_secret.then(|| file.with_added_extension("secret"));
    app::back_up(&config, &file, secret.as_deref()).await?;
    let mut said = format!("the database is copied to {}\n", file.display());
    if let Some(secret) = secret {
        let _ = writeln!(said, "the master secret is copied to {}", secret.display());
    }
    print(&said)
}
