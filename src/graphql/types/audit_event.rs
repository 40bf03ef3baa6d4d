//! Audit events.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::{AuditKind, Session, User};
use crate::auth::Viewer;
use crate::clock::Timestamp;
use crate::domain;
use crate::domain::audit::AuditEventId;
use crate::domain::filter::AuditFilter;
use crate::domain::origin::UserAgent;
use crate::domain::page::PageRequest;
use crate::graphql::connection::AuditEventConnection;
use crate::graphql::global_id::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::graphql::{auth, loaders, reads};

/// An audit event, as its viewer sees it.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    event: Arc<domain::audit::AuditEvent>,
    viewer: Viewer,
}

impl AuditEvent {
    /// The event, if the viewer may see it.
    pub(in crate::graphql) async fn load(
        context: &Context<'_>,
        viewer: Viewer,
        id: AuditEventId,
    ) -> Result<Option<Self>> {
        let event = loaders(context).audit_event(id).await?;
        // Events of no account are visible to administrators only.
        let may_see = |owner: Option<_>| owner.map_or(viewer.is_admin(), |id| viewer.may_see(id));
        Ok(event.filter(|event| may_see(event.user_id)).map(|event| Self { event, viewer }))
    }

    /// A page of events.
    pub(in crate::graphql) async fn list(
        context: &Context<'_>,
        viewer: Viewer,
        filter: AuditFilter,
        page: &PageRequest<(Timestamp, AuditEventId)>,
    ) -> Result<AuditEventConnection> {
        let auth = auth(context);
        let count = auth.reads.count_audit_events(viewer, filter.clone());
        let page = auth.reads.audit_events(viewer, filter, page);
        let (page, count) = reads::read(context, count, page).await?;
        let key = |event: &domain::audit::AuditEvent| (event.occurred_at, event.id);
        Ok(AuditEventConnection::new(page, count, key, |event| Self {
            event: Arc::new(event),
            viewer,
        }))
    }

    /// Whether the viewer may see the address and the user agent.
    fn origin_is_shown(&self) -> bool {
        self.viewer.may_see_origin_of(self.event.actor)
    }
}

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
