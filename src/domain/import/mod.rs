//! Accounts and refresh tokens of another system, as one line of JSON each, and what becomes of them here.
//!
//! A file of `sallyport import` is input of strangers: every line has a bound, each field is parsed, and a line
//! that cannot be read is a value, not a failure of the whole.

mod account;
mod fields;
mod imported_name;
mod line;
#[cfg(test)]
mod line_tests;
mod problem;

pub use account::{ImportOptions, WantedAccount, WantedPassword};
pub use fields::{AccountField, FieldChange, FieldDigests};
pub use imported_name::{imported_username, numbered_part, numbered_username, username_without_at};
pub use line::{
    BlacklistedToken, Counts, ForeignUser, Header, Line, LineError, MAX_LINE_BYTES,
    OutstandingToken,
};
pub use problem::{Problem, ProblemKind};
