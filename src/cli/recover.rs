//! `sallyport recover`: recovery after a restored database.

use anyhow::{Result, bail};
use clap::Args;

use super::opening::{check_exists, log_for_people};
use super::table::{count, print};
use crate::app::{self, Recovery};
use crate::auth::Error;
use crate::config::{Config, DatabaseArguments, SecretArguments, Sources};

#[derive(Args)]
pub(super) struct RecoverArguments {
    /// Print the consequences and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    secret: SecretArguments,
}

pub(super) async fn run(arguments: RecoverArguments, sources: &Sources) -> Result<()> {
    let RecoverArguments { dry_run, database, secret } = arguments;
    let config = log_for_people(Config::of_key_command(database, secret, sources)?);
    check_exists(&config)?;
    let components = app::open_for_keys(&config).await?;
    if dry_run {
        let Recovery { kid, sessions } = components.preview_recovery().await?;
        let key = match kid {
            Some(kid) => format!("The signing key {kid} would be replaced immediately."),
            None => "The database has no signing key to replace.".to_owned(),
        };
        return print(&format!("{key}\n{} would be ended.\n", count(sessions, "session")));
    }
    let Recovery { kid, sessions } = match components.recover(&config).await {
        Ok(recovery) => recovery,
        Err(Error::Refused(refusal)) => bail!("{refusal} Then run sallyport recover again."),
        Err(error) => return Err(error.into()),
    };
    let key = match kid {
        Some(kid) => format!(
            "Replaced the signing key by {kid} and removed all other keys: access tokens issued before are \
             invalid."
        ),
        None => "The database had no signing key to replace.".to_owned(),
    };
    print(&format!(
        "{key}\nEnded {}: all users must log in again.\nThe restored copy lacks all later changes: \
         check accounts, passwords and deactivations.\n",
        count(sessions, "session")
    ))
}
