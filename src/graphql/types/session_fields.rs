//! Fields of sessions.

#![expect(clippy::unused_async, reason = "a resolver is one, whether or not it waits")]

use async_graphql::{Context, ID, Object, Result};

use super::session::SessionClient;
use super::{BlacklistEntry, BlacklistEntryConnection, EndReason, Session, SessionState, User};
use crate::domain::filter::BlacklistFilter;
use crate::domain::origin::{Device, UserAgent};
use crate::domain::session::SessionName;
use crate::graphql::auth;
use crate::graphql::cursor::page;
use crate::graphql::global_id::GlobalId;
use crate::graphql::scalars::DateTime;

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
