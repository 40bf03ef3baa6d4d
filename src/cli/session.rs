//! `sallyport session`: list and end sessions.
//!
//! Running servers refuse ended sessions within a second or two, through the feed of ended sessions.

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};

use super::opening::open_existing;
use super::table::{Cell, Output, Table, count, print};
use super::user_lookup;
use crate::app::Components;
use crate::auth::Admin;
use crate::config::{Config, DatabaseArguments, Sources};
use crate::domain::filter::SessionFilter;
use crate::domain::id::SessionId;
use crate::domain::origin::{Origin, UserAgent};
use crate::domain::pagination::{MAX_SIZE, PageRequest};
use crate::domain::session::Session;
use crate::store::Scope;

#[derive(Subcommand)]
pub(super) enum SessionCommand {
    /// List sessions, newest first
    List {
        /// Only sessions of this user: username or e-mail address
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        #[command(flatten)]
        output: Output,
        #[command(flatten)]
        database: DatabaseArguments,
    },
    /// End sessions
    End {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        database: DatabaseArguments,
    },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Which {
    /// End the session with this ID, from sallyport session list
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// End all sessions of this user: username or e-mail address
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// End all sessions of all users
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(command: SessionCommand, sources: &Sources) -> Result<()> {
    match command {
        SessionCommand::List { user, output, database } => {
            let components = open_existing(Config::of_command(database, sources)?).await?;
            list(&components, user.as_deref(), output).await
        }
        SessionCommand::End { which, database } => {
            let components = open_existing(Config::of_command(database, sources)?).await?;
            let scope = scope(&components, which).await?;
            let ended = components
                .auth
                .sessions
                .end_scope(Admin::operator(), scope, Origin::default())
                .await?;
            print(&format!("Ended {}.\n", count(ended, "session")))
        }
    }
}

async fn scope(components: &Components, which: Which) -> Result<Scope> {
    if let Some(name) = which.user {
        return Ok(Scope::User(user_lookup::find(components, &name).await?.id));
    }
    let Some(id) = which.id else { return Ok(Scope::All) };
    // Accepts the global ID of the API as well as the claim `sid`.
    let id = SessionId::parse(id.strip_prefix("Session:").unwrap_or(&id))
        .with_context(|| format!("{id:?} is not a session ID; see sallyport session list"))?;
    if components.auth.reads.session(Admin::operator(), id).await?.is_none() {
        bail!("session {id} does not exist; see sallyport session list");
    }
    Ok(Scope::One(id))
}

async fn list(components: &Components, user: Option<&str>, output: Output) -> Result<()> {
    let user_id = match user {
        Some(name) => Some(user_lookup::find(components, name).await?.id),
        None => None,
    };
    let filter = SessionFilter { user_id, ..SessionFilter::default() };
    let now = components.auth.system.now();
    let mut table = Table::new(&[
        "id",
        "username",
        "state",
        "created",
        "last_used",
        "ip",
        "browser",
        "end_reason",
    ]);
    let (by, mut after) = (Admin::operator(), None);
    loop {
        let page = PageRequest { after, before: None, size: MAX_SIZE, from_end: false };
        let page = components.auth.reads.sessions(by, filter.clone(), &page).await?;
        let owners: Vec<_> = page.items.iter().map(|session| session.user_id).collect();
        let owners = components.auth.reads.users_by_id(&owners).await?;
        for session in &page.items {
            let name = owners.get(&session.user_id).map(|user| user.names.username().to_string());
            table.push(row(session, name, session.state(now).as_str()));
        }
        after = page.items.last().map(|session| session.id);
        if !page.has_next {
            return table.print(output);
        }
    }
}

fn row(session: &Session, name: Option<String>, state: &str) -> Vec<Cell> {
    vec![
        Cell::text(session.id),
        Cell::maybe(name),
        Cell::text(state),
        Cell::Time(session.created_at),
        Cell::Time(session.last_used_at),
        Cell::maybe(session.last_ip),
        Cell::maybe(
            session.user_agent.as_ref().map(UserAgent::device).and_then(|device| device.browser),
        ),
        Cell::maybe(session.end.map(|end| end.reason.as_str())),
    ]
}
