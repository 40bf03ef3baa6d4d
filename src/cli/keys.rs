//! `sallyport keys`: list and rotate the signing keys of access tokens.

use anyhow::{Result, bail};
use clap::Subcommand;

use super::opening::{check_exists, log_for_people, open_with_secret};
use super::table::{Cell, Output, Table, print};
use crate::app::{self, Components};
use crate::auth::{Admin, Error, KeyRotation};
use crate::config::{self, Config, DatabaseArguments, SecretArguments, Sources};
use crate::crypto::algorithm::SigningAlgorithm;
use crate::domain::origin::Origin;
use crate::telemetry;

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// List the signing keys, and check that the master secret decrypts them
    List {
        #[command(flatten)]
        output: Output,
        #[command(flatten)]
        database: DatabaseArguments,
        #[command(flatten)]
        secret: SecretArguments,
    },
    /// Replace the signing key by a new key; running servers switch over, and all sessions stay valid
    Rotate {
        /// Sign with the new key at once and refuse access tokens of all other keys, after a key was
        /// compromised; clients have to refresh
        #[arg(long)]
        immediately: bool,
        /// Signature algorithm of the new key: `ES256`, `EdDSA` or `RS256` [default: that of the
        /// previous key]
        #[arg(long, value_name = "NAME", value_parser = config::algorithm)]
        algorithm: Option<SigningAlgorithm>,
        #[command(flatten)]
        database: DatabaseArguments,
        #[command(flatten)]
        secret: SecretArguments,
    },
    /// Print the keys of refresh tokens in base64url, for a Django site that accepts these tokens after a move
    /// back; secret
    ExportRefresh {
        #[command(flatten)]
        database: DatabaseArguments,
        #[command(flatten)]
        secret: SecretArguments,
    },
}

/// Said with the keys, since nobody else may have them.
const EXPORTED: &str = "These keys make refresh tokens of every session. Give them only to the site \
                        that accepts the tokens after a move back, and replace the master secret when it does not \
                        need them any more.";

pub(super) async fn run(command: KeysCommand, sources: &Sources) -> Result<()> {
    match command {
        KeysCommand::List { output, database, secret } => {
            list(&open_with_secret(database, secret, sources).await?, output).await
        }
        KeysCommand::ExportRefresh { database, secret } => {
            let config = log_for_people(Config::of_key_command(database, secret, sources)?);
            check_exists(&config)?;
            for key in app::export_refresh_keys(&config).await? {
                print(&format!("{}\n", *key))?;
            }
            telemetry::say(EXPORTED);
            Ok(())
        }
        KeysCommand::Rotate { immediately, algorithm, database, secret } => {
            let components = open_with_secret(database, secret, sources).await?;
            let algorithm = algorithm.map(SigningAlgorithm::as_str);
            rotate(&components, KeyRotation { algorithm, immediately }).await
        }
    }
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
            "Created signing key {kid} ({algorithm}) and removed all other keys: running servers refuse \
             their tokens within seconds, and clients have to refresh.\n"
        ));
    }
    let from = key.activates_at;
    print(&format!(
        "Created signing key {kid} ({algorithm}): it is published now and signs from {from:.0}.\n"
    ))
}
