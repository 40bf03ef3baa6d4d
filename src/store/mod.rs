//! The database, and the only SQL of the program.
//!
//! Each method of [`Store`] is one operation: a single statement or a single transaction, for SQLite
//! and PostgreSQL alike. No transaction leaves this module. Whether a user is logged in is decided by
//! conditional writes whose row count is the answer, never by a read followed by a write.
//!
//! Where one SQL text serves both databases, the macros in `backend::dialects` compile it for each.
//! Where they differ (rotation, the end of sessions, the feed), the two bodies stand in one file.
//!
//! Lower modules come first in this list; imports point from a later one to an earlier one:
//! - `error`, `timeout`, `query_cost`: shared by all.
//! - `backend`: URLs, connections, transactions, migrations and backups.
//! - `query`: `WHERE` clauses, row types and SQL fragments.
//! - `rotation`: the statement that rotates refresh tokens, and its batches.
//! - `handle`: [`Store`] itself.
//! - `audit`, `audit_checkpoint`, `keys`, `throttle`, `lists`, `session_search`,
//!   `simplejwt_settings`.
//! - `session_ends`: the end of sessions, and the feed by which every process learns of it.
//! - `verified_hash`, `hash_sample`, `credentials`, `accounts`, `foreign_tokens`, `sessions`, `email`, `factors`,
//!   `retention`, `imports`.

#[macro_use]
mod backend;
mod accounts;
mod audit;
mod audit_checkpoint;
mod credentials;
mod email;
mod error;
mod factors;
mod foreign_tokens;
mod handle;
mod hash_sample;
mod imports;
mod keys;
mod lists;
mod query;
mod query_cost;
mod retention;
mod rotation;
mod session_ends;
mod session_search;
mod sessions;
mod simplejwt_settings;
mod throttle;
mod timeout;
mod verified_hash;

pub use accounts::activation::LastAdministrator;
pub use accounts::create::{NameTaken, NewUser};
pub use accounts::delete::NotDeleted;
pub use accounts::rename::{ChangeUsername, NotRenamed};
pub use accounts::update::{NotUpdated, UpdateUser};
pub use audit::NewEvent;
pub use audit_checkpoint::AuditCheckpoint;
pub use backend::backup::BackupError;
pub use backend::connection_options::{ConnectionOptions, Durability, Pooler};
pub use backend::database_url::{DatabaseUrl, DatabaseUrlError};
pub use backend::migrations::MigrationError;
pub use backend::pool_usage::PoolUsage;
pub use backend::postgres_url_error::PostgresUrlError;
pub use backend::session_defaults::SessionDefault;
pub use backend::sqlite::close_all;
pub use credentials::Credentials;
pub use email::challenge_row::{Challenge, NewChallenge, PasswordMark};
pub use email::challenges::CodeAttempt;
pub use email::email_change::{ChangeEmail, NotChanged, RequestChange, RevertEmail};
pub use email::order::{MailOrder, Ordered};
pub use email::outbox::{LeasedMail, MailContent, NewMail};
pub use email::outbox_list::{OutboxState, StoredMail};
pub use email::registration::{RegisterUnverified, Registered};
pub use email::spend::{SpendChallenge, Spent};
pub use error::Error;
pub use factors::enroll::{AddFactor, NewFactor};
pub use factors::mark::FactorsMark;
pub use factors::passkeys::StoredPasskey;
pub use factors::remove::{ChangeFactors, FactorChange, ResetFactors};
pub use factors::spent::SpendToken;
pub use factors::state::{Factors, StoredTotp};
pub use factors::trusted_devices::{NewTrustedDevice, TrustedDevice};
pub use factors::use_factor::UseFactor;
pub use factors::ways_in::WaysIn;
pub use foreign_tokens::exchange::ExchangeToken;
pub use foreign_tokens::known::KnownForeignToken;
pub use handle::Store;
pub use hash_sample::HashSample;
pub use imports::{
    ChangedAccount, ChangedStanding, ExportedAccount, ExportedSession, ImportLease, ImportPace,
    ImportStatus, ImportedAccount, ImportedChanges, ImportedToken, LeaseLost, NameQuery,
    NamesTaken, PresentAccount, Renamed, StagedRow, StagedState, StagedUser, Staging,
    StandingChange, field_digests, record_digests,
};
pub use keys::{KeyMark, RotateKey, StoredAlgorithm, StoredKey};
pub use query_cost::{QueryCost, QueryCostMeter, captured_statements};
pub use retention::client_metadata::ClientMetadata;
pub use retention::purge::{Expired, Purged};
pub use rotation::refreshed::Refreshed;
pub use rotation::statement::Rotate;
pub use session_ends::end_all::Ending;
pub use session_ends::end_batches::FloorBatch;
pub use session_ends::end_order::{EndSessions, MAX_ENDS_PER_TRANSACTION, Scope};
pub use session_ends::ended_session::{EndedSession, MAX_LEEWAY};
pub use session_ends::ends_after::{FeedEntry, FeedPage};
pub use session_ends::feed::{FeedReader, FeedSnapshot};
pub use session_ends::feed_cursor::FeedCursor;
pub use session_ends::floor::{Floor, FloorId};
pub use session_search::{MatchingPage, MatchingSessions};
pub use sessions::begin_step::BeginStep;
pub use sessions::grounds::{Grounds, NotOpened};
pub use sessions::known_token::KnownToken;
pub use sessions::open::{NewSession, OpenSession, Opened};
pub use sessions::reauthenticate::{FreshProof, Reauthenticate};
pub use sessions::refresh_retry::{LoggedRetries, RefreshRetry};
pub use sessions::reissue::Reissue;
pub use throttle::{Charge, Charged, Settlement};
pub use timeout::with_timeout;
pub use verified_hash::VerifiedHash;
