//! `sallyport purge`: deletion of expired rows.

use anyhow::Result;
use clap::Args;

use super::opening::open_existing;
use super::table::{count, counted, print};
use crate::config::{Config, DatabaseArguments, RetentionArguments, Sources};
use crate::store::{Durability, Purged};

#[derive(Args)]
pub(super) struct PurgeArguments {
    /// Print the number of expired rows and delete nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    retention: RetentionArguments,
}

pub(super) async fn run(arguments: PurgeArguments, sources: &Sources) -> Result<()> {
    let mut config = Config::of_command(arguments.database, sources)?;
    config.policy.audit_retention = arguments.retention.audit();
    config.policy.metadata_retention = arguments.retention.metadata();
    // After a power cut deleted rows may be back: the next purge deletes them again.
    config.connections.durability = Durability::Normal;
    let components = open_existing(config).await?;
    let (word, counts) = if arguments.dry_run {
        ("Expired", components.auth.system.expired().await?)
    } else {
        ("Deleted", components.auth.system.purge().await?)
    };
    let Purged {
        blacklist_entries,
        sessions,
        session_ends,
        audit_events,
        signing_keys,
        login_failures,
        names,
        challenges,
        trusted_devices,
        foreign_tokens,
        mails,
        mail_limits,
        metadata,
    } = counts;
    print(&format!(
        "{word}: {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, IP addresses and user agents of {}.\n",
        counted(blacklist_entries, "blacklist entry", "blacklist entries"),
        count(sessions, "session"),
        count(session_ends, "session end"),
        count(audit_events, "audit event"),
        count(signing_keys, "retired signing key"),
        count(login_failures, "login failure counter"),
        count(names, "reserved name"),
        count(challenges, "challenge"),
        count(trusted_devices, "trusted device"),
        count(foreign_tokens, "token of another system"),
        count(mails, "e-mail"),
        count(mail_limits, "e-mail counter"),
        count(metadata, "row"),
    ))
}
