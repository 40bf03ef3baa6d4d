//! Imports of accounts and refresh tokens of another system.
//!
//! A file is loaded into a [`Staging`] database first, where names that collide are found. Batches of it are
//! written by transactions, each of which checks that its process still holds the lease of the import. A batch
//! that is written again changes nothing.

mod change_accounts;
mod change_standing;
mod create_accounts;
mod export;
mod field_digests;
mod foreign_token_rows;
mod logins_there;
mod name_resolution;
mod names_taken;
mod pace;
mod present_accounts;
mod reported_problems;
mod source_lease;
mod staging;
mod status;

pub use change_accounts::{ChangedAccount, ImportedChanges};
pub use change_standing::{ChangedStanding, StandingChange};
pub use create_accounts::ImportedAccount;
pub use export::{ExportedAccount, ExportedSession};
pub use field_digests::{field_digests, record_digests};
pub use foreign_token_rows::ImportedToken;
pub use name_resolution::Renamed;
pub use names_taken::{NameQuery, NamesTaken};
pub use pace::ImportPace;
pub use present_accounts::PresentAccount;
pub use source_lease::{ImportLease, LeaseLost};
pub use staging::{StagedRow, StagedState, StagedUser, Staging};
pub use status::ImportStatus;
