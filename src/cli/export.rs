//! `sallyport export`: the way back to another system.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use clap::{Args, Subcommand};

use super::opening::open_existing;
use super::table::{count, print};
use crate::auth::{Admin, ExportLine};
use crate::config::{Config, DatabaseArguments, Sources};
use crate::domain::external_account::Source;
use crate::telemetry;

/// The loader that runs inside a Django site.
const LOADER: &str = include_str!("../kits/django/sallyport_load.py");

/// The view that accepts this service's refresh tokens in a Django site.
const REFRESH_VIEW: &str = include_str!("../kits/django/sallyport_refresh.py");

#[derive(Subcommand)]
pub(super) enum ExportCommand {
    /// Write what changed since the import for a Django site: accounts, and the refresh tokens of live
    /// sessions
    Django(DjangoArguments),
}

#[derive(Args)]
pub(super) struct DjangoArguments {
    /// File to write, readable for its owner only, since it has password hashes [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Name of the Django site, as in sallyport import --source
    #[arg(long, value_name = "NAME", default_value = "django", value_parser = Source::parse)]
    source: Source,
    /// Print the file that loads an export inside the site, and export nothing
    #[arg(long, conflicts_with = "print_refresh_view")]
    print_loader: bool,
    /// Print the view by which the site accepts refresh tokens of this service once, and export nothing
    #[arg(long)]
    print_refresh_view: bool,
    #[command(flatten)]
    database: DatabaseArguments,
}

pub(super) async fn run(command: ExportCommand, sources: &Sources) -> Result<()> {
    let ExportCommand::Django(arguments) = command;
    if arguments.print_loader {
        return print(LOADER);
    }
    if arguments.print_refresh_view {
        return print(REFRESH_VIEW);
    }
    let components = open_existing(Config::of_command(arguments.database, sources)?).await?;
    let mut output = open_output(arguments.output.as_deref())?;
    let mut without_password: u64 = 0;
    let pass_on = |line| {
        match line {
            ExportLine::Record(record) => {
                writeln!(output, "{record}").map_err(|error| cannot_write(&error))?;
            }
            ExportLine::WithoutPassword(name) => {
                without_password += 1;
                telemetry::say(&format!("{name}: the password cannot go back."));
            }
        }
        Ok::<_, anyhow::Error>(())
    };
    components.auth.imports.export(Admin::operator(), &arguments.source, pass_on).await?;
    output.flush().map_err(|error| cannot_write(&error))?;
    if without_password > 0 {
        let accounts = count(without_password, "account");
        telemetry::say(&format!(
            "{accounts} go back without a password: Django has no form for their hashes."
        ));
    }
    Ok(())
}

fn open_output(path: Option<&Path>) -> Result<Box<dyn Write + Send>> {
    let Some(path) = path else { return Ok(Box::new(BufWriter::new(io::stdout()))) };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = file.map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            return anyhow!("{} already exists; remove it first", path.display());
        }
        anyhow!("cannot create {}: {error}", path.display())
    })?;
    Ok(Box::new(BufWriter::new(file)))
}

fn cannot_write(error: &io::Error) -> anyhow::Error {
    anyhow!("cannot write the export: {error}")
}
