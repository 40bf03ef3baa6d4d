//! The program as its operators use it: log, metrics, backup, shutdown, settings.

mod backup;
mod config_command;
mod config_file;
mod config_refusals;
mod database_role;
mod email_commands;
mod flags;
mod foreign_tokens;
mod help;
mod import;
mod log;
mod server;
mod settings;
mod shutdown;
mod site;
mod user_commands;
