//! Sessions: one login and the chain of refresh tokens that grew from it.
//!
//! Rule: a session has one outstanding refresh token. What any other token of it may still do follows
//! from this row, and from the token's own entry if it is there ([`Session::decide_refresh`](super::refresh_decision)):
//! no list has to be complete for a refusal.

use std::net::IpAddr;

use super::id::{SessionId, TokenId, UserId};
use super::origin::UserAgent;
use super::unprintable::is_unprintable;
use super::words;
use crate::clock::Timestamp;

words! {
    /// How a session stands.
    SessionState {
        /// It can be refreshed.
        Active = "ACTIVE",
        /// Its outstanding refresh token ran out.
        Expired = "EXPIRED",
        /// Somebody or something ended it.
        Ended = "ENDED",
    }
}

words! {
    /// What ended a session.
    EndReason {
        /// Its user logged it out.
        Logout = "LOGOUT",
        /// Its user logged out of several sessions at once.
        LogoutAll = "LOGOUT_ALL",
        /// An administrator ended it.
        Admin = "ADMIN",
        /// The password was changed from another session.
        PasswordChanged = "PASSWORD_CHANGED",
        /// A refresh token that was rotated away long before was used again.
        RefreshReused = "REFRESH_REUSED",
        /// The account was deactivated.
        UserDeactivated = "USER_DEACTIVATED",
        /// A newer session took its place under the limit of sessions a user.
        SessionLimit = "SESSION_LIMIT",
    }
}

/// One login and its chain of refresh tokens.
#[derive(Clone, Debug)]
pub struct Session {
    /// The claim `sid`.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// What its user calls it.
    pub name: Option<SessionName>,
    /// What the client called itself at login.
    pub user_agent: Option<UserAgent>,
    /// The address of the login.
    pub ip: Option<IpAddr>,
    /// The address of the last refresh.
    pub last_ip: Option<IpAddr>,
    /// The moment of the login, the claim `auth_time`.
    pub created_at: Timestamp,
    /// The last login or refresh.
    pub last_used_at: Timestamp,
    /// The outstanding refresh token.
    pub token: RefreshGrant,
    /// The token rotated away last, and when.
    pub previous: Option<Rotation>,
    /// Rotations so far.
    pub generation: i32,
    /// The last moment at which an access token of it could be alive.
    pub access_expires_at: Timestamp,
    /// How it ended, where it did.
    pub end: Option<End>,
}

/// The three facts of which a refresh token is made anew, byte for byte; with the session's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshGrant {
    /// The claim `jti`.
    pub id: TokenId,
    /// The claim `iat`: a whole second.
    pub issued_at: Timestamp,
    /// The claim `exp`: a whole second.
    pub expires_at: Timestamp,
}

/// The step from one refresh token to the next.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The token rotated away.
    pub token_id: TokenId,
    /// When.
    pub at: Timestamp,
    /// The digest of the `attemptId` the client sent, where it sent one.
    pub attempt: Option<AttemptHash>,
}

/// SHA-256 of an `attemptId`: the proof that a retry comes from whoever made the rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptHash(pub [u8; 32]);

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// What ended it.
    pub reason: EndReason,
    /// Who ended it, where somebody did.
    pub by: Option<UserId>,
}

/// A name a user gives a session: 1 to 100 characters that can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionName(String);

/// A text that cannot name a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session's name has 1 to 100 characters and no control characters")]
pub struct SessionNameError;

impl SessionName {
    /// Reads a name, trimmed.
    ///
    /// # Errors
    /// [`SessionNameError`] where it cannot be one.
    pub fn parse(text: &str) -> Result<Self, SessionNameError> {
        let text = text.trim();
        let length = if text.len() <= 400 { text.chars().count() } else { usize::MAX };
        if !(1..=100).contains(&length) || text.chars().any(is_unprintable) {
            return Err(SessionNameError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Session {
    /// How the session stands at `now`.
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

    /// Whether it can be refreshed at `now`, as far as the session itself is concerned.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.state(now) == SessionState::Active
    }

    /// The session without what is only for its user to see: its name, its client and its addresses.
    #[must_use]
    pub fn outline(self) -> Self {
        Self { name: None, user_agent: None, ip: None, last_ip: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_unprintable_is_none() {
        for name in ["", " ", "a\u{7}", "a\u{202e}b", "a\u{2066}b", "a\u{61c}b", "a\u{2028}b"] {
            assert_eq!(SessionName::parse(name), Err(SessionNameError), "{name:?}");
        }
        assert_eq!(SessionName::parse(" Ada's \u{1f4bb} ").unwrap().as_str(), "Ada's \u{1f4bb}");
    }
}
