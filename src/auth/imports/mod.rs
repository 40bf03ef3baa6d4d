//! Imports of accounts and refresh tokens from another system, and the way back.
//!
//! A file is read completely first and compared with what is here ([`Imports::read`]): nothing is written, and
//! everything that cannot come over is known. [`Imports::apply`] then writes it in batches. It can be repeated, also
//! after it was killed: what is here already stays, and the rest is added.

mod apply;
mod change_present;
mod compare;
mod create_new;
mod deactivate_gone;
mod error;
mod export;
mod foreign_record;
mod import_tokens;
mod line_reader;
mod pace;
mod progress;
mod read_file;
mod rename;
mod stage_records;
mod state;
mod status;
mod summary;

pub use error::ImportError;
pub use export::ExportLine;
pub use progress::{ImportPhase, ImportProgress};
pub use read_file::{ImportInput, StagedImport};
pub use state::Imports;
pub use summary::{ImportSummary, UserCounts};
