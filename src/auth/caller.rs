//! Sender of a request, before and after authentication.

use std::sync::Arc;

use super::error::Denial;
use crate::clock::Timestamp;
use crate::crypto::access_token::AccessToken;
use crate::domain::id::{SessionId, UserId};
use crate::domain::locale::Locale;
use crate::domain::origin::Origin;
use crate::domain::user::Role;

/// Sender of a request: its bearer token, verified, and its origin.
#[derive(Clone, Debug)]
pub struct Caller {
    /// A token that is valid but may have expired, or whose session may have ended; or why there is none.
    token: Result<AccessToken, Denial>,
    origin: Origin,
    /// Count of removed signing keys at the time of verification.
    removed_keys: u64,
    /// Languages that the client accepts, as it sent them. Only mails read them.
    accepted_languages: Option<Arc<str>>,
}

impl Caller {
    pub(super) fn new(
        token: Result<AccessToken, Denial>,
        origin: Origin,
        removed_keys: u64,
    ) -> Self {
        Self { token, origin, removed_keys, accepted_languages: None }
    }

    /// With the value of `Accept-Language`.
    #[must_use]
    pub fn accepting(self, languages: Option<&str>) -> Self {
        Self { accepted_languages: languages.map(Into::into), ..self }
    }

    /// Languages that the client accepts, by preference.
    #[must_use]
    pub fn languages(&self) -> Vec<Locale> {
        self.accepted_languages.as_deref().map(Locale::accepted).unwrap_or_default()
    }

    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The token, which may have expired and whose session may have ended: enough to end that session,
    /// and for nothing else.
    pub(super) fn token(&self) -> Result<&AccessToken, Denial> {
        self.token.as_ref().map_err(|denial| *denial)
    }

    pub(super) fn removed_keys(&self) -> u64 {
        self.removed_keys
    }
}

/// A caller who is logged in, as the access token says. Outside of `auth` nobody
/// makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer {
    user_id: UserId,
    session_id: SessionId,
    role: Role,
    proved_at: Timestamp,
}

impl Viewer {
    pub(super) fn new(
        user_id: UserId,
        session_id: SessionId,
        role: Role,
        proved_at: Timestamp,
    ) -> Self {
        Self { user_id, session_id, role, proved_at }
    }

    pub(super) fn of(token: &AccessToken) -> Self {
        Self::new(token.user_id, token.session_id, token.role, token.auth_time)
    }

    /// Holder of a token of this session that may not be valid any more: never recent.
    pub(super) fn holder(user_id: UserId, session_id: SessionId) -> Self {
        Self::new(user_id, session_id, Role::User, Timestamp::from_micros(0))
    }

    /// Holder of a token of this session that is no longer valid; may see nothing of its user.
    pub(super) fn stranger(session_id: SessionId) -> Self {
        Self::holder(UserId::NOBODY, session_id)
    }

    #[must_use]
    pub fn user_id(&self) -> UserId {
        self.user_id
    }

    #[must_use]
    pub fn session_id(&self) -> SessionId {
        self.session_id
    }

    /// When the user last proved to be the user.
    pub(super) fn proved_at(&self) -> Timestamp {
        self.proved_at
    }

    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    /// Whether this viewer may see what belongs to `owner`.
    #[must_use]
    pub fn may_see(&self, owner: UserId) -> bool {
        self.is_admin() || self.user_id == owner
    }

    /// Whether this viewer may see the address and the user agent of `actor`. An unknown actor may have
    /// been a thief, so the account's owner sees them.
    #[must_use]
    pub fn may_see_origin_of(&self, actor: Option<UserId>) -> bool {
        actor.is_none_or(|actor| self.may_see(actor))
    }
}
