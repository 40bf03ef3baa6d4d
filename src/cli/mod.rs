//! Commands of the program.
//!
//! Exit codes: 0 for success; 1 for a failure, with one line on standard error that names the cause and the
//! remedy; 2 for an invalid command line or invalid settings. Output is a table for people or, with
//! `--json`, one object per line for programs.

mod backup;
mod check;
mod command_line;
mod config;
mod email;
mod error_report;
mod export;
pub mod help;
mod import;
mod import_progress;
mod import_report;
mod keys;
mod opening;
mod password;
mod purge;
mod recover;
mod session;
mod table;
mod user;
mod user_changes;
mod user_lookup;

pub use command_line::{Cli, main};
