//! `sallyport recover`: recovery after a restored database.

use anyhow::{Result, bail};
use clap::Args;

use super::opening::{check_exists, log_for_people};
use super::table::{count, print};
use crate::app::{self, Recovery};
use crate::auth::Error;
use crate::config::{Config, DatabaseArguments, SecretArguments};

#[derive(Args)]
pub(super) struct RecoverArguments {
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    secret: SecretArguments,
}

pub(super) async fn run(arguments: RecoverArguments) -> Result<()> {
    let RecoverArguments { dry_run, database, secret } = arguments;
    let config = log_for_people(Config::of_key_command(database, secret)?);
    check_exists(&config)?;
    let components = app::open_for_keys(&config).await?;
    if dry_run {
        let Recovery { kid, sessions } = components.preview_recovery().await?;
        let key = match kid {
            Some(kid) => format!("the signing key {kid} would be replaced at once"),
            None => "there is no signing key to replace".to_owned(),
        };
        return print(&format!("{key}\n{} would be ended\n", count(sessions, "session")));
    }
    let Recovery { kid, sessions } = match components.recover(&config).await {
        Ok(recovery) => recovery,
        Err(Error::Refused(refusal)) => bail!("{refusal} Then run sallyport recover again."),
        Err(error) => return Err(error.into()),
    };
    let key = match kid {
        Some(kid) => format!(
            "{kid} signs, and all other keys are removed: access tokens issued before are refused"
        ),
        None => "there was no signing key to replace".to_owned(),
    };
    print(&format!(
        "{key}\n{} ended: everybody logs in again\nwhat was changed since the copy was made is not in \
         it: look at accounts, passwords and deactivations of that time\n",
        count(sessions, "session")
    ))
}
