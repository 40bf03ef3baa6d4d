//! Errors of the start of the service: one line each, with the cause and the remedy.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::database_error_text::{advice, reason};
use crate::auth::{self, KeyError};
use crate::crypto::CryptoError;
use crate::crypto::secret::SecretError;
use crate::store::{self, BackupError, DatabaseUrl, MigrationError};

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {1}: {2}; stop what listens there, or choose another {0}")]
    Listen(&'static str, SocketAddr, #[source] io::Error),
    #[error("cannot use the trusted documents in {0}: {1}; check --trusted-documents")]
    TrustedDocuments(PathBuf, String),
    #[error(
        "cannot read the secret in {0}: {1}; it has to be a file of text that this user can read"
    )]
    ReadSecret(PathBuf, #[source] io::Error),
    #[error("cannot make the secret {0}: {1}; let this user write there, or give --secret-file")]
    MakeSecret(PathBuf, #[source] io::Error),
    #[error(
        "the database has signing keys, and the secret that sealed them is not in {0}: put it back, \
         or give it with --secret or --secret-file"
    )]
    LostSecret(PathBuf),
    #[error("there is no master secret; give --secret or --secret-file")]
    NoSecret,
    #[error("the master secret cannot be used: {0}; make one with openssl rand -base64 32")]
    Secret(#[from] SecretError),
    #[error("the database is newer than this binary; run the version that migrated it, or later")]
    Newer,
    #[error("the database ({database}) is not this program's: {reason}; check --database-url")]
    Foreign { database: String, reason: String },
    #[error("cannot use the database ({database}): {reason}; {advice}")]
    Database { database: String, reason: String, advice: &'static str },
    #[error(
        "the signing keys were sealed with another secret; give that one, or while it is being \
         replaced both: the new one, a comma, the old one"
    )]
    Sealed,
    #[error("SALLYPORT_ADMIN_PASSWORD cannot be used: {0}")]
    AdminPassword(String),
    #[error(
        "cannot print the password of admin: {0}; set one with sallyport user set-password admin"
    )]
    Banner(#[source] io::Error),
    #[error("{0}; check --hashing-memory and --hashing-passes")]
    Hashing(#[from] crate::crypto::password::HashingError),
    #[error("{0}; this is a fault of the program or of the machine")]
    Crypto(#[from] CryptoError),
    #[error("cannot catch signals: {0}; this is a fault of the machine")]
    Signals(#[source] io::Error),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error("{0} This is a fault of the program or of the machine.")]
    Auth(#[source] auth::Error),
}

impl StartError {
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
