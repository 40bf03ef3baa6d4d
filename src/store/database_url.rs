//! Where the database is, as an operator writes it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::postgres_url::{PostgresUrl, PostgresUrlError};

/// Where the database is: `sqlite://PATH` or `postgres://…`.
#[derive(Clone)]
pub struct DatabaseUrl(Target);

#[derive(Clone)]
pub(super) enum Target {
    Sqlite(PathBuf),
    Postgres(Box<PostgresUrl>),
}

/// A text that names no database. It does not repeat what may be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// Neither of the two schemes.
    #[error("a database URL is sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME")]
    Scheme,
    /// A connection string in another form.
    #[error("this is a list of keywords; write it as postgres://USER:PASSWORD@HOST/NAME")]
    Keywords,
    /// `file:`, as Prisma and SQLite itself have it.
    #[error("write a SQLite database as sqlite://PATH, not as file:PATH")]
    File,
    /// `sqlite://` without a path.
    #[error("sqlite:// needs the path of a file")]
    Path,
    /// A database in memory.
    #[error(
        "sqlite:// needs the path of a file: a database in memory would forget every session with \
         the process"
    )]
    Memory,
    /// A parameter of SQLite that is not known, or is not done here.
    #[error(
        "a sqlite:// URL takes no parameters but mode=rwc, which is how it is opened: leave out \
         what follows the question mark"
    )]
    SqliteParameter,
    /// A URL of PostgreSQL that is not understood.
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
    /// Reads a URL. `variable` is the environment, where libpq's variables fill in what a URL leaves
    /// out.
    pub(super) fn parse(
        text: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, DatabaseUrlError> {
        // As it comes out of a file.
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

    /// The path of an embedded database.
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

    /// Whether passwords and rows travel to another machine in the clear, or may.
    #[must_use]
    pub fn is_in_the_clear(&self) -> bool {
        self.postgres().is_some_and(PostgresUrl::is_in_the_clear)
    }

    /// Whether it asks for the login to be bound to the channel, which is not done.
    #[must_use]
    pub fn asks_for_binding(&self) -> bool {
        self.postgres().is_some_and(|url| url.asks_for_binding)
    }

    pub(super) fn postgres(&self) -> Option<&PostgresUrl> {
        match &self.0 {
            Target::Sqlite(_) => None,
            Target::Postgres(url) => Some(url),
        }
    }

    pub(super) fn target(&self) -> &Target {
        &self.0
    }
}

/// The path of a file; what other drivers know behind a question mark is refused unless it is so here.
fn sqlite_path(text: &str) -> Result<PathBuf, DatabaseUrlError> {
    let (path, parameters) = text.split_once('?').unwrap_or((text, ""));
    if path.contains(":memory:") || parameters.contains("memory") {
        return Err(DatabaseUrlError::Memory);
    }
    if path.is_empty() {
        return Err(DatabaseUrlError::Path);
    }
    let is_so = |parameter: &str| ["", "mode=rwc", "cache=private"].contains(&parameter);
    // What the system cannot name is no path either.
    if !parameters.split('&').all(is_so) || path.contains('\0') {
        return Err(DatabaseUrlError::SqliteParameter);
    }
    Ok(PathBuf::from(path))
}

/// For people: the kind and the place, without user or password.
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
