//! The program as its operators meet it: its log, its metrics, its end, and what it refuses.

mod backup;
mod log;
mod roles;
mod server;
mod settings;
mod shutdown;
