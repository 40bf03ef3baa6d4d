//! Errors of imports.

use std::io;

use crate::auth::error::Error;
use crate::domain::import::LineError;
use crate::store;

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Service(#[from] Error),
    #[error("cannot read the file: {0}")]
    Read(io::Error),
    #[error(
        "cannot write the temporary database of the import: {0}; set TMPDIR to a directory with space"
    )]
    Staging(store::Error),
    #[error("the file is empty")]
    Empty,
    #[error(
        "the file has no header, so it was not written by an exporter; see sallyport import --print-exporter \
         django"
    )]
    NoHeader,
    #[error("the header of the file cannot be read: {0}")]
    Header(LineError),
    #[error("the file ends at line {0} without its end line: it was cut off; export again")]
    CutOff(u64),
    #[error(
        "the file has {found} lines of the kind {kind}, and its end line says {expected}; export again"
    )]
    Incomplete { kind: &'static str, found: u64, expected: u64 },
    #[error("another import from {0} is running; wait until it is done")]
    Running(String),
    #[error("another import from the same source took over; run this one again")]
    TakenOver,
    #[error("other requests took the same names again and again; run the import again")]
    Contended,
}

impl From<store::Error> for ImportError {
    fn from(error: store::Error) -> Self {
        Self::Service(error.into())
    }
}
