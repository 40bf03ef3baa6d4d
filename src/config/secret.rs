//! Secrets given by the operator: the master secret and where it is read from.

use std::path::PathBuf;

use clap::Args;
use zeroize::Zeroizing;

use crate::store::DatabaseUrl;

#[derive(Clone)]
pub struct Secret(pub Zeroizing<String>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

#[derive(Clone, Debug)]
pub enum SecretSource {
    Given(Secret),
    File(PathBuf),
    /// A file that is created if it does not exist.
    CreatedFile(PathBuf),
    /// PostgreSQL with neither flag. Commands that issue no tokens need none.
    Missing,
}

/// Where the master secret is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Database")]
pub struct SecretArguments {
    /// The master secret, 32 bytes or more, the same for every replica. While it is being replaced
    /// the older one follows after a comma. PostgreSQL needs this or the next
    // A secret in base64url may start like a flag.
    #[arg(
        long,
        env = "SALLYPORT_SECRET",
        hide_env_values = true,
        value_name = "SECRET",
        allow_hyphen_values = true
    )]
    pub secret: Option<Secret>,

    /// A file that holds it [default with SQLite: the database's path and .secret, made where it is
    /// not there]
    #[arg(long, env = "SALLYPORT_SECRET_FILE", value_name = "PATH", conflicts_with = "secret")]
    pub secret_file: Option<PathBuf>,
}

impl SecretArguments {
    pub(super) fn source(self, database: &DatabaseUrl) -> SecretSource {
        match (self.secret, self.secret_file, database.path()) {
            (Some(secret), _, _) => SecretSource::Given(secret),
            (None, Some(path), _) => SecretSource::File(path),
            (None, None, Some(database)) => {
                SecretSource::CreatedFile(database.with_added_extension("secret"))
            }
            (None, None, None) => SecretSource::Missing,
        }
    }
}
