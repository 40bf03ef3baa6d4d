//! The guard: who asks, judged from memory. Only a key that this process has never seen is looked for
//! in the database.
//!
//! Rule: a request's bearer token is verified once; whether its session has ended is asked each time
//! a protected field is reached, so that what follows a logout in one document is refused too. A
//! token that is bad or old is no error until a protected field is asked for.

use super::error::{Denial, Reason};
use super::{Actor, Auth};
use crate::crypto::access_token::AccessToken;
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::user::Role;

/// Whoever sent a request: what it brings, and from where.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Right in every respect, though it may have run out; or why not.
    token: Result<AccessToken, Denial>,
    origin: Origin,
    /// How often a key had been removed when the token was judged.
    removals: u64,
}

impl Caller {
    /// Where the request came from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The token it brings, which may have run out and whose session may have ended: enough to end
    /// that session, and for nothing else.
    pub(super) fn token(&self) -> Result<&AccessToken, Denial> {
        self.token.as_ref().map_err(|denial| *denial)
    }
}

/// Somebody who is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// Who.
    pub user_id: UserId,
    /// In which session.
    pub session_id: SessionId,
    /// With what role, as the token says it.
    pub role: Role,
}

impl Viewer {
    /// Whoever presents a token of this session that is good for nothing any more: nothing is theirs.
    pub(super) fn stranger(session_id: SessionId) -> Self {
        Self { user_id: UserId::NOBODY, session_id, role: Role::User }
    }

    /// Whether this viewer may know of what belongs to `owner`.
    #[must_use]
    pub fn may_see(&self, owner: UserId) -> bool {
        self.is_admin() || self.user_id == owner
    }

    /// Whether this viewer may know from where and with what client `actor` acted. Where that is not
    /// known, it may have been a thief, and whoever it was done to is told.
    #[must_use]
    pub fn may_see_origin_of(&self, actor: Option<UserId>) -> bool {
        actor.is_none_or(|actor| self.may_see(actor))
    }

    /// Whether this viewer may do everything.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    /// The viewer as the one who gives an order.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::User(self.user_id)
    }
}

impl Auth {
    /// Judges a request's bearer token. Nothing fails here.
    pub async fn caller(&self, bearer: Option<&str>, origin: Origin) -> Caller {
        let removals = self.keys.removals();
        let refused = |reason| Denial::Unauthenticated(reason);
        let token = match bearer {
            None => Err(refused(Reason::NoToken)),
            Some(token) => match self.recognize(token).await {
                Ok(token) => token.map_err(|refusal| refused(refusal.into())),
                Err(stale) => Err(stale.into()),
            },
        };
        Caller { token, origin, removals }
    }

    /// Who the caller is.
    ///
    /// # Errors
    /// [`Denial`] where the token is missing, bad or old, its session has ended, or nobody can tell.
    pub fn authenticate(&self, caller: &Caller) -> Result<Viewer, Denial> {
        let token = caller.token()?;
        if self.has_expired(token) {
            return Err(Denial::Unauthenticated(Reason::Expired));
        }
        if let Some(reason) = self.revocations.end_of(token.user_id, token.session_id)? {
            return Err(Denial::Unauthenticated(reason.into()));
        }
        let AccessToken { user_id, session_id, role, .. } = *token;
        Ok(Viewer { user_id, session_id, role })
    }

    /// Who the caller still is, whose token was judged some time ago. After a key was removed it may
    /// have been one of that key's.
    ///
    /// # Errors
    /// [`Denial`], as [`authenticate`](Self::authenticate) has it.
    pub fn authenticate_again(&self, caller: &Caller) -> Result<Viewer, Denial> {
        let viewer = self.authenticate(caller)?;
        if caller.removals == self.keys.removals() {
            Ok(viewer)
        } else {
            Err(Denial::Unauthenticated(Reason::Invalid))
        }
    }

    /// Who the caller is, if of this role.
    ///
    /// # Errors
    /// [`Denial`], also where the role is another.
    pub fn authorize(&self, caller: &Caller, role: Option<Role>) -> Result<Viewer, Denial> {
        let viewer = self.authenticate(caller)?;
        match role {
            Some(Role::Admin) if !viewer.is_admin() => Err(Denial::Forbidden),
            _ => Ok(viewer),
        }
    }

    pub(super) fn has_expired(&self, token: &AccessToken) -> bool {
        token.expires_at + self.issuer.leeway <= self.clock.now()
    }
}
