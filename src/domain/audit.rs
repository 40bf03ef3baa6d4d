//! Audit events, for the account's user and for administrators.

use std::net::IpAddr;

use super::id::{SessionId, UserId};
use super::origin::UserAgent;
use super::unprintable::is_unprintable;
use super::words::{extensible_words, words};
use crate::clock::Timestamp;

words! {
    AuditKind {
        Registered = "REGISTERED",
        LoginSucceeded = "LOGIN_SUCCEEDED",
        /// Wrong password or unknown name.
        LoginFailed = "LOGIN_FAILED",
        /// A right first step of a login that needs another one.
        LoginChallenged = "LOGIN_CHALLENGED",
        /// A refresh was answered again with the same tokens.
        RefreshRetried = "REFRESH_RETRIED",
        /// A refresh token was used again after the retry window, which ended its session.
        RefreshReused = "REFRESH_REUSED",
        /// A session ended, for any reason.
        SessionEnded = "SESSION_ENDED",
        /// A password was changed by its user or set by an administrator.
        PasswordChanged = "PASSWORD_CHANGED",
        /// An administrator or the command line created an account.
        UserCreated = "USER_CREATED",
        UserDeactivated = "USER_DEACTIVATED",
        UserActivated = "USER_ACTIVATED",
        /// An administrator changed the names, the role or the verification of an account.
        UserUpdated = "USER_UPDATED",
        /// An administrator reset the counters of failed attempts.
        UserUnlocked = "USER_UNLOCKED",
        UsernameChanged = "USERNAME_CHANGED",
        AccountExported = "ACCOUNT_EXPORTED",
        AccountDeleted = "ACCOUNT_DELETED",
        EmailVerified = "EMAIL_VERIFIED",
        EmailChanged = "EMAIL_CHANGED",
        /// A password was set by a code or link of a mail.
        PasswordReset = "PASSWORD_RESET",
        /// A user of a live session proved again to be the user.
        Reauthenticated = "REAUTHENTICATED",
        /// A wrong proof was given in a live session.
        ProofFailed = "PROOF_FAILED",
        /// A signing key was added.
        KeyRotated = "KEY_ROTATED",
        /// A second factor was added: an authenticator app, recovery codes or a passkey.
        FactorAdded = "FACTOR_ADDED",
        FactorRemoved = "FACTOR_REMOVED",
        RecoveryCodeUsed = "RECOVERY_CODE_USED",
        /// A device was remembered, on which a login needs no second factor.
        DeviceTrusted = "DEVICE_TRUSTED",
        /// Accounts were imported from another system, or changed by an import.
        UsersImported = "USERS_IMPORTED",
        /// A refresh token of another system was exchanged for a session.
        TokenExchanged = "TOKEN_EXCHANGED",
        /// An attempt was refused by a limit.
        RateLimited = "RATE_LIMITED",
        /// Written by a newer version, whose word this one does not know. Only read, never written.
        Unknown = "UNKNOWN",
    }
}
extensible_words!(AuditKind);

/// Sequence number of an audit event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuditEventId(pub i64);

impl AuditEventId {
    /// Parses the decimal form without leading zeros or a sign, so that an id has one text form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.parse::<i64>().ok()?;
        (number > 0 && number.to_string() == text).then_some(Self(number))
    }
}

#[derive(Clone, Debug)]
pub struct AuditEvent {
    pub id: AuditEventId,
    pub kind: AuditKind,
    pub occurred_at: Timestamp,
    /// Account that the event is about; `None` if there is none.
    pub user_id: Option<UserId>,
    /// User who caused it, if known.
    pub actor: Option<UserId>,
    pub session_id: Option<SessionId>,
    pub ip: Option<IpAddr>,
    pub user_agent: Option<UserAgent>,
    /// Further details, such as the note of an administrator.
    pub detail: Option<String>,
}

/// Reason that an administrator gives for an action: 1 to 500 printable characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A note must have 1 to 500 characters and no control characters.")]
pub struct NoteError;

impl Note {
    const MAX_CHARS: usize = 500;

    /// Parses a note, without surrounding white space.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let text = text.trim();
        let is_short = text.len() <= Self::MAX_CHARS * 4 && text.chars().count() <= Self::MAX_CHARS;
        if text.is_empty() || !is_short || text.chars().any(is_unprintable) {
            return Err(NoteError);
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
