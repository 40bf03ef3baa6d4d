//! The program as its operators meet it: its log, its metrics, its end, and what it refuses.

mod backup;
mod database_role;
mod log;
mod server;
mod settings;
mod shutdown;
