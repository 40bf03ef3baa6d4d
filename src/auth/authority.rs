//! Authority of callers: administrators, readers, and the requirements of fields.
//!
//! A use case for administrators takes an [`Admin`]. One is made of a viewer with the role, or by the
//! program's own commands; a test holds that no other room names [`Admin::operator`]. So the compiler
//! checks who may call such a use case, wherever it is called from.

use std::time::Duration;

use super::caller::Viewer;
use super::error::Denial;
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

/// Permission to administer.
#[derive(Clone, Copy, Debug)]
pub struct Admin {
    actor: Actor,
    session: Option<SessionId>,
}

impl Admin {
    /// For the program's own commands: whoever may run them has the database and the master secret.
    #[must_use]
    pub fn operator() -> Self {
        Self { actor: Actor::Operator, session: None }
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
        Ok(Admin { actor: Actor::User(self.user_id()), session })
    }
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

/// Requirements of a protected field on its caller, beside a valid access token of an active session. The
/// directive of the schema does not set the assurance; every session is opened by one factor so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    pub role: Option<Role>,
    /// Longest time since the user last proved to be the user.
    pub fresh_within: Option<Duration>,
    /// Weakest proof that is enough.
    pub assurance: Option<Assurance>,
}

impl Requirement {
    /// A valid access token of an active session is enough.
    pub const LOGGED_IN: Self = Self { role: None, fresh_within: None, assurance: None };
}
