//! Command line: commands, their flags, and the dispatch to them.

use anyhow::Result;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::opening::{log_for_people, log_format};
use super::{backup, check, keys, purge, recover, session, table, user};
use crate::app;
use crate::config::{
    Config, DatabaseArguments, Federation, ServeArguments, unknown_variables, without_empty,
};
use crate::graphql;
use crate::telemetry;

/// The one setting that is no flag.
const ADMIN_PASSWORD: &str = "SALLYPORT_ADMIN_PASSWORD is the password of the account admin, which \
                              is made on an empty database. Without it one is made up and printed.";

/// Log in, refresh and log out for GraphQL teams. Without a command it serves
#[derive(Parser)]
#[command(
    name = "sallyport",
    version,
    args_conflicts_with_subcommands = true,
    after_help = ADMIN_PASSWORD
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArguments,
}

#[derive(Subcommand)]
enum Command {
    /// Migrate the database and serve; the same as no command
    #[command(after_help = ADMIN_PASSWORD)]
    Serve(Box<ServeArguments>),
    /// Print the GraphQL schema
    Schema {
        /// As a subgraph of an Apollo Federation 2, of a router or of the gateway for Node
        #[arg(
            long,
            value_enum,
            value_name = "router|gateway",
            hide_possible_values = true,
            hide_default_value = true,
            num_args = 0..=1,
            default_missing_value = "router",
            default_value = "off"
        )]
        federation: Federation,
    },
    /// Migrate the database
    Migrate(DatabaseArguments),
    /// Make, list and change accounts
    #[command(subcommand)]
    User(user::UserCommand),
    /// List and end sessions
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Show the keys of access tokens
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Delete what has expired; the server does the same by itself
    Purge(purge::PurgeArguments),
    /// Copy a SQLite database into one file, beside a running server
    Backup(backup::BackupArguments),
    /// After a restore: end every session and replace the signing key at once
    Recover(recover::RecoverArguments),
    /// Say what is wrong or risky about the configuration
    Check(Box<ServeArguments>),
}

impl Cli {
    /// Parses the command line and the environment. Ends the process on an error, as on `--help`.
    #[must_use]
    pub fn read() -> Self {
        let mut command = without_empty(Self::command());
        let matches = command.get_matches_mut();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit())
    }
}

pub async fn run(cli: Cli) -> Result<()> {
    let unknown = unknown_variables(&Cli::command(), std::env::vars_os())?;
    match cli.command {
        None => serve(cli.serve, &unknown).await,
        Some(Command::Serve(arguments)) => serve(*arguments, &unknown).await,
        Some(Command::Schema { federation }) => {
            let supergraph = Option::from(federation);
            table::print(&supergraph.map_or_else(graphql::sdl, graphql::subgraph_sdl))
        }
        Some(Command::Migrate(database)) => {
            app::connect(&log_for_people(Config::of_command(database)?)).await?;
            table::print("the database is up to date\n")
        }
        Some(Command::User(command)) => user::run(command).await,
        Some(Command::Session(command)) => session::run(command).await,
        Some(Command::Keys(command)) => keys::run(command).await,
        Some(Command::Purge(arguments)) => purge::run(arguments).await,
        Some(Command::Backup(arguments)) => backup::run(arguments).await,
        Some(Command::Recover(arguments)) => recover::run(arguments).await,
        Some(Command::Check(arguments)) => check::run(*arguments, &unknown).await,
    }
}

async fn serve(arguments: ServeArguments, unknown: &[String]) -> Result<()> {
    let config = Config::parse(arguments)?;
    telemetry::start(config.log_format.map(log_format));
    for name in unknown {
        tracing::warn!(name, "unknown setting in the environment: ignored; see --help");
    }
    Ok(app::serve(config).await?)
}
