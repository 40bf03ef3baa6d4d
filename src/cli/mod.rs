//! The commands.
//!
//! Rule: a command is done (0), failed with one line on standard error that says what and what to do
//! (1), or was not understood (2). What it prints is a table for people or, with `--json`, one object
//! a line for programs.

mod backup;
mod check;
mod failure;
mod keys;
mod password;
mod purge;
mod recover;
mod session;
mod table;
mod user;

pub use failure::report;

use anyhow::{Result, bail};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::app::{self, Components};
use crate::config::{
    Config, DatabaseArguments, Federation, LogFormat, ServeArguments, unknown_variables,
    without_empty,
};
use crate::graphql;
use crate::telemetry::{self, Format};

/// What the help of `serve` says of the one setting that is no flag.
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
    /// Reads the command line and the environment; what cannot be read ends the process.
    #[must_use]
    pub fn read() -> Self {
        let mut command = without_empty(Self::command());
        let matches = command.get_matches_mut();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit())
    }
}

/// Runs a command to its end.
///
/// # Errors
/// Whatever kept it from being done, as one line.
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
            app::connect(&quiet(Config::of_command(database)?)).await?;
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
    telemetry::start(config.log_format.map(format));
    for name in unknown {
        tracing::warn!(name, "unknown setting in the environment: ignored; see --help");
    }
    Ok(app::serve(config).await?)
}

/// Starts the log of a command that serves nothing: for people, as its output is.
fn quiet(config: Config) -> Config {
    telemetry::start(Some(config.log_format.map_or(Format::Pretty, format)));
    config
}

/// Opens the database of a command that may be the first to use it.
async fn open(config: Config) -> Result<Components> {
    Ok(app::open_without_keys(&quiet(config)).await?)
}

/// Opens the database of a command that is about what is in it. To make an empty one would hide that
/// it is the wrong directory.
async fn open_existing(config: Config) -> Result<Components> {
    must_exist(&config)?;
    open(config).await
}

fn must_exist(config: &Config) -> Result<()> {
    match config.database.path() {
        Some(path) if !path.exists() => bail!(
            "there is no database {}; start sallyport first, or check --database-url",
            path.display()
        ),
        _ => Ok(()),
    }
}

fn format(format: LogFormat) -> Format {
    match format {
        LogFormat::Pretty => Format::Pretty,
        LogFormat::Json => Format::Json,
    }
}
