//! `sallyport user`: correct, unlock and delete users.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Result, bail};
use clap::{Subcommand, ValueEnum};

use super::opening::{open_existing, open_with_secret};
use super::table::{count, print};
use super::user_lookup::find;
use crate::app::Components;
use crate::auth::{Admin, UserChanges};
use crate::config::{Config, DatabaseArguments, SecretArguments, Sources};
use crate::domain::origin::Origin;
use crate::domain::user::{Role, User};

#[derive(Subcommand)]
pub(super) enum UserChangeCommand {
    /// Change the username of a user
    Rename {
        /// Username or e-mail address
        name: String,
        /// New username
        new: String,
        #[command(flatten)]
        database: DatabaseArguments,
    },
    /// Change the e-mail address of a user
    SetEmail {
        /// Username or e-mail address
        name: String,
        /// New e-mail address
        address: String,
        /// Mark the address as verified by the user
        #[arg(long)]
        verified: bool,
        #[command(flatten)]
        database: DatabaseArguments,
    },
    /// Change the role of a user and end the user's sessions
    SetRole {
        /// Username or e-mail address
        name: String,
        /// New role
        #[arg(value_enum)]
        role: RoleName,
        #[command(flatten)]
        database: DatabaseArguments,
    },
    /// Reset the counters of failed attempts of a user, who can then log in at once
    Unlock {
        /// Username or e-mail address
        name: String,
        #[command(flatten)]
        database: DatabaseArguments,
        #[command(flatten)]
        secret: SecretArguments,
    },
    /// Remove all second factors of a user who lost them, and end the user's sessions
    ResetFactors {
        /// Username or e-mail address
        name: String,
        #[command(flatten)]
        database: DatabaseArguments,
    },
    /// Delete a user and the user's sessions and personal data; this cannot be undone
    Delete {
        /// Username or e-mail address
        name: String,
        /// Delete without asking
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        database: DatabaseArguments,
    },
}

/// A role that a command can assign.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RoleName {
    User,
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::User => Self::User,
            RoleName::Admin => Self::Admin,
        }
    }
}

pub(super) async fn run(command: UserChangeCommand, sources: &Sources) -> Result<()> {
    match command {
        UserChangeCommand::Rename { name, new, database } => {
            let components = open_existing(Config::of_command(database, sources)?).await?;
            let changes = UserChanges { username: Some(&new), ..UserChanges::default() };
            let (user, _) = update(&components, &name, changes).await?;
            print(&format!("Renamed user {name} to {}.\n", user.names.username()))
        }
        UserChangeCommand::SetEmail { name, address, verified, database } => {
            let components = open_existing(Config::of_command(database, sources)?).await?;
            let changes = UserChanges {
                email: Some(&address),
                email_verified: verified.then_some(true),
                ..UserChanges::default()
            };
            let (user, _) = update(&components, &name, changes).await?;
            let state = if user.email_verified_at.is_some() { "verified" } else { "not verified" };
            print(&format!("Set the e-mail address of user {name} to {address} ({state}).\n"))
        }
        UserChangeCommand::SetRole { name, role, database } => {
            let components = open_existing(Config::of_command(database, sources)?).await?;
            let role = Role::from(role);
            let changes = UserChanges { role: Some(role), ..UserChanges::default() };
            let (_, ended) = update(&components, &name, changes).await?;
            let (role, ended) = (role.as_str(), count(ended, "session"));
            print(&format!("Set the role of user {name} to {role} and ended {ended}.\n"))
        }
        UserChangeCommand::Unlock { name, database, secret } => {
            let components = open_with_secret(database, secret, sources).await?;
            let user = find(&components, &name).await?;
            let (by, origin) = (Admin::operator(), Origin::default());
            components.auth.accounts.unlock(by, user.id, origin).await?;
            print(&format!("Unlocked user {name}.\n"))
        }
        UserChangeCommand::ResetFactors { name, database } => {
            let components = open_existing(Config::of_command(database, sources)?).await?;
            let user = find(&components, &name).await?;
            let (by, origin) = (Admin::operator(), Origin::default());
            let enrollments = &components.auth.enrollments;
            let (_, ended) = enrollments.reset_factors(by, user.id, None, origin).await?;
            let ended = count(ended, "session");
            print(&format!("Removed the second factors of user {name} and ended {ended}.\n"))
        }
        UserChangeCommand::Delete { name, yes, database } => {
            let components = open_existing(Config::of_command(database, sources)?).await?;
            let user = find(&components, &name).await?;
            if !yes && !is_confirmed(&name)? {
                return print("Deleted nothing.\n");
            }
            let (by, origin) = (Admin::operator(), Origin::default());
            let deleted = components.auth.accounts.delete_user(by, user.id, origin).await?;
            let ended = count(deleted.ended, "session");
            print(&format!("Deleted user {name} and ended {ended}.\n"))
        }
    }
}

async fn update(
    components: &Components,
    name: &str,
    changes: UserChanges<'_>,
) -> Result<(User, usize)> {
    let user = find(components, name).await?;
    let (by, origin) = (Admin::operator(), Origin::default());
    Ok(components.auth.accounts.update_user(by, user.id, changes, origin).await?)
}

/// Asks on the terminal.
fn is_confirmed(name: &str) -> Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("cannot ask for confirmation without a terminal; use --yes");
    }
    // On standard error, as the output of a command may be redirected.
    eprint!("Delete user {name}? This cannot be undone. Type yes to delete: ");
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().eq_ignore_ascii_case("yes"))
}
