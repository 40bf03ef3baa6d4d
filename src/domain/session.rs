//! Sessions: one login and its chain of refresh tokens.
//!
//! A session has one outstanding refresh token. Whether any other token of the session is accepted follows
//! from the session's row and from the token's blacklist entry, if it still exists (see
//! [`refresh_decision`](super::refresh_decision)). So no list has to be complete for a refusal.

use std::net::IpAddr;

use super::authentication::Authentication;
use super::id::{SessionId, TokenId, UserId};
use super::origin::UserAgent;
use super::unprintable::is_unprintable;
use super::words::{extensible_words, words};
use crate::clock::Timestamp;

words! {
    SessionState {
        /// The session can be refreshed.
        Active = "ACTIVE",
        /// The outstanding refresh token has expired.
        Expired = "EXPIRED",
        Ended = "ENDED",
    }
}

words! {
    /// Reason for the end of a session.
    EndReason {
        /// Its user logged out.
        Logout = "LOGOUT",
        /// Its user logged out of several sessions at once.
        LogoutAll = "LOGOUT_ALL",
        /// An administrator ended it.
        Admin = "ADMIN",
        /// The password was changed from another session.
        PasswordChanged = "PASSWORD_CHANGED",
        /// A refresh token was used again after the retry window.
        RefreshReused = "REFRESH_REUSED",
        /// The user was deactivated.
        UserDeactivated = "USER_DEACTIVATED",
        /// A newer session exceeded the limit of sessions per user.
        SessionLimit = "SESSION_LIMIT",
        /// The account was deleted.
        AccountDeleted = "ACCOUNT_DELETED",
        /// The password was set by a code or link of a mail.
        PasswordReset = "PASSWORD_RESET",
        /// The address was verified elsewhere than where the account was registered.
        EmailVerified = "EMAIL_VERIFIED",
        /// A change of the address was taken back.
        EmailChangeReverted = "EMAIL_CHANGE_REVERTED",
        /// An administrator removed the second factors of the account.
        FactorsReset = "FACTORS_RESET",
        /// Written by a newer version, whose word this one does not know. Only read, never written.
        Unknown = "UNKNOWN",
    }
}
extensible_words!(EndReason);

/// One login and its chain of refresh tokens.
#[derive(Clone, Debug)]
pub struct Session {
    /// The claim `sid`.
    pub id: SessionId,
    pub user_id: UserId,
    /// Name given by the user.
    pub name: Option<SessionName>,
    /// User agent of the login.
    pub user_agent: Option<UserAgent>,
    /// Address of the login.
    pub ip: Option<IpAddr>,
    /// Address of the last refresh.
    pub last_ip: Option<IpAddr>,
    /// Time of the login.
    pub created_at: Timestamp,
    /// What the user showed, at the login and later.
    pub authentication: Authentication,
    /// Time of the login or of the last refresh.
    pub last_used_at: Timestamp,
    /// The outstanding refresh token.
    pub token: RefreshGrant,
    /// The last rotation.
    pub previous: Option<Rotation>,
    /// Number of rotations so far.
    pub generation: i32,
    /// Latest expiry of an access token of this session.
    pub access_expires_at: Timestamp,
    pub end: Option<End>,
}

/// Values that a refresh token is signed again from, together with the session's and the user's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshGrant {
    /// The claim `jti`.
    pub id: TokenId,
    /// The claim `iat`, a whole second.
    pub issued_at: Timestamp,
    /// The claim `exp`, a whole second.
    pub expires_at: Timestamp,
}

/// Replacement of a refresh token by the next one.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The replaced token.
    pub token_id: TokenId,
    pub at: Timestamp,
    /// Digest of the `attemptId` that the client sent, if it sent one.
    pub attempt: Option<AttemptHash>,
}

/// SHA-256 of an `attemptId`, which proves that a retry comes from the client that made the rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptHash(pub [u8; 32]);

/// End of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub at: Timestamp,
    pub reason: EndReason,
    /// User who ended it; `None` for the command line and for the service itself.
    pub by: Option<UserId>,
}

/// Name of a session: 1 to 100 printable characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A session name must have 1 to 100 characters and no control characters.")]
pub struct SessionNameError;

impl SessionName {
    /// Parses a name, without surrounding white space.
    pub fn parse(text: &str) -> Result<Self, SessionNameError> {
        let text = text.trim();
        let length = if text.len() <= 400 { text.chars().count() } else { usize::MAX };
        if !(1..=100).contains(&length) || text.chars().any(is_unprintable) {
            return Err(SessionNameError);
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Session {
    #[must_use]
    pub fn state(&self, now: Timestamp) -> SessionState {
        if self.end.is_some() {
            SessionState::Ended
        } else if self.token.expires_at <= now {
            SessionState::Expired
        } else {
            SessionState::Active
        }
    }

    /// Whether the session is active at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.state(now) == SessionState::Active
    }

    /// The session without the fields that only its user may see: name, user agents and addresses.
    #[must_use]
    pub fn outline(self) -> Self {
        Self { name: None, user_agent: None, ip: None, last_ip: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_unprintable_characters_is_refused() {
        for name in ["", " ", "a\u{7}", "a\u{202e}b", "a\u{2066}b", "a\u{61c}b", "a\u{2028}b"] {
            assert_eq!(SessionName::parse(name), Err(SessionNameError), "{name:?}");
        }
        assert_eq!(SessionName::parse(" Ada's \u{1f4bb} ").unwrap().as_str(), "Ada's \u{1f4bb}");
    }
}
