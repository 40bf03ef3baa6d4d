//! Fields of audit events.

use async_graphql::{Context, ID, Object, Result};

use super::{AuditEvent, AuditKind, Session, User};
use crate::domain::origin::UserAgent;
use crate::graphql::global_id::GlobalId;
use crate::graphql::scalars::DateTime;

/// Something that happened, written down with it.
#[Object]
impl AuditEvent {
    /// What it is asked for by.
    pub(super) async fn id(&self) -> ID {
        GlobalId::AuditEvent(self.event.id).into()
    }

    /// What happened.
    async fn kind(&self) -> AuditKind {
        self.event.kind.into()
    }

    /// When.
    async fn occurred_at(&self) -> DateTime {
        self.event.occurred_at.into()
    }

    /// To whose account; null where to nobody's.
    async fn user(&self, context: &Context<'_>) -> Result<Option<User>> {
        match self.event.user_id {
            Some(id) => User::load(context, self.viewer, id).await,
            None => Ok(None),
        }
    }

    /// Who did it, where somebody did whom the viewer may see.
    async fn actor(&self, context: &Context<'_>) -> Result<Option<User>> {
        match self.event.actor {
            Some(id) => User::load(context, self.viewer, id).await,
            None => Ok(None),
        }
    }

    /// In which session, as long as that is remembered.
    async fn session(&self, context: &Context<'_>) -> Result<Option<Session>> {
        match self.event.session_id {
            Some(id) => Session::load(context, self.viewer, id).await,
            None => Ok(None),
        }
    }

    /// Address that it was done from. Null if an administrator did it, for everybody but
    /// administrators; and if unknown.
    async fn ip(&self) -> Option<String> {
        self.event.ip.filter(|_| self.origin_is_shown()).map(|ip| ip.to_string())
    }

    /// User agent that it was done with. Null as `ip` is.
    async fn user_agent(&self) -> Option<&str> {
        self.event.user_agent.as_ref().filter(|_| self.origin_is_shown()).map(UserAgent::as_str)
    }

    /// What else there is to say: why a session ended, and the administrator's note; what made
    /// guessing wait.
    async fn detail(&self) -> Option<&str> {
        self.event.detail.as_deref()
    }
}
