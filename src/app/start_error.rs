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
    #[error(
        "cannot listen on {1}: {2}; stop the process that uses the port, or choose another {0}"
    )]
    Listen(&'static str, SocketAddr, #[source] io::Error),
    #[error("cannot load the trusted documents in {0}: {1}; check --trusted-documents")]
    TrustedDocuments(PathBuf, String),
    #[error("cannot accept tokens by {0}: {1}; check --accept-foreign-tokens")]
    ForeignTokens(PathBuf, String),
    #[error(
        "cannot read the master secret in {0}: {1}; it must be a text file that this user can read"
    )]
    ReadSecret(PathBuf, #[source] io::Error),
    #[error(
        "cannot create the master secret {0}: {1}; allow this user to write there, or set --secret-file"
    )]
    MakeSecret(PathBuf, #[source] io::Error),
    #[error(
        "the master secret that encrypts the signing keys in the database is missing from {0}: \
         restore the file, or set --secret or --secret-file"
    )]
    LostSecret(PathBuf),
    #[error("the master secret is missing; set --secret or --secret-file")]
    NoSecret,
    #[error("the master secret is invalid: {0}; create one with openssl rand -base64 32")]
    Secret(#[from] SecretError),
    #[error(
        "the database is newer than this binary; run the version that migrated it, or a later version"
    )]
    Newer,
    #[error("the database ({database}) belongs to another program: {reason}; check --database-url")]
    Foreign { database: String, reason: String },
    #[error("cannot use the database ({database}): {reason}; {advice}")]
    Database { database: String, reason: String, advice: &'static str },
    #[error(
        "the signing keys were encrypted with another master secret; set that secret, or during a \
         rotation both secrets: the new secret, a comma, the previous secret"
    )]
    Sealed,
    #[error(
        "the configured password of admin (accounts.admin-password or SALLYPORT_ADMIN_PASSWORD) is \
         invalid: {0}"
    )]
    AdminPassword(String),
    #[error(
        "cannot print the password of admin: {0}; set a password with sallyport user set-password admin"
    )]
    Banner(#[source] io::Error),
    /// Settings with which no mail can be sent.
    #[error("{0}")]
    Email(String),
    #[error("{0}; check --hashing-memory and --hashing-passes")]
    Hashing(#[from] crate::crypto::password::HashingError),
    #[error("{0}; this is an error of the program or of the machine")]
    Crypto(#[from] CryptoError),
    #[error("cannot catch signals: {0}; this is an error of the operating system")]
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
