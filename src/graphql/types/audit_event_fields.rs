//! Fields of audit events.

use async_graphql::{Context, ID, Object, Result};

use super::{AuditEvent, AuditKind, Session, User};
use crate::domain::origin::UserAgent;
use crate::graphql::global_id::GlobalId;
use crate::graphql::scalars::DateTime;

/// Entry of the audit log, such as a login or a change of a password. Entries are deleted by age.
#[Object]
impl AuditEvent {
    /// Global object ID (Relay Node).
    pub(super) async fn id(&self) -> ID {
        GlobalId::AuditEvent(self.event.id).into()
    }

    /// Kind of event, e.g. `LOGIN_FAILED`.
    async fn kind(&self) -> AuditKind {
        self.event.kind.into()
    }

    /// When the event happened.
    async fn occurred_at(&self) -> DateTime {
        self.event.occurred_at.into()
    }

    /// Account that the event is about; null if there is none, e.g. for a rotation of the signing
    /// key.
    async fn user(&self, context: &Context<'_>) -> Result<Option<User>> {
        match self.event.user_id {
            Some(id) => User::load(context, self.viewer, id).await,
            None => Ok(None),
        }
    }

    /// User who caused the event. Null if unknown, if the caller may not see this user, or if the
    /// service itself or the command line caused the event.
    async fn actor(&self, context: &Context<'_>) -> Result<Option<User>> {
        match self.event.actor {
            Some(id) => User::load(context, self.viewer, id).await,
            None => Ok(None),
        }
    }

    /// Session of the event; null if there is none or the session has been deleted since.
    async fn session(&self, context: &Context<'_>) -> Result<Option<Session>> {
        match self.event.session_id {
            Some(id) => Session::load(context, self.viewer, id).await,
            None => Ok(None),
        }
    }

    /// IP address of the request. Null if unknown or deleted by age; also null if an administrator
    /// caused the event and the caller is not an administrator.
    async fn ip(&self) -> Option<String> {
        self.event.ip.filter(|_| self.origin_is_shown()).map(|ip| ip.to_string())
    }

    /// User agent of the request, at most 512 characters; null in the same cases as `ip`.
    async fn user_agent(&self) -> Option<&str> {
        self.event.user_agent.as_ref().filter(|_| self.origin_is_shown()).map(UserAgent::as_str)
    }

    /// Further details, in English; null if there are none. `SESSION_ENDED`: the `EndReason`,
    /// followed by the note of the administrator if there is one, e.g. `ADMIN: lost laptop`.
    /// `RATE_LIMITED`: the limit that was reached, e.g. `account and address`.
    async fn detail(&self) -> Option<&str> {
        self.event.detail.as_deref()
    }
}
