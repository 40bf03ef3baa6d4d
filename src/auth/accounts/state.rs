//! [`Accounts`]: the state that all its use cases share.

use std::sync::Arc;

use crate::auth::passwords::Passwords;
use crate::auth::sessions::{SessionEnds, Sessions};
use crate::clock::{Clock, Timestamp};
use crate::domain::audit::AuditKind;
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::store::{NewEvent, Store};

/// Accounts of users.
pub struct Accounts {
    pub(in crate::auth) store: Arc<Store>,
    pub(in crate::auth) passwords: Arc<Passwords>,
    pub(in crate::auth) sessions: Arc<Sessions>,
    pub(in crate::auth) ends: Arc<SessionEnds>,
    pub(in crate::auth) registration_open: bool,
    pub(in crate::auth) clock: Arc<dyn Clock>,
}

impl Accounts {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The audit event of a change to an account, by an administrator or the operator (`None`).
pub(super) fn event(
    kind: AuditKind,
    user: UserId,
    actor: Option<UserId>,
    at: Timestamp,
    origin: Origin,
) -> NewEvent {
    NewEvent { kind, at, user: Some(user), actor, session: None, origin, detail: None }
}
