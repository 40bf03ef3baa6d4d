//! `sallyport purge`: deletion of expired rows.

use anyhow::Result;
use clap::Args;

use super::opening::open_existing;
use super::table::{count, print};
use crate::config::{Config, DatabaseArguments, RetentionArguments};
use crate::store::{Durability, Purged};

#[derive(Args)]
pub(super) struct PurgeArguments {
    /// Only say how much has expired
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    retention: RetentionArguments,
}

pub(super) async fn run(arguments: PurgeArguments) -> Result<()> {
    let mut config = Config::of_command(arguments.database)?;
    config.policy.audit_retention = arguments.retention.audit();
    config.policy.metadata_retention = arguments.retention.metadata();
    // After a power cut deleted rows may be back: the next purge deletes them again.
    config.connections.durability = Durability::Normal;
    let components = open_existing(config).await?;
    let (word, counts) = if arguments.dry_run {
        ("expired", components.auth.system.expired().await?)
    } else {
        ("deleted", components.auth.system.purge().await?)
    };
    let Purged {
        blacklist_entries,
        sessions,
        session_ends,
        audit_events,
        signing_keys,
        login_failures,
        metadata,
    } = counts;
    print(&format!(
        "{word}: {blacklist_entries} blacklist entries, {}, {session_ends} notes that a session \
         ended, {}, {}, {}, addresses and clients in {}\n",
        count(sessions, "session"),
        count(audit_events, "audit event"),
        count(signing_keys, "retired signing key"),
        count(login_failures, "count") + " of wrong passwords",
        count(metadata, "row"),
    ))
}
