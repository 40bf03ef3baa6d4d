//! What is written down about logins, for the account's owner and for administrators.

use std::net::IpAddr;

use super::id::{SessionId, UserId};
use super::origin::UserAgent;
use super::unprintable::is_unprintable;
use super::words;
use crate::clock::Timestamp;

words! {
    /// What happened.
    AuditKind {
        /// Somebody registered.
        Registered = "REGISTERED",
        /// Somebody logged in.
        LoginSucceeded = "LOGIN_SUCCEEDED",
        /// Somebody did not know the password, or the name.
        LoginFailed = "LOGIN_FAILED",
        /// A refresh was answered a second time.
        RefreshRetried = "REFRESH_RETRIED",
        /// A token rotated away long before was used again; its session was ended.
        RefreshReused = "REFRESH_REUSED",
        /// A session was ended, for whatever reason.
        SessionEnded = "SESSION_ENDED",
        /// A password was changed or set.
        PasswordChanged = "PASSWORD_CHANGED",
        /// An administrator or the command line made an account.
        UserCreated = "USER_CREATED",
        /// An account was deactivated.
        UserDeactivated = "USER_DEACTIVATED",
        /// An account was activated again.
        UserActivated = "USER_ACTIVATED",
        /// A signing key was added.
        KeyRotated = "KEY_ROTATED",
        /// Guessing was slowed down.
        RateLimited = "RATE_LIMITED",
    }
}

/// An event's number, in the order in which they were written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuditEventId(pub i64);

impl AuditEventId {
    /// Reads the number as it is printed; any other spelling of it is refused, so that an id is one
    /// string everywhere.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.parse::<i64>().ok()?;
        (number > 0 && number.to_string() == text).then_some(Self(number))
    }
}

/// Something that happened, as it was written down.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    /// Its number.
    pub id: AuditEventId,
    /// What.
    pub kind: AuditKind,
    /// When.
    pub occurred_at: Timestamp,
    /// To whose account, where to somebody's.
    pub user_id: Option<UserId>,
    /// By whom, where somebody known did it.
    pub actor: Option<UserId>,
    /// In which session.
    pub session_id: Option<SessionId>,
    /// From where.
    pub ip: Option<IpAddr>,
    /// With what client.
    pub user_agent: Option<UserAgent>,
    /// What else there is to say.
    pub detail: Option<String>,
}

/// Why something was done, in the words of whoever did it: 1 to 500 characters that can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note(String);

/// A text that is no note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a note has 1 to 500 characters and no control characters")]
pub struct NoteError;

impl Note {
    const MAX_CHARS: usize = 500;

    /// Reads a note, trimmed.
    ///
    /// # Errors
    /// [`NoteError`] where it cannot be one.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let text = text.trim();
        let is_short = text.len() <= Self::MAX_CHARS * 4 && text.chars().count() <= Self::MAX_CHARS;
        if text.is_empty() || !is_short || text.chars().any(is_unprintable) {
            return Err(NoteError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
