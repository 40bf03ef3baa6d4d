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

/// Flags about the master secret.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Database")]
pub struct SecretArguments {
    /// Master secret, at least 32 bytes, the same for every replica; PostgreSQL requires this flag or
    /// `--secret-file`; during a rotation the previous secret follows after a comma
    // A secret in base64url may start like a flag.
    #[arg(
        long,
        env = "SALLYPORT_SECRET",
        hide_env_values = true,
        value_name = "SECRET",
        allow_hyphen_values = true
    )]
    pub secret: Option<Secret>,

    /// File with the master secret [default with SQLite: the path of the database plus .secret;
    /// created if it does not exist]
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
