//! Blacklist entries: the history of refused refresh tokens, for people to read.
//!
//! An entry refuses nothing by itself; the session row does. So an entry may be purged or lost without
//! any token becoming valid again.

use std::net::IpAddr;

use super::id::{SessionId, TokenId, UserId};
use super::origin::UserAgent;
use super::session::EndReason;
use crate::clock::Timestamp;

/// Reason why a refresh token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlacklistReason {
    /// A refresh replaced it by the next token of its session.
    Rotated,
    /// Its session ended.
    Ended(EndReason),
}

impl BlacklistReason {
    const ROTATED: &str = "ROTATED";

    pub fn all() -> impl Iterator<Item = Self> {
        let ends = EndReason::ALL.iter().map(|reason| Self::Ended(*reason));
        std::iter::once(Self::Rotated).chain(ends)
    }

    /// `ROTATED`, or the word of the end reason.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rotated => Self::ROTATED,
            Self::Ended(reason) => reason.as_str(),
        }
    }

    /// The value of a stored word, which may be one of a newer version.
    #[must_use]
    pub fn read(word: &str) -> Self {
        Self::parse(word).unwrap_or(Self::Ended(EndReason::Unknown))
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            Self::ROTATED => Some(Self::Rotated),
            _ => EndReason::parse(word).map(Self::Ended),
        }
    }
}

/// A refused refresh token.
#[derive(Clone, Debug)]
pub struct BlacklistEntry {
    /// The token's `jti`; also the id of the entry.
    pub token_id: TokenId,
    pub session_id: SessionId,
    pub user_id: UserId,
    /// Number of rotations in the session before this token.
    pub generation: i32,
    pub reason: BlacklistReason,
    /// When the token was issued.
    pub issued_at: Timestamp,
    pub blacklisted_at: Timestamp,
    /// When the token would have expired.
    pub expires_at: Timestamp,
    /// User who ended the session; `None` for a rotation, and if no user did.
    pub actor: Option<UserId>,
    /// Address of the request that caused it.
    pub ip: Option<IpAddr>,
    /// User agent of the request that caused it.
    pub user_agent: Option<UserAgent>,
}
