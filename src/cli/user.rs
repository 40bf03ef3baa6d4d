//! `sallyport user`: create, list and change users.

use anyhow::{Result, anyhow};
use clap::Subcommand;

use super::opening::{open, open_existing};
use super::password::PasswordArguments;
use super::table::{Cell, Output, Table, count, print};
use super::user_changes::{self, UserChangeCommand};
use super::user_lookup::find;
use crate::app::Components;
use crate::auth;
use crate::auth::{Admin, NewAccount, UserError, UserErrorCode};
use crate::config::{Config, DatabaseArguments, Sources};
use crate::domain::filter::UserFilter;
use crate::domain::origin::Origin;
use crate::domain::pagination::{MAX_SIZE, PageRequest};
use crate::domain::user::{Email, Role};

#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// Create a user
    Create {
        /// Username
        name: String,
        /// E-mail address
        #[arg(long)]
        email: Option<String>,
        /// Create an administrator
        #[arg(long)]
        admin: bool,
        #[command(flatten)]
        password: PasswordArguments,
        #[command(flatten)]
        database: DatabaseArguments,
    },
    /// List all users
    List {
        #[command(flatten)]
        output: Output,
        #[command(flatten)]
        database: DatabaseArguments,
    },
    /// Deactivate a user and end the user's sessions
    Deactivate {
        /// Username or e-mail address
        name: String,
        #[command(flatten)]
        database: DatabaseArguments,
    },
    /// Reactivate a user
    Activate {
        /// Username or e-mail address
        name: String,
        #[command(flatten)]
        database: DatabaseArguments,
    },
    /// Set the password of a user and end the user's sessions
    SetPassword {
        /// Username or e-mail address
        name: String,
        #[command(flatten)]
        password: PasswordArguments,
        #[command(flatten)]
        database: DatabaseArguments,
    },
    #[command(flatten)]
    Change(UserChangeCommand),
}

pub(super) async fn run(command: UserCommand, sources: &Sources) -> Result<()> {
    match command {
        UserCommand::Create { name, email, admin, password, database } => {
            let config = Config::of_command(database, sources)?;
            // Before the database is opened: the operator may interrupt the prompt.
            let password = password.read()?;
            let components = open(config).await?;
            let role = if admin { Role::Admin } else { Role::User };
            let account = NewAccount {
                username: &name,
                password: &password,
                email: email.as_deref(),
                role,
                locale: None,
            };
            let made = components
                .auth
                .accounts
                .create(Admin::operator(), account, Origin::default())
                .await;
            let user = made.map_err(|error| match error {
                auth::Error::Refused(refusal) => anyhow!(advised(&refusal)),
                error => error.into(),
            })?;
            print(&format!("Created user {}.\n", user.names.username()))
        }
        UserCommand::List { output, database } => {
            list(&open_existing(Config::of_command(database, sources)?).await?, output).await
        }
        UserCommand::Deactivate { name, database } => {
            set_active(&name, false, database, sources).await
        }
        UserCommand::Activate { name, database } => {
            set_active(&name, true, database, sources).await
        }
        UserCommand::Change(command) => Box::pin(user_changes::run(command, sources)).await,
        UserCommand::SetPassword { name, password, database } => {
            let components = open_existing(Config::of_command(database, sources)?).await?;
            let user = find(&components, &name).await?;
            let password = password.read()?;
            let (by, origin) = (Admin::operator(), Origin::default());
            let (_, ended) =
                components.auth.accounts.set_password(by, user.id, &password, origin).await?;
            print(&format!(
                "Set the password of user {name} and ended {}.\n",
                count(ended, "session")
            ))
        }
    }
}

async fn set_active(
    name: &str,
    active: bool,
    database: DatabaseArguments,
    sources: &Sources,
) -> Result<()> {
    let components = open_existing(Config::of_command(database, sources)?).await?;
    let user = find(&components, name).await?;
    let (by, origin) = (Admin::operator(), Origin::default());
    let (_, ended) = components.auth.accounts.set_active(by, user.id, active, origin).await?;
    print(&if active {
        format!("Activated user {name}.\n")
    } else {
        format!("Deactivated user {name} and ended {}.\n", count(ended, "session"))
    })
}

fn advised(refusal: &UserError) -> String {
    match refusal.code {
        UserErrorCode::UsernameTaken => format!("{refusal} See sallyport user list."),
        _ => refusal.to_string(),
    }
}

async fn list(components: &Components, output: Output) -> Result<()> {
    let mut table =
        Table::new(&["id", "username", "email", "role", "active", "created", "last_login"]);
    let mut after = None;
    loop {
        let page = PageRequest { after, before: None, size: MAX_SIZE, from_end: false };
        let page =
            components.auth.reads.users(Admin::operator(), &UserFilter::default(), &page).await?;
        for user in &page.items {
            table.push(vec![
                Cell::text(user.id),
                Cell::text(user.names.username()),
                Cell::maybe(user.names.email().map(Email::as_str)),
                Cell::text(user.role.as_str()),
                Cell::Flag(user.is_active()),
                Cell::Time(user.created_at),
                user.last_login_at.map_or(Cell::Nothing, Cell::Time),
            ]);
        }
        after = page.items.last().map(|user| user.names.username().key().to_owned());
        if !page.has_next {
            return table.print(output);
        }
    }
}
