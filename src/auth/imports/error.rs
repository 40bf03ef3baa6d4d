//! Errors of imports.

use std::io;

use crate::auth::error::Error;
use crate::domain::import::LineError;
use crate::store;

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Service(#[from] Error),
    #[error("Cannot read the file: {0}.")]
    Read(io::Error),
    #[error(
        "Cannot write the temporary database of the import: {0}. Set TMPDIR to a directory with space."
    )]
    Staging(store::Error),
    #[error("The file is empty.")]
    Empty,
    #[error(
        "The file has no header, so no exporter has written the file; see sallyport import --print-exporter \
         django."
    )]
    NoHeader,
    #[error("The header of the file cannot be read. {0}")]
    Header(LineError),
    #[error("The file ends at line {0} without its end line: the file was cut off. Export again.")]
    CutOff(u64),
    #[error(
        "The number of lines of the kind {kind} is {found}, and the end line says {expected}. Export again."
    )]
    Incomplete { kind: &'static str, found: u64, expected: u64 },
    #[error(
        "The file has lines that cannot be read, so it is not known which accounts are missing. Export again, or \
         deactivate none of them."
    )]
    UnreadableLines,
    #[error("Another import from {0} is running. Wait until it is done.")]
    Running(String),
    #[error("Another import from the same source took over. Run the import again.")]
    TakenOver,
    #[error("Other requests took the same names again and again. Run the import again.")]
    Contended,
}

impl From<store::Error> for ImportError {
    fn from(error: store::Error) -> Self {
        Self::Service(error.into())
    }
}
