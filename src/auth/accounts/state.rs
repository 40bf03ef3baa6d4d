//! [`Accounts`]: the state that all its use cases share.

use std::sync::Arc;

use crate::auth::challenges::Challenges;
use crate::auth::emails::Emails;
use crate::auth::passwords::Passwords;
use crate::auth::sessions::{SessionEnds, Sessions};
use crate::auth::user_cache::UserCache;
use crate::clock::{Clock, Timestamp};
use crate::domain::audit::AuditKind;
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::domain::user::User;
use crate::store::{NewEvent, Store};

/// Accounts of users.
pub struct Accounts {
    pub(in crate::auth) store: Arc<Store>,
    pub(in crate::auth) passwords: Arc<Passwords>,
    pub(in crate::auth) sessions: Arc<Sessions>,
    pub(in crate::auth) ends: Arc<SessionEnds>,
    pub(in crate::auth) challenges: Arc<Challenges>,
    pub(in crate::auth) emails: Arc<Emails>,
    pub(in crate::auth) refuse_unverified_email: bool,
    pub(in crate::auth) users: Arc<UserCache>,
    pub(in crate::auth) registration_open: bool,
    pub(in crate::auth) clock: Arc<dyn Clock>,
}

impl Accounts {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Notes an account that was just changed, so that this process shows its new names at once.
    pub(super) fn note_change(&self, user: &User) {
        self.users.put(&Arc::new(user.clone()), self.clock.monotonic());
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
