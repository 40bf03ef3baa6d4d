//! Why the program cannot start: one line each, what and what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::database_error_text::{advice, reason};
use crate::auth::{self, KeyError};
use crate::crypto::CryptoError;
use crate::crypto::secret::SecretError;
use crate::store::{self, BackupError, DatabaseUrl, MigrationError};

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or the address is not this machine's.
    #[error("cannot listen on {1}: {2}; stop what listens there, or choose another {0}")]
    Listen(&'static str, SocketAddr, #[source] io::Error),
    /// The file of trusted documents cannot be used.
    #[error("cannot use the trusted documents in {0}: {1}; check --trusted-documents")]
    TrustedDocuments(PathBuf, String),
    /// The secret's file cannot be read.
    #[error(
        "cannot read the secret in {0}: {1}; it has to be a file of text that this user can read"
    )]
    ReadSecret(PathBuf, #[source] io::Error),
    /// The secret's file cannot be made.
    #[error("cannot make the secret {0}: {1}; let this user write there, or give --secret-file")]
    MakeSecret(PathBuf, #[source] io::Error),
    /// The database has keys, and the secret that was made with it is not there any more.
    #[error(
        "the database has signing keys, and the secret that sealed them is not in {0}: put it back, \
         or give it with --secret or --secret-file"
    )]
    LostSecret(PathBuf),
    /// There is no secret, and no place where one could be made.
    #[error("there is no master secret; give --secret or --secret-file")]
    NoSecret,
    /// The secret is none.
    #[error("the master secret cannot be used: {0}; make one with openssl rand -base64 32")]
    Secret(#[from] SecretError),
    /// The database was migrated by a newer version.
    #[error("the database is newer than this binary; run the version that migrated it, or later")]
    Newer,
    /// The database was migrated by something else, or has tables of something else.
    #[error("the database ({database}) is not this program's: {reason}; check --database-url")]
    Foreign {
        /// Which.
        database: String,
        /// What does not fit.
        reason: String,
    },
    /// The database cannot be reached or opened.
    #[error("cannot use the database ({database}): {reason}; {advice}")]
    Database {
        /// Which.
        database: String,
        /// What the driver says.
        reason: String,
        /// What to do.
        advice: &'static str,
    },
    /// No secret opens the signing keys.
    #[error(
        "the signing keys were sealed with another secret; give that one, or while it is being \
         replaced both: the new one, a comma, the old one"
    )]
    Sealed,
    /// The password for the first administrator is none.
    #[error("SALLYPORT_ADMIN_PASSWORD cannot be used: {0}")]
    AdminPassword(String),
    /// The password that was made up for the first administrator could not be shown.
    #[error(
        "cannot print the password of admin: {0}; set one with sallyport user set-password admin"
    )]
    Banner(#[source] io::Error),
    /// Hashing is configured beyond what Argon2 can do.
    #[error("{0}; check --hashing-memory and --hashing-passes")]
    Hashing(#[from] crate::crypto::password::HashingError),
    /// The cryptographic library failed.
    #[error("{0}; this is a fault of the program or of the machine")]
    Crypto(#[from] CryptoError),
    /// Signals cannot be caught.
    #[error("cannot catch signals: {0}; this is a fault of the machine")]
    Signals(#[source] io::Error),
    /// The database could not be copied.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A use case failed.
    #[error("{0}; this is a fault of the program or of the machine")]
    Auth(#[source] auth::Error),
}

impl StartError {
    /// A failure of the database.
    pub(super) fn of_store(database: &DatabaseUrl, error: &store::Error) -> Self {
        let advice = advice(database);
        Self::Database { database: database.to_string(), reason: reason(error), advice }
    }

    pub(super) fn of_migration(database: &DatabaseUrl, error: &MigrationError) -> Self {
        match error {
            MigrationError::Newer => Self::Newer,
            MigrationError::Store(error) => Self::of_store(database, error),
            MigrationError::Changed(_) | MigrationError::Failed(_) => {
                Self::Foreign { database: database.to_string(), reason: reason(error) }
            }
        }
    }

    pub(super) fn of_keys(database: &DatabaseUrl, error: KeyError) -> Self {
        match error {
            KeyError::Sealed => Self::Sealed,
            KeyError::Store(error) => Self::of_store(database, &error),
            KeyError::Crypto(error) => Self::Crypto(error),
        }
    }

    pub(super) fn of_auth(database: &DatabaseUrl, error: auth::Error) -> Self {
        match error {
            auth::Error::Unavailable(error) => Self::of_store(database, &error),
            error => Self::Auth(error),
        }
    }
}
