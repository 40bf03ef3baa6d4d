//! Progress of an import.

use crate::domain::words;

words! {
    /// What an import is doing.
    ImportPhase {
        Read = "reading",
        Compare = "comparing names",
        Wait = "waiting for another import",
        Create = "creating accounts",
        Change = "changing accounts",
        Tokens = "adding tokens",
    }
}

/// How far a phase is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportProgress {
    pub phase: ImportPhase,
    /// In bytes while reading, in rows afterwards.
    pub done: u64,
    /// `None` if it is not known.
    pub total: Option<u64>,
    /// Number of accounts and tokens so far.
    pub rows: u64,
}

/// Where progress is told.
pub(super) type Progress<'a> = &'a (dyn Fn(ImportProgress) + Send + Sync);
