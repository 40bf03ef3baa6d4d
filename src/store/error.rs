//! Errors of the store, as far as callers must distinguish them.

use std::sync::Arc;

pub(in crate::store) type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed operation. A missing row is an `Option`, not an error.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, is overloaded, full or read-only, or aborted on a conflict. The
    /// same request may succeed later. Whether a write took place may be unknown.
    #[error("the database is unavailable")]
    Unavailable(#[source] Arc<sqlx::Error>),
    #[error("the database did not answer within {0:?}")]
    TooSlow(std::time::Duration),
    /// Concurrent changes of the same row exhausted the retries.
    #[error("concurrent requests changed the row too often")]
    Contended,
    /// Another transaction committed between a check and the write that relied on it. The operation is
    /// repeated.
    #[error("a concurrent request changed the row")]
    LostRace,
    /// A statement failed or a row is invalid: a bug, or a manual change of the database.
    #[error("unexpected database error")]
    Unexpected(#[source] Arc<sqlx::Error>),
}

impl Error {
    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        !matches!(self, Self::Unexpected(_))
    }

    /// A serialization failure, a deadlock, or a value that became taken after a statement had found it
    /// free: nothing was written, and a retry may succeed at once.
    pub(in crate::store) fn is_lost_race(&self) -> bool {
        let (Self::Unavailable(error) | Self::Unexpected(error)) = self else {
            return matches!(self, Self::LostRace);
        };
        let sqlx::Error::Database(error) = error.as_ref() else { return false };
        matches!(error.code().as_deref(), Some("40001" | "40P01" | "23505"))
    }

    /// An invalid row. `what` names the column, never its content.
    pub(in crate::store) fn unreadable(what: &'static str) -> Self {
        Self::Unexpected(Arc::new(sqlx::Error::Decode(format!("unreadable {what}").into())))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let temporary = match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            // An incomplete message: the server or a proxy closed the connection midway.
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(error) => error.code().is_some_and(|code| is_temporary(&code)),
            _ => false,
        };
        let error = Arc::new(error);
        if temporary { Self::Unavailable(error) } else { Self::Unexpected(error) }
    }
}

/// Whether a result code of `SQLite` or an SQLSTATE of PostgreSQL says nothing about the statement.
fn is_temporary(code: &str) -> bool {
    // Extended result codes keep the primary code in the low byte: busy, locked, read-only, I/O,
    // full, cannot open, protocol.
    if code.len() != 5 {
        let primary = code.parse::<u32>().map(|code| code & 0xff);
        return matches!(primary, Ok(5 | 6 | 8 | 10 | 13 | 14 | 15));
    }
    // Connection, resources, operator intervention, system error; serialization and deadlock;
    // a read-only transaction (a standby, a disk that fills up).
    ["08", "53", "57", "58", "40"].iter().any(|class| code.starts_with(class)) || code == "25006"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_makes_no_sense_is_an_outage() {
        assert!(Error::from(sqlx::Error::Protocol("?".to_owned())).is_temporary());
        assert!(!Error::from(sqlx::Error::RowNotFound).is_temporary());
    }

    #[test]
    fn what_passes_is_told_from_what_stays() {
        for code in ["5", "517", "13", "778", "08006", "53300", "57P01", "40001", "25006"] {
            assert!(is_temporary(code), "{code}");
        }
        for code in ["1", "19", "2067", "11", "42601", "23505", "22021"] {
            assert!(!is_temporary(code), "{code}");
        }
    }
}
