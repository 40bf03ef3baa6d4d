//! Command line: commands, their flags, and the dispatch to them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::error_report::report;
use super::opening::{log_for_people, log_format};
use super::{
    backup, check, config, email, export, help, import, keys, purge, recover, session, table, user,
};
use crate::app;
use crate::config::{
    Config, ConfigError, DatabaseArguments, Federation, ServeArguments, Sources,
    effective_settings, unknown_variables, without_empty, without_variable, without_variables,
};
use crate::graphql;
use crate::store;
use crate::telemetry::{self, Flushed};

/// The setting whose flag is hidden.
const ADMIN_PASSWORD: &str = "SALLYPORT_ADMIN_PASSWORD: password of the user admin, who is created in \
                              an empty database [default: generated and printed once]";

/// Id of the flag that names the configuration file.
const CONFIG: &str = "config";

/// Authentication service for GraphQL. Without a command, starts the server
#[derive(Parser)]
#[command(
    name = "sallyport",
    version,
    disable_help_subcommand = true,
    after_help = ADMIN_PASSWORD
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    // Before the others, whose headings are the tables of the file: it has none.
    /// Configuration file in TOML: the keys are the flags, the tables are the headings of this help; flags
    /// and variables override it, and relative paths in it are relative to the file, except those of
    /// certificates in a database URL
    #[arg(long, global = true, env = "SALLYPORT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    serve: ServeArguments,
}

#[derive(Subcommand)]
enum Command {
    /// Migrate the database and start the server (default command)
    #[command(after_help = ADMIN_PASSWORD)]
    Serve(Box<ServeArguments>),
    /// Print the GraphQL schema
    Schema {
        /// Print the schema of an Apollo Federation 2 subgraph, for Apollo Router (`router`) or Apollo
        /// Gateway for Node.js (`gateway`)
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
    /// Create, list and change users
    #[command(subcommand)]
    User(user::UserCommand),
    /// List and end sessions
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// List and rotate the signing keys of access tokens
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// List unsent e-mails, send them again, and send a test e-mail
    #[command(subcommand)]
    Email(email::EmailCommand),
    /// Import accounts and refresh tokens of another system
    Import(Box<import::ImportArguments>),
    /// Export what changed since an import, for the way back
    #[command(subcommand)]
    Export(export::ExportCommand),
    /// Delete expired rows; a running server does this automatically
    Purge(purge::PurgeArguments),
    /// Copy a SQLite database into one file, even while the server runs
    Backup(backup::BackupArguments),
    /// End all sessions and replace the signing key immediately, after a restore from a backup
    Recover(recover::RecoverArguments),
    /// Check the configuration: errors and risks, with their remedies
    Check(Box<ServeArguments>),
    /// Print the settings in force and their sources, as a configuration file
    Config(config::ConfigArguments),
    /// Print the manual: topics, and the help of commands
    Help(help::HelpArguments),
}

/// A parsed command line, with the sources of its settings.
struct Invocation {
    cli: Cli,
    /// Only for `sallyport config`: the raw values include secrets.
    parsed: Option<(clap::Command, ArgMatches)>,
    sources: Sources,
    /// Variables with the prefix of settings that belong to no flag.
    unknown: Vec<String>,
}

impl Invocation {
    /// Parses the command line, the environment and the configuration file. Ends the process on an error of
    /// the command line, as on `--help`.
    fn read() -> Result<Self, ConfigError> {
        let mut command = without_empty(Cli::command());
        let look = first_look(&command);
        if look.subcommand_name().is_some() {
            // The settings of `serve` have no effect on another command.
            command = without_variables(command);
        }
        if matches!(look.subcommand_name(), Some("help" | "schema")) {
            // They read no settings, so that the manual can be read while the settings are wrong.
            let cli = Cli::from_arg_matches(&command.get_matches());
            let cli = cli.unwrap_or_else(|error| error.exit());
            return Ok(Self {
                cli,
                parsed: None,
                sources: Sources::default(),
                unknown: Vec::new(),
            });
        }
        let path = configuration_file(&look)
            .unwrap_or_else(|message| command.error(ErrorKind::ArgumentConflict, message).exit());
        // With the names of empty variables, too.
        let all = Cli::command();
        let unknown = unknown_variables(&all, std::env::vars_os())?;
        let sources = Sources::read(path.as_deref(), &all, given(&all, &look))?;
        let mut command = sources.apply(command);
        let matches = command.get_matches_mut();
        if let Some(message) = misplaced_flag(&command, &matches) {
            command.error(ErrorKind::ArgumentConflict, message).exit();
        }
        let cli = Cli::from_arg_matches(&matches);
        let cli = cli.unwrap_or_else(|error| error.format(&mut command).exit());
        let is_config = matches!(cli.command, Some(Command::Config(_)));
        let parsed = is_config.then_some((command, matches));
        Ok(Self { cli, parsed, sources, unknown })
    }
}

fn last_subcommand(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, matches)| last_subcommand(matches))
}

/// The command line past all errors: which flags are given, and the name of the configuration file. Ends the
/// process on `--help`.
fn first_look(command: &clap::Command) -> ArgMatches {
    let config = command.get_arguments().find(|flag| flag.get_id() == CONFIG).cloned();
    let look = levels(command.clone(), config.as_ref()).ignore_errors(true).try_get_matches();
    // The help of the command itself, which names its variables.
    look.unwrap_or_else(|_| command.clone().ignore_errors(true).get_matches())
}

