//! Architecture of the crate, read from its sources.
//!
//! The top-level modules are the rooms. The tests hold the imports between them and inside them, the
//! libraries that a room may use, the names shared with the schema, and the size of files. They read
//! tokens, not syntax.

mod circles;
mod files;
mod libraries;
mod modules;
mod paths;
mod rooms;
mod schema_names;
pub mod source;
pub mod tokens;
