//! From a database URL to a connected store.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::AtomicU64;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use super::connections::Connections;
use super::postgres::Postgres;
use super::rotations::{Carrier, Rotations};
use super::sqlite::Sqlite;
use super::{Pools, Result, Store, counted};
use crate::clock::Timestamp;

/// Where the database is: `sqlite://PATH` or `postgres://…`.
#[derive(Clone)]
pub struct DatabaseUrl(Target);

#[derive(Clone)]
enum Target {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

/// A text that names no database. It does not repeat the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// Neither of the two schemes.
    #[error("a database URL is sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME")]
    Scheme,
    /// `sqlite://` without a path, or the path of a database in memory, which would forget every
    /// session with the process.
    #[error("sqlite:// needs the path of a file")]
    Path,
    /// Not a URL, or with a parameter that is not known.
    #[error("this postgres:// URL cannot be read")]
    Postgres,
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        if let Some(path) = text.strip_prefix("sqlite://") {
            if path.is_empty() || path.contains(":memory:") || path.contains('?') {
                return Err(DatabaseUrlError::Path);
            }
            return Ok(Self(Target::Sqlite(PathBuf::from(path))));
        }
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(DatabaseUrlError::Scheme);
        }
        let options = text.parse().map_err(|_| DatabaseUrlError::Postgres)?;
        Ok(Self(Target::Postgres(Box::new(options))))
    }
}

impl DatabaseUrl {
    /// The path of an embedded database.
    #[must_use]
    pub fn path(&self) -> Option<&std::path::Path> {
        match &self.0 {
            Target::Sqlite(path) => Some(path),
            Target::Postgres(_) => None,
        }
    }

    /// How a PostgreSQL is connected to.
    pub(super) fn postgres(&self) -> Option<&PgConnectOptions> {
        match &self.0 {
            Target::Sqlite(_) => None,
            Target::Postgres(options) => Some(options),
        }
    }
}

/// For people: the kind and the place, without user or password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Target::Sqlite(path) => write!(f, "SQLite, {}", path.display()),
            Target::Postgres(options) => {
                let url = options.to_url_lossy();
                let host = url.host_str().unwrap_or("localhost");
                write!(f, "PostgreSQL, {host}:{}{}", url.port().unwrap_or(5432), url.path())
            }
        }
    }
}

/// Redacted: the options hold the password.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl Store {
    /// Connects by the defaults, see [`Store::connect_with`].
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database cannot be reached or opened.
    pub async fn connect(url: &DatabaseUrl) -> Result<Self> {
        Self::connect_with(url, &Connections::default()).await
    }

    /// Connects, and makes the file of an embedded database where there is none. It migrates
    /// nothing.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database cannot be reached or opened.
    pub async fn connect_with(url: &DatabaseUrl, connections: &Connections) -> Result<Self> {
        let (pools, carrier) = match &url.0 {
            Target::Sqlite(path) => {
                let sqlite = Sqlite::open(path, connections.commits).await?;
                let carrier = Carrier::Sqlite(sqlite.writer.clone());
                (Pools::Sqlite(sqlite), carrier)
            }
            Target::Postgres(options) => {
                let postgres = Postgres::open((**options).clone(), connections).await?;
                let carrier = Carrier::Postgres(postgres.lender.clone());
                (Pools::Postgres(postgres), carrier)
            }
        };
        Ok(Self { pools, rotations: Rotations::open(carrier), operations: AtomicU64::new(0) })
    }

    /// What time it is in the database, where that has a clock of its own.
    ///
    /// # Errors
    /// [`Error`](super::Error) where it does not answer.
    pub async fn now(&self) -> Result<Option<Timestamp>> {
        let Pools::Postgres(postgres) = self.pools() else { return Ok(None) };
        let now = || async {
            let mut lease = postgres.lender.lease().await?;
            let micros = counted::query_scalar(
                "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
            );
            let micros = micros.fetch_one(&mut *lease).await.map_err(Into::into);
            lease.at_rest(micros).await
        };
        Ok(Some(Timestamp::from_micros(postgres.run(now).await?)))
    }

    /// Asks the database for nothing.
    ///
    /// # Errors
    /// [`Error`](super::Error) where it does not answer.
    pub async fn ping(&self) -> Result<()> {
        read!(self, conn => {
            counted::query("SELECT 1").execute(conn).await?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_database_without_the_password() {
        let shown = |url: &str| url.parse::<DatabaseUrl>().map(|url| url.to_string());
        assert_eq!(shown("sqlite://a/b.db").unwrap(), "SQLite, a/b.db");
        let url: DatabaseUrl = "postgres://ada:s3cret@db.example:5433/auth".parse().unwrap();
        assert_eq!(url.to_string(), "PostgreSQL, db.example:5433/auth");
        assert!(!format!("{url:?}").contains("s3cret"));
    }

    #[test]
    fn what_names_no_database_is_refused_without_being_repeated() {
        for (text, error) in [
            ("mysql://h/d", DatabaseUrlError::Scheme),
            ("", DatabaseUrlError::Scheme),
            ("sqlite://", DatabaseUrlError::Path),
            ("sqlite://:memory:", DatabaseUrlError::Path),
            ("postgres://h:99999999/d", DatabaseUrlError::Postgres),
        ] {
            assert_eq!(text.parse::<DatabaseUrl>().unwrap_err(), error, "{text}");
        }
    }
}
