//! The program as its operators use it: log, metrics, backup, shutdown, settings.

mod backup;
mod database_role;
mod log;
mod server;
mod settings;
mod shutdown;
