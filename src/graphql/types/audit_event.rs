//! Audit events.

use std::sync::Arc;

use async_graphql::{Context, Result};

use crate::auth::Viewer;
use crate::clock::Timestamp;
use crate::domain;
use crate::domain::audit::AuditEventId;
use crate::domain::filter::AuditFilter;
use crate::domain::pagination::PageRequest;
use crate::graphql::connection::connection;
use crate::graphql::{auth, loaders, read_page};

/// An audit event, as its viewer sees it.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    pub(super) event: Arc<domain::audit::AuditEvent>,
    pub(super) viewer: Viewer,
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
        let (page, count) = read_page(context, count, page).await?;
        let key = |event: &domain::audit::AuditEvent| (event.occurred_at, event.id);
        Ok(AuditEventConnection::new(page, count, key, |event| Self {
            event: Arc::new(event),
            viewer,
        }))
    }

    /// Whether the viewer may see the address and the user agent.
    pub(super) fn origin_is_shown(&self) -> bool {
        self.viewer.may_see_origin_of(self.event.actor)
    }
}

connection!(AuditEvent: AuditEventConnection of AuditEventEdge);
