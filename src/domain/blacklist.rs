//! Blacklist entries: the history of refused refresh tokens, for people to read.
//!
//! An entry refuses nothing by itself; the session row does. So an entry may be purged, or be lost,
//! and no token comes back to life.

use std::net::IpAddr;

use super::id::{SessionId, TokenId, UserId};
use super::origin::UserAgent;
use super::session::EndReason;
use super::words;
use crate::clock::Timestamp;

words! {
    /// Why a refresh token is refused: it was rotated away, or its session was ended.
    BlacklistReason {
        /// A refresh put another token in its place.
        Rotated = "ROTATED",
        /// As [`EndReason::Logout`].
        Logout = "LOGOUT",
        /// As [`EndReason::LogoutAll`].
        LogoutAll = "LOGOUT_ALL",
        /// As [`EndReason::Admin`].
        Admin = "ADMIN",
        /// As [`EndReason::PasswordChanged`].
        PasswordChanged = "PASSWORD_CHANGED",
        /// As [`EndReason::RefreshReused`].
        RefreshReused = "REFRESH_REUSED",
        /// As [`EndReason::UserDeactivated`].
        UserDeactivated = "USER_DEACTIVATED",
        /// As [`EndReason::SessionLimit`].
        SessionLimit = "SESSION_LIMIT",
    }
}

impl From<EndReason> for BlacklistReason {
    fn from(reason: EndReason) -> Self {
        match reason {
            EndReason::Logout => Self::Logout,
            EndReason::LogoutAll => Self::LogoutAll,
            EndReason::Admin => Self::Admin,
            EndReason::PasswordChanged => Self::PasswordChanged,
            EndReason::RefreshReused => Self::RefreshReused,
            EndReason::UserDeactivated => Self::UserDeactivated,
            EndReason::SessionLimit => Self::SessionLimit,
        }
    }
}

/// One refresh token that is refused from now on.
#[derive(Clone, Debug)]
pub struct BlacklistEntry {
    /// The refused token's `jti`; the entry's own id.
    pub token_id: TokenId,
    /// The session it belonged to.
    pub session_id: SessionId,
    /// Whose it was.
    pub user_id: UserId,
    /// Its place in the session's chain, from 0.
    pub generation: i32,
    /// Why it is refused.
    pub reason: BlacklistReason,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Since when it is refused.
    pub blacklisted_at: Timestamp,
    /// When it would have run out.
    pub expires_at: Timestamp,
    /// Who caused it, where somebody did.
    pub actor: Option<UserId>,
    /// From where.
    pub ip: Option<IpAddr>,
    /// With what client.
    pub user_agent: Option<UserAgent>,
}
