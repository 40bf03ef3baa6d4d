//! The order to end sessions: which, why, and by whom.

use crate::clock::Timestamp;
use crate::domain::audit::Note;
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;
use crate::store::query::conditions::{Arg, Conditions};

/// Maximum number of sessions of a wide scope that end in one transaction. A statement that ends rows
/// takes time in proportion, and every operation has a timeout; more sessions end by a
/// [floor](super::floor).
pub const MAX_ENDS_PER_TRANSACTION: usize = 1_000;

/// A set of live sessions.
#[derive(Clone, Debug)]
pub enum Scope {
    One(SessionId),
    /// This session, if it belongs to this user.
    Own {
        user: UserId,
        session: SessionId,
    },
    /// All sessions of a user.
    User(UserId),
    /// All sessions of a user except one.
    Others {
        user: UserId,
        except: SessionId,
    },
    /// All sessions of all users.
    All,
    /// All sessions of all users except one.
    AllBut(SessionId),
    These(Vec<SessionId>),
}

#[derive(Clone, Debug)]
pub struct EndSessions {
    pub scope: Scope,
    pub reason: EndReason,
    /// Now.
    pub at: Timestamp,
    /// The user who gave the order, if known.
    pub actor: Option<UserId>,
    pub origin: Origin,
    /// The reason in the words of the administrator.
    pub note: Option<Note>,
}

impl Scope {
    /// The owner, if all sessions of the scope belong to one user.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match *self {
            Self::Own { user, .. } | Self::User(user) | Self::Others { user, .. } => Some(user),
            Self::One(_) | Self::All | Self::AllBut(_) | Self::These(_) => None,
        }
    }

    /// Owner and exception of a wide scope, which may contain any number of sessions.
    pub(in crate::store) fn wide(&self) -> Option<(Option<UserId>, Option<SessionId>)> {
        match *self {
            Self::User(user) => Some((Some(user), None)),
            Self::Others { user, except } => Some((Some(user), Some(except))),
            Self::All => Some((None, None)),
            Self::AllBut(except) => Some((None, Some(except))),
            Self::One(_) | Self::Own { .. } | Self::These(_) => None,
        }
    }
}

impl EndSessions {
    /// Conditions on `sessions`, for a statement that has `own` placeholders, of which `$1` is the time.
    pub(in crate::store) fn conditions(&self, own: usize) -> Conditions {
        let mut conditions = Conditions::after(own);
        conditions.and("ended_at IS NULL AND token_expires_at > $1", []);
        let uuid = |user: &UserId| Arg::Uuid(user.as_uuid());
        match &self.scope {
            Scope::One(session) => conditions.and("id = ?", [Arg::Uuid(session.as_uuid())]),
            Scope::Own { user, session } => {
                conditions
                    .and("id = ? AND user_id = ?", [Arg::Uuid(session.as_uuid()), uuid(user)]);
            }
            Scope::User(user) => conditions.and("user_id = ?", [uuid(user)]),
            Scope::Others { user, except } => {
                conditions
                    .and("user_id = ? AND id <> ?", [uuid(user), Arg::Uuid(except.as_uuid())]);
            }
            Scope::All => {}
            Scope::AllBut(except) => conditions.and("id <> ?", [Arg::Uuid(except.as_uuid())]),
            Scope::These(sessions) => conditions
                .and_one_of("id", sessions.iter().map(|id| Arg::Uuid(id.as_uuid())).collect()),
        }
        conditions
    }

    /// The same conditions; for a wide scope also that no more than [`MAX_ENDS_PER_TRANSACTION`]
    /// sessions meet them.
    pub(in crate::store) fn conditions_if_few(&self, own: usize) -> String {
        let conditions = self.conditions(own).sql().to_owned();
        if self.scope.wide().is_none() {
            return conditions;
        }
        format!(
            "{conditions} AND (SELECT count(*) FROM (SELECT 1 FROM sessions WHERE {conditions} \
             LIMIT {}) AS found) <= {MAX_ENDS_PER_TRANSACTION}",
            MAX_ENDS_PER_TRANSACTION + 1
        )
    }

    /// The detail of the audit events.
    pub(in crate::store) fn detail(&self, reason: &str) -> String {
        let note = self.note.as_ref();
        note.map_or_else(|| reason.to_owned(), |note| format!("{reason}: {}", note.as_str()))
    }
}