/// The command with a flag `--config` of its own at each level, and no other variable: an invalid one would end
/// the first look early.
fn levels(command: clap::Command, config: Option<&Arg>) -> clap::Command {
    let command = command.mut_args(|flag| {
        let is_config = flag.get_id() == CONFIG;
        if is_config { flag.global(false) } else { without_variable(flag) }
    });
    command.mut_subcommands(|command| levels(command.args(config), config))
}

/// The name of the configuration file. The error is the message about a flag that is given twice.
fn configuration_file(look: &ArgMatches) -> Result<Option<PathBuf>, &'static str> {
    const MESSAGE: &str =
        "the flag '--config <FILE>' cannot be used both before and after the command";
    let mut levels = Vec::new();
    let mut next = Some(look);
    while let Some(level) = next {
        levels.push(level);
        next = level.subcommand().map(|(_, level)| level);
    }
    let mut given = levels.iter().filter(|level| is_on_command_line(level, CONFIG));
    let level = given.next().or(levels.first());
    if given.next().is_some() {
        return Err(MESSAGE);
    }
    Ok(level.and_then(|level| level.get_one(CONFIG).cloned()))
}

/// Ids of the settings that are on the command line of the last subcommand.
fn given(command: &clap::Command, look: &ArgMatches) -> BTreeSet<String> {
    if let Some((name, look)) = look.subcommand() {
        return command
            .find_subcommand(name)
            .map(|command| given(command, look))
            .unwrap_or_default();
    }
    let flags = command.get_arguments().filter(|flag| flag.get_env().is_some());
    let ids = flags.map(|flag| flag.get_id().as_str());
    ids.filter(|id| is_on_command_line(look, id)).map(str::to_owned).collect()
}

fn is_on_command_line(matches: &ArgMatches, id: &str) -> bool {
    matches.ids().any(|known| known == id)
        && matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// The message about a flag of `serve` before another command, on which it would have no effect.
fn misplaced_flag(command: &clap::Command, matches: &ArgMatches) -> Option<String> {
    let (name, _) = matches.subcommand()?;
    let mut flags = command.get_arguments().filter(|flag| !flag.is_global_set());
    let flag = flags.find(|flag| is_on_command_line(matches, flag.get_id().as_str()))?;
    Some(format!("the flag '{flag}' cannot precede the command '{name}'; write flags after it"))
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    // Dropped last, so that the log lines of the end are written too.
    let _flushed = Flushed;
    match Invocation::read() {
        Ok(invocation) => execute(invocation),
        Err(error) => report(&error.into()),
    }
}

#[tokio::main]
async fn execute(invocation: Invocation) -> ExitCode {
    // Boxed, since the futures of the commands are large.
    let done = Box::pin(run(invocation)).await;
    store::close_all().await;
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

async fn run(invocation: Invocation) -> Result<()> {
    let Invocation { cli, parsed, sources, unknown } = invocation;
    match cli.command {
        None => serve(cli.serve, sources, unknown).await,
        Some(Command::Serve(arguments)) => serve(*arguments, sources, unknown).await,
        Some(Command::Config(arguments)) => {
            let config = Config::of_serve(*arguments.serve, &sources);
            let settings = parsed.map(|(command, matches)| {
                let command = command.find_subcommand("config").unwrap_or(&command);
                let config = config.as_ref().ok();
                effective_settings(command, last_subcommand(&matches), &sources, config)
            });
            config::run(arguments.output, &settings.unwrap_or_default(), &sources, &unknown)?;
            // After the settings, which show the sources of a contradiction.
            Ok(config.map(drop)?)
        }
        Some(Command::Schema { federation }) => {
            let supergraph = Option::from(federation);
            table::print(&supergraph.map_or_else(graphql::sdl, graphql::subgraph_sdl))
        }
        Some(Command::Migrate(database)) => {
            app::connect(&log_for_people(Config::of_command(database, &sources)?)).await?;
            table::print("The database is up to date.\n")
        }
        Some(Command::User(command)) => user::run(command, &sources).await,
        Some(Command::Session(command)) => session::run(command, &sources).await,
        Some(Command::Keys(command)) => keys::run(command, &sources).await,
        Some(Command::Email(command)) => email::run(command, &sources).await,
        Some(Command::Import(arguments)) => import::run(*arguments, &sources).await,
        Some(Command::Export(command)) => export::run(command, &sources).await,
        Some(Command::Purge(arguments)) => purge::run(arguments, &sources).await,
        Some(Command::Backup(arguments)) => backup::run(arguments, &sources).await,
        Some(Command::Recover(arguments)) => recover::run(arguments, &sources).await,
        Some(Command::Check(arguments)) => check::run(*arguments, &sources, &unknown).await,
        Some(Command::Help(arguments)) => help::run(&arguments, &Cli::command()),
    }
}

async fn serve(arguments: ServeArguments, sources: Sources, unknown: Vec<String>) -> Result<()> {
    let config = Config::of_serve(arguments, &sources)?;
    // A server does not keep the file's values, some of which are secrets.
    drop(sources);
    telemetry::start(config.log_format.map(log_format));
    for name in unknown {
        tracing::warn!(name, "unknown environment variable, ignored; see --help");
    }
    Ok(app::serve(config).await?)
}
