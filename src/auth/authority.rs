//! Authority of callers: administrators, readers, and the requirements of fields.
//!
//! A use case for administrators takes an [`Admin`]. One is made of a viewer with the role, or by the
//! program's own commands; a test holds that no other room names [`Admin::operator`]. So the compiler
//! checks who may call such a use case, wherever it is called from.

use std::time::Duration;

use super::caller::Viewer;
use super::error::Denial;
use crate::clock::{MAX_SKEW, Timestamp};
use crate::domain::assurance::Assurance;
use crate::domain::id::{SessionId, UserId};
use crate::domain::user::Role;

/// Author of an administrator's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An operator, who may run the program's commands beside its database.
    Operator,
    User(UserId),
}

/// Longest time since an administrator last proved to be one, for orders that hand out power.
const RECENT: Duration = Duration::from_mins(10);

/// Permission to administer.
#[derive(Clone, Copy, Debug)]
pub struct Admin {
    actor: Actor,
    session: Option<SessionId>,
    /// When the administrator last proved to be the user; `None` for the operator.
    proved_at: Option<Timestamp>,
}

impl Admin {
    /// For the program's own commands: whoever may run them has the database and the master secret.
    #[must_use]
    pub fn operator() -> Self {
        Self { actor: Actor::Operator, session: None, proved_at: None }
    }

    pub(super) fn actor(self) -> Actor {
        self.actor
    }

    /// The account of the administrator; `None` for the operator.
    pub(super) fn user_id(self) -> Option<UserId> {
        match self.actor {
            Actor::Operator => None,
            Actor::User(id) => Some(id),
        }
    }

    /// For an order that only sometimes needs a recent login, which the schema cannot say.
    ///
    /// # Errors
    /// [`Denial::ReauthenticationRequired`].
    pub(super) fn require_recent(self, now: Timestamp) -> Result<(), Denial> {
        match self.proved_at {
            Some(at) if !is_recent(at, Some(RECENT), now) => {
                Err(Denial::ReauthenticationRequired { max_age: Some(RECENT), assurance: None })
            }
            _ => Ok(()),
        }
    }

    /// The session that gives the order; `None` for the operator.
    pub(super) fn session_id(self) -> Option<SessionId> {
        self.session
    }
}

impl Viewer {
    /// The viewer's permission to administer.
    ///
    /// # Errors
    /// [`Denial::Forbidden`] for any other role.
    pub fn admin(self) -> Result<Admin, Denial> {
        if !self.is_admin() {
            return Err(Denial::Forbidden);
        }
        let session = Some(self.session_id());
        let proved_at = Some(self.proved_at());
        Ok(Admin { actor: Actor::User(self.user_id()), session, proved_at })
    }
}

/// Whether something that was proved at this time is not older than this.
pub(super) fn is_recent(at: Timestamp, max_age: Option<Duration>, now: Timestamp) -> bool {
    // A proof later than clocks can be apart was made while the clock was wrong: how old it is, nobody knows.
    max_age.is_none_or(|max_age| now < at + max_age && at <= now + MAX_SKEW)
}

/// Reader of lists and objects.
#[derive(Clone, Copy, Debug)]
pub enum Reader {
    Viewer(Viewer),
    Admin(Admin),
}

impl Reader {
    pub(super) fn may_see(self, owner: UserId) -> bool {
        match self {
            Self::Viewer(viewer) => viewer.may_see(owner),
            Self::Admin(_) => true,
        }
    }

    /// The only account whose objects this reader may see; `None` for administrators, who see all.
    pub(super) fn only(self) -> Option<UserId> {
        match self {
            Self::Viewer(viewer) if !viewer.is_admin() => Some(viewer.user_id()),
            _ => None,
        }
    }
}

impl From<Viewer> for Reader {
    fn from(viewer: Viewer) -> Self {
        Self::Viewer(viewer)
    }
}

impl From<Admin> for Reader {
    fn from(admin: Admin) -> Self {
        Self::Admin(admin)
    }
}

/// Requirements of a protected field on its caller, beside a valid access token of an active session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    pub role: Option<Role>,
    /// Longest time since the user last proved to be the user.
    pub fresh_within: Option<Duration>,
    /// Weakest proof that is enough. With `fresh_within`, a second factor has to be as fresh.
    pub assurance: Option<Assurance>,
}

impl Requirement {
    /// A valid access token of an active session is enough.
    pub const LOGGED_IN: Self = Self { role: None, fresh_within: None, assurance: None };
}
