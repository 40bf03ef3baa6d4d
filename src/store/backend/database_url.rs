//! The database URL of the configuration.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::store::backend::postgres_url::PostgresUrl;
use crate::store::backend::postgres_url_error::PostgresUrlError;

/// `sqlite://PATH` or `postgres://…`.
#[derive(Clone)]
pub struct DatabaseUrl(Target);

#[derive(Clone)]
pub(in crate::store) enum Target {
    Sqlite(PathBuf),
    Postgres(Box<PostgresUrl>),
}

/// An invalid URL. The message repeats no part of the URL that may be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    #[error("expected sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME")]
    Scheme,
    /// A connection string of keywords.
    #[error("keyword connection strings are not supported; use postgres://USER:PASSWORD@HOST/NAME")]
    Keywords,
    /// `file:`, as Prisma and SQLite itself have it.
    #[error("file: URLs are not supported; use sqlite://PATH")]
    File,
    #[error("the file path is missing; use sqlite://PATH")]
    Path,
    #[error(
        "in-memory databases are not supported, because every session would end with the process; \
         use sqlite://PATH"
    )]
    Memory,
    #[error(
        "sqlite:// URLs support no parameters except mode=rwc, which is the default; remove the \
         parameters"
    )]
    SqliteParameter,
    #[error(transparent)]
    Postgres(#[from] PostgresUrlError),
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        Self::parse(text, &|name| std::env::var(name).ok())
    }
}

impl DatabaseUrl {
    /// `variable` looks up environment variables: libpq's complete a PostgreSQL URL.
    pub(in crate::store) fn parse(
        text: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, DatabaseUrlError> {
        // A URL that is read from a file ends in a line feed.
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("sqlite:") {
            let path = sqlite_path(rest.strip_prefix("//").unwrap_or(rest))?;
            return Ok(Self(Target::Sqlite(path)));
        }
        let (is_jdbc, url) = match text.strip_prefix("jdbc:") {
            Some(url) => (true, url),
            None => (false, text),
        };
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
        let Some(rest) = rest else {
            let lower = text.to_lowercase();
            let is_keywords = !text.contains("://")
                && ["host", "dbname", "server"].iter().any(|keyword| {
                    lower
                        .split([' ', ';'])
                        .any(|part| part.trim().split('=').next() == Some(keyword))
                });
            return Err(match lower.strip_prefix("file:") {
                Some(_) => DatabaseUrlError::File,
                None if is_keywords => DatabaseUrlError::Keywords,
                None => DatabaseUrlError::Scheme,
            });
        };
        let url = PostgresUrl::parse(rest, is_jdbc, variable)?;
        Ok(Self(Target::Postgres(Box::new(url))))
    }

    /// The file of a SQLite database.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Target::Sqlite(path) => Some(path),
            Target::Postgres(_) => None,
        }
    }

    /// Whether the URL itself has a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.postgres().is_some_and(|url| url.has_password)
    }

    /// Whether the connection to another machine is unencrypted, or may be.
    #[must_use]
    pub fn is_in_the_clear(&self) -> bool {
        self.postgres().is_some_and(PostgresUrl::is_in_the_clear)
    }

    /// Whether it requires channel binding, which sqlx does not support.
    #[must_use]
    pub fn asks_for_binding(&self) -> bool {
        self.postgres().is_some_and(|url| url.asks_for_binding)
    }

    pub(in crate::store) fn postgres(&self) -> Option<&PostgresUrl> {
        match &self.0 {
            Target::Sqlite(_) => None,
            Target::Postgres(url) => Some(url),
        }
    }

    pub(in crate::store) fn target(&self) -> &Target {
        &self.0
    }
}

/// The path of the file. Parameters of other drivers are refused unless they ask for what is done anyway.
fn sqlite_path(text: &str) -> Result<PathBuf, DatabaseUrlError> {
    let (path, parameters) = text.split_once('?').unwrap_or((text, ""));
    if path.contains(":memory:") || parameters.contains("memory") {
        return Err(DatabaseUrlError::Memory);
    }
    if path.is_empty() {
        return Err(DatabaseUrlError::Path);
    }
    let is_so = |parameter: &str| ["", "mode=rwc", "cache=private"].contains(&parameter);
    // A path with a zero byte cannot be opened.
    if !parameters.split('&').all(is_so) || path.contains('\0') {
        return Err(DatabaseUrlError::SqliteParameter);
    }
    Ok(PathBuf::from(path))
}

/// For people: kind and location, without user and password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Target::Sqlite(path) => write!(f, "SQLite, {}", path.display()),
            Target::Postgres(url) => url.fmt(f),
        }
    }
}

/// Redacted: the options hold the password.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}
