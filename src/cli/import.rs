//! `sallyport import`: accounts and refresh tokens of another system.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};

use super::import_progress::ProgressOutput;
use super::import_report::{print_report, print_status};
use super::opening::{open, open_existing};
use super::table::{Output, count, print};
use crate::auth::{Admin, ImportInput};
use crate::config::{Config, DatabaseArguments, Sources};
use crate::domain::external_account::Source;
use crate::domain::import::ImportOptions;
use crate::store::Durability;

/// The exporter that runs inside a Django site.
const DJANGO_EXPORTER: &str = include_str!("../kits/django/sallyport_export.py");

/// JSON Schema of a line of the file.
const SCHEMA: &str = include_str!("../kits/import-format.schema.json");

/// Bytes that are read from the file at once.
const BUFFER: usize = 256 * 1024;

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(super) struct ImportArguments {
    #[command(subcommand)]
    command: Option<ImportCommand>,
    /// File that the exporter wrote, or `-` for standard input
    #[arg(required_unless_present_any = ["print_exporter", "print_schema"])]
    file: Option<PathBuf>,
    /// Print the file that exports from inside a site of this kind, and import nothing
    #[arg(long, value_enum, value_name = "django", hide_possible_values = true)]
    print_exporter: Option<Exporter>,
    /// Print the JSON Schema of a line of the file, and import nothing
    #[arg(long)]
    print_schema: bool,
    /// Write to the database; without it the file is only read and compared
    #[arg(long)]
    apply: bool,
    /// Import the rest where something cannot come over
    #[arg(long)]
    skip_bad: bool,
    /// Name of the other system: lower-case letters, digits and hyphens [default: the name in the file]
    #[arg(long, value_name = "NAME", value_parser = Source::parse)]
    source: Option<Source>,
    /// Accounts that get the role ADMIN: none, so that roles stay as they are, or `superusers`, so that others lose it
    #[arg(
        long,
        value_enum,
        value_name = "none|superusers",
        hide_possible_values = true,
        default_value = "none"
    )]
    admins: Admins,
    /// Make the names of groups role names
    #[arg(long)]
    groups_as_roles: bool,
    /// Deactivate accounts of the system that are not in the file any more, and end their sessions
    #[arg(long)]
    deactivate_gone: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    database: DatabaseArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Exporter {
    Django,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Admins {
    None,
    Superusers,
}

#[derive(Subcommand)]
enum ImportCommand {
    /// Show how far the move from each source is
    Status {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        database: DatabaseArguments,
    },
}

pub(super) async fn run(arguments: ImportArguments, sources: &Sources) -> Result<()> {
    if let Some(ImportCommand::Status { json, database }) = arguments.command {
        let components = open_existing(Config::of_command(database, sources)?).await?;
        return print_status(&components.auth.imports.status(Admin::operator()).await?, json);
    }
    if let Some(Exporter::Django) = arguments.print_exporter {
        return print(DJANGO_EXPORTER);
    }
    if arguments.print_schema {
        return print(SCHEMA);
    }
    // clap requires the file otherwise.
    let Some(file) = &arguments.file else { return Ok(()) };
    // Before the database, which may be created.
    let input = input(file, &arguments)?;
    let mut config = Config::of_command(arguments.database, sources)?;
    // After a power cut the import can be repeated.
    config.connections.durability = Durability::Normal;
    let database = config.database.to_string();
    let components = open(config).await?;
    let imports = &components.auth.imports;
    let output = arguments.output;
    let progress = ProgressOutput::new(output.is_json());
    let tell = |now| progress.tell(now);
    let read = imports.read(input, &tell).await;
    progress.end();
    let mut staged = read?;
    let problems = staged.summary().problem_count();
    let is_refused = problems > 0 && !arguments.skip_bad;
    if !arguments.apply || is_refused {
        let summary = staged.summary().clone();
        print_report(&mut staged, &summary, None, output).await?;
        if is_refused {
            let things = count(problems, "thing");
            bail!(
                "{things} cannot come over, so nothing was imported; correct them in the other \
                 system, or add --skip-bad"
            );
        }
        return Ok(());
    }
    let applied = imports.apply(Admin::operator(), &mut staged, &tell).await;
    progress.end();
    let summary = applied?;
    print_report(&mut staged, &summary, Some(&database), output).await
}

fn input(file: &Path, arguments: &ImportArguments) -> Result<ImportInput> {
    let options = ImportOptions {
        superusers_are_admins: arguments.admins == Admins::Superusers,
        groups_are_roles: arguments.groups_as_roles,
        deactivates_gone: arguments.deactivate_gone,
    };
    let source = arguments.source.clone();
    if file == Path::new("-") {
        let content = Box::new(BufReader::with_capacity(BUFFER, io::stdin()));
        return Ok(ImportInput { content, size: None, source, options });
    }
    let cannot_open = || format!("cannot open {}", file.display());
    let opened = File::open(file);
    let opened = opened.map_err(|error| anyhow::anyhow!("{}: {error}", cannot_open()))?;
    let metadata = opened.metadata().with_context(cannot_open)?;
    if metadata.is_dir() {
        bail!("{}: this is a directory", cannot_open());
    }
    let size = metadata.is_file().then_some(metadata.len());
    let content = Box::new(BufReader::with_capacity(BUFFER, opened));
    Ok(ImportInput { content, size, source, options })
}
