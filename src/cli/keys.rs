//! `sallyport keys`: list and rotate the signing keys of access tokens.

use anyhow::{Result, bail};
use clap::Subcommand;

use super::opening::{check_exists, log_for_people};
use super::table::{Cell, Output, Table, print};
use crate::app::{self, Components};
use crate::auth::{Admin, Error, KeyRotation};
use crate::config::{self, Config, DatabaseArguments, SecretArguments};
use crate::crypto::algorithm::SigningAlgorithm;
use crate::domain::origin::Origin;

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// List the keys, and see whether the secret opens them
    List {
        #[command(flatten)]
        output: Output,
        #[command(flatten)]
        database: DatabaseArguments,
        #[command(flatten)]
        secret: SecretArguments,
    },
    /// Put a new key in the place of the one that signs; running servers follow, nobody is logged out
    Rotate {
        /// An emergency: the new key signs at once, and access tokens of all others are refused;
        /// clients refresh
        #[arg(long)]
        immediately: bool,
        /// What the new key signs with: `ES256`, `EdDSA` or `RS256` [default: as the one before it]
        #[arg(long, value_name = "NAME", value_parser = config::algorithm)]
        algorithm: Option<SigningAlgorithm>,
        #[command(flatten)]
        database: DatabaseArguments,
        #[command(flatten)]
        secret: SecretArguments,
    },
}

pub(super) async fn run(command: KeysCommand) -> Result<()> {
    match command {
        KeysCommand::List { output, database, secret } => {
            list(&open(database, secret).await?, output).await
        }
        KeysCommand::Rotate { immediately, algorithm, database, secret } => {
            let components = open(database, secret).await?;
            let algorithm = algorithm.map(SigningAlgorithm::as_str);
            rotate(&components, KeyRotation { algorithm, immediately }).await
        }
    }
}

async fn open(database: DatabaseArguments, secret: SecretArguments) -> Result<Components> {
    let config = log_for_people(Config::of_key_command(database, secret)?);
    check_exists(&config)?;
    Ok(app::open_for_keys(&config).await?)
}

async fn list(components: &Components, output: Output) -> Result<()> {
    const HEADINGS: &[&str] =
        &["kid", "algorithm", "state", "created", "activates", "retire_safe_at"];
    let mut table = Table::new(HEADINGS);
    for key in components.auth.keys.list(Admin::operator()).await? {
        table.push(vec![
            Cell::text(key.kid),
            Cell::text(key.algorithm.as_str()),
            Cell::text(key.state.as_str()),
            Cell::Time(key.created_at),
            Cell::Time(key.activates_at),
            key.retire_safe_at.map_or(Cell::Nothing, Cell::Time),
        ]);
    }
    table.print(output)
}

async fn rotate(components: &Components, rotation: KeyRotation<'_>) -> Result<()> {
    let rotated = components.auth.keys.rotate(Admin::operator(), rotation, Origin::default()).await;
    let key = match rotated {
        Ok(key) => key,
        Err(Error::Refused(refusal)) => bail!("{refusal} See sallyport keys list."),
        Err(error) => return Err(error.into()),
    };
    let (kid, algorithm) = (key.kid, key.algorithm.as_str());
    if rotation.immediately {
        return print(&format!(
            "{kid} ({algorithm}) signs, and all other keys are removed: running servers refuse their \
             tokens within seconds, and clients refresh\n"
        ));
    }
    let from = key.activates_at;
    print(&format!("{kid} ({algorithm}) is published, and signs from {from:.0} on\n"))
}
