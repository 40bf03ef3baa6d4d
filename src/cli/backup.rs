//! `sallyport backup`: copy of a SQLite database, even while a server uses it.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::opening::{check_exists, log_for_people};
use super::table::print;
use crate::app;
use crate::config::{Config, DatabaseArguments, SecretArguments, Sources};
use crate::store::BackupError;

#[derive(Args)]
pub(super) struct BackupArguments {
    /// File to create; it must not exist yet
    file: PathBuf,
    /// Also copy the master secret, into a second file named FILE.secret
    #[arg(long)]
    with_secret: bool,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    secret: SecretArguments,
}

pub(super) async fn run(arguments: BackupArguments, sources: &Sources) -> Result<()> {
    let BackupArguments { file, with_secret, database, secret } = arguments;
    // Before the check of the secret, which PostgreSQL requires and a copy does not.
    if database.database_url.path().is_none() {
        return Err(BackupError::Postgres.into());
    }
    let config = log_for_people(Config::of_key_command(database, secret, sources)?);
    check_exists(&config)?;
    let secret = with_secret.then(|| file.with_added_extension("secret"));
    app::back_up(&config, &file, secret.as_deref()).await?;
    let mut said = format!("Copied the database to {}.\n", file.display());
    if let Some(secret) = secret {
        let _ = writeln!(said, "Copied the master secret to {}.", secret.display());
    }
    print(&said)
}
