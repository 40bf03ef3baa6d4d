//! Errors of PostgreSQL URLs.

use crate::store::backend::percent_encoding::NotEncoded;

/// The messages repeat no part of the URL that may be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostgresUrlError {
    /// A reserved character that is not percent-encoded.
    #[error(
        "the database URL is invalid: special characters in the user and the password must be \
         percent-encoded (# is %23, / is %2F, ? is %3F, @ is %40, : is %3A, % is %25)"
    )]
    Encoding,
    #[error(
        "the host or the port in the database URL is invalid: expected a form like \
         db.example.com:5432 or [::1]:5432; special characters in the password must be \
         percent-encoded (# is %23, / is %2F, ? is %3F, @ is %40, : is %3A, % is %25)"
    )]
    Host,
    #[error("the database URL has an unknown parameter: {name}{}", .nearest.map(|it| format!("; did you mean {it}?")).unwrap_or_default())]
    Unknown { name: String, nearest: Option<&'static str> },
    #[error("the database parameter {name} must be {expected}")]
    Value { name: String, expected: &'static str },
    #[error("{name} is not supported: {instead}")]
    Unsupported { name: String, instead: &'static str },
}

impl From<NotEncoded> for PostgresUrlError {
    fn from(_: NotEncoded) -> Self {
        Self::Encoding
    }
}
