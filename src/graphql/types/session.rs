//! Sessions.

use std::sync::Arc;

use async_graphql::{Context, Result, SelectionField, SimpleObject};

use super::DeviceType;
use crate::auth::Viewer;
use crate::domain;
use crate::domain::filter::SessionFilter;
use crate::domain::id::SessionId;
use crate::domain::pagination::PageRequest;
use crate::graphql::connection::connection;
use crate::graphql::{auth, loaders, read_page};

/// A session, as its viewer sees it.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) id: SessionId,
    /// `None` if the selected fields are known without the row.
    row: Option<Arc<domain::session::Session>>,
    pub(super) viewer: Viewer,
}

/// Fields that the session ID determines. They are names of the schema: a field that is renamed must be
/// renamed here.
const FIELDS_OF_THE_ID: [&str; 4] = ["id", "sid", "isCurrent", "__typename"];

/// Client of a session: its device and IP addresses.
#[derive(Clone, Debug, SimpleObject)]
pub struct SessionClient {
    /// User agent of the login, at most 512 characters; null if the client sent none, or deleted by
    /// age.
    pub(super) user_agent: Option<String>,
    /// Name and version of the browser, e.g. `Firefox 145.0`; null if the user agent does not name
    /// it.
    pub(super) browser: Option<String>,
    /// Name and version of the operating system, e.g. `Windows 10`; null if the user agent does not
    /// name it.
    pub(super) os: Option<String>,
    /// Type of the device; `UNKNOWN` if the user agent does not name it.
    pub(super) device: DeviceType,
    /// IP address of the login; null if unknown or deleted by age.
    pub(super) ip: Option<String>,
    /// IP address of the last refresh, or of the login if the session has not been refreshed; null
    /// if unknown or deleted by age.
    pub(super) last_ip: Option<String>,
}

impl Session {
    pub(in crate::graphql) fn new(session: domain::session::Session, viewer: Viewer) -> Self {
        Self::shared(Arc::new(session), viewer)
    }

    pub(in crate::graphql) fn shared(
        session: Arc<domain::session::Session>,
        viewer: Viewer,
    ) -> Self {
        Self { id: session.id, row: Some(session), viewer }
    }

    /// The session of the access token. The guard has checked it in memory, so fields that the token
    /// determines need no query.
    pub(in crate::graphql) async fn current(
        context: &Context<'_>,
        viewer: Viewer,
    ) -> Result<Option<Self>> {
        let is_known = |field: SelectionField<'_>| FIELDS_OF_THE_ID.contains(&field.name());
        if context.field().selection_set().all(is_known) {
            return Ok(Some(Self { id: viewer.session_id(), row: None, viewer }));
        }
        Self::load(context, viewer, viewer.session_id()).await
    }

    /// The session, if the viewer may see it.
    pub(in crate::graphql) async fn load(
        context: &Context<'_>,
        viewer: Viewer,
        id: SessionId,
    ) -> Result<Option<Self>> {
        let session = loaders(context).session(id).await?;
        let seen = session.filter(|session| viewer.may_see(session.user_id));
        Ok(seen.map(|session| Self::shared(session, viewer)))
    }

    /// A page of sessions.
    pub(in crate::graphql) async fn list(
        context: &Context<'_>,
        viewer: Viewer,
        filter: SessionFilter,
        page: &PageRequest<SessionId>,
    ) -> Result<SessionConnection> {
        let auth = auth(context);
        let count = auth.reads.count_sessions(viewer, filter.clone());
        let page = auth.reads.sessions(viewer, filter, page);
        let (page, count) = read_page(context, count, page).await?;
        Ok(SessionConnection::new(
            page,
            count,
            |session| session.id,
            |session| Self::new(session, viewer),
        ))
    }

    pub(super) fn row(&self) -> Result<&domain::session::Session> {
        // `current` reads the row if a field needs it, so this is a bug.
        self.row.as_deref().ok_or_else(|| "a session that was not read".into())
    }
}

connection!(Session: SessionConnection of SessionEdge);
