//! Sessions.

#![expect(clippy::unused_async, reason = "a resolver is one, whether or not it waits")]

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SelectionField, SimpleObject};

use super::{BlacklistEntry, DeviceType, EndReason, SessionState, User};
use crate::auth::Viewer;
use crate::domain;
use crate::domain::filter::{BlacklistFilter, SessionFilter};
use crate::domain::id::SessionId;
use crate::domain::origin::{Device, UserAgent};
use crate::domain::page::PageRequest;
use crate::domain::session::SessionName;
use crate::graphql::connection::{BlacklistEntryConnection, SessionConnection};
use crate::graphql::cursor::page;
use crate::graphql::global_id::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::graphql::{auth, loaders, reads};

/// A session, as its viewer sees it.
#[derive(Clone, Debug)]
pub struct Session {
    id: SessionId,
    /// `None` if the selected fields are known without the row.
    row: Option<Arc<domain::session::Session>>,
    viewer: Viewer,
}

/// Fields that the session ID determines. They are names of the schema: a field that is renamed must be
/// renamed here.
const FIELDS_OF_THE_ID: [&str; 4] = ["id", "sid", "isCurrent", "__typename"];

/// What a session was opened with, and from where.
#[derive(Clone, Debug, SimpleObject)]
pub struct SessionClient {
    /// What the client called itself.
    user_agent: Option<String>,
    /// Name and version of the browser, as far as that says.
    browser: Option<String>,
    /// Name and version of the operating system, as far as that says.
    os: Option<String>,
    /// The kind of device.
    device: DeviceType,
    /// The address of the login.
    ip: Option<String>,
    /// The address of the last refresh.
    last_ip: Option<String>,
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
        let (page, count) = reads::read(context, count, page).await?;
        Ok(SessionConnection::new(
            page,
            count,
            |session| session.id,
            |session| Self::new(session, viewer),
        ))
    }

    fn row(&self) -> Result<&domain::session::Session> {
        // `current` reads the row if a field needs it, so this is a bug.
        self.row.as_deref().ok_or_else(|| "a session that was not read".into())
    }
}

/// One login and the chain of refresh tokens that grew from it; it holds the one outstanding refresh
/// token.
#[Object]
impl Session {
    /// What it is asked for by.
    pub(super) async fn id(&self) -> ID {
        GlobalId::Session(self.id).into()
    }

    /// The claim `sid` of its tokens.
    async fn sid(&self) -> String {
        self.id.to_string()
    }

    /// Whose it is.
    async fn user(&self, context: &Context<'_>) -> Result<Option<User>> {
        User::load(context, self.viewer, self.row()?.user_id).await
    }

    /// How it stands.
    async fn state(&self, context: &Context<'_>) -> Result<SessionState> {
        Ok(self.row()?.state(auth(context).system.now()).into())
    }

    /// Whether it is the one that asks.
    async fn is_current(&self) -> bool {
        self.id == self.viewer.session_id()
    }

    /// What its user calls it.
    async fn name(&self) -> Result<Option<&str>> {
        Ok(self.row()?.name.as_ref().map(SessionName::as_str))
    }

    /// What it was opened with, and from where.
    async fn client(&self) -> Result<SessionClient> {
        let session = self.row()?;
        let device = session.user_agent.as_ref().map_or(Device::UNKNOWN, UserAgent::device);
        Ok(SessionClient {
            user_agent: session.user_agent.as_ref().map(|agent| agent.as_str().to_owned()),
            browser: device.browser,
            os: device.os,
            device: device.kind.into(),
            ip: session.ip.map(|ip| ip.to_string()),
            last_ip: session.last_ip.map(|ip| ip.to_string()),
        })
    }

    /// The login.
    async fn created_at(&self) -> Result<DateTime> {
        Ok(self.row()?.created_at.into())
    }

    /// The last login or refresh.
    async fn last_used_at(&self) -> Result<DateTime> {
        Ok(self.row()?.last_used_at.into())
    }

    /// Rotations so far.
    async fn generation(&self) -> Result<i32> {
        Ok(self.row()?.generation)
    }

    /// The `jti` of the outstanding refresh token; never the token.
    async fn token_id(&self) -> Result<String> {
        Ok(self.row()?.token.id.to_string())
    }

    /// When the outstanding refresh token was issued.
    async fn token_issued_at(&self) -> Result<DateTime> {
        Ok(self.row()?.token.issued_at.into())
    }

    /// When the outstanding refresh token runs out.
    async fn expires_at(&self) -> Result<DateTime> {
        Ok(self.row()?.token.expires_at.into())
    }

    /// When it ended, where it did.
    async fn ended_at(&self) -> Result<Option<DateTime>> {
        Ok(self.row()?.end.map(|end| end.at.into()))
    }

    /// What ended it.
    async fn end_reason(&self) -> Result<Option<EndReason>> {
        Ok(self.row()?.end.map(|end| end.reason.into()))
    }

    /// Who ended it, where somebody did whom the viewer may see.
    async fn ended_by(&self, context: &Context<'_>) -> Result<Option<User>> {
        match self.row()?.end.and_then(|end| end.by) {
            Some(id) => User::load(context, self.viewer, id).await,
            None => Ok(None),
        }
    }

    /// Its refused refresh tokens, the newest first.
    async fn blacklist_entries(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<BlacklistEntryConnection> {
        let filter = BlacklistFilter {
            user_id: Some(self.row()?.user_id),
            session_id: Some(self.id),
            ..BlacklistFilter::default()
        };
        let page = page(after, before, first, last)?;
        BlacklistEntry::list(context, self.viewer, filter, &page).await
    }
}
