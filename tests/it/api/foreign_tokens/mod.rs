//! Refresh tokens of another system, exchanged for sessions.

mod ends;
mod exchange;
pub mod old_site;
mod races;
