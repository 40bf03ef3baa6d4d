//! Blacklist entries.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::{BlacklistReason, Session, User};
use crate::auth::Viewer;
use crate::clock::Timestamp;
use crate::domain;
use crate::domain::filter::BlacklistFilter;
use crate::domain::id::TokenId;
use crate::domain::origin::UserAgent;
use crate::domain::page::PageRequest;
use crate::graphql::connection::BlacklistEntryConnection;
use crate::graphql::global_id::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::graphql::{auth, reads};

/// A blacklist entry, as its viewer sees it.
#[derive(Clone, Debug)]
pub struct BlacklistEntry {
    entry: Arc<domain::blacklist::BlacklistEntry>,
    viewer: Viewer,
}

impl BlacklistEntry {
    pub(in crate::graphql) fn shared(
        entry: Arc<domain::blacklist::BlacklistEntry>,
        viewer: Viewer,
    ) -> Self {
        Self { entry, viewer }
    }

    /// A page of entries.
    pub(in crate::graphql) async fn list(
        context: &Context<'_>,
        viewer: Viewer,
        filter: BlacklistFilter,
        page: &PageRequest<(Timestamp, TokenId)>,
    ) -> Result<BlacklistEntryConnection> {
        let auth = auth(context);
        let count = auth.reads.count_blacklist_entries(viewer, filter.clone());
        let page = auth.reads.blacklist_entries(viewer, filter, page);
        let (page, count) = reads::read(context, count, page).await?;
        let key =
            |entry: &domain::blacklist::BlacklistEntry| (entry.blacklisted_at, entry.token_id);
        Ok(BlacklistEntryConnection::new(page, count, key, |entry| {
            Self::shared(Arc::new(entry), viewer)
        }))
    }

    /// Whether the viewer may see the address and the user agent.
    fn origin_is_shown(&self) -> bool {
        self.viewer.may_see_origin_of(self.entry.actor)
    }
}

/// One refresh token that is refused from now on: rotated away, or its session was ended.
#[Object]
impl BlacklistEntry {
    /// What it is asked for by.
    pub(super) async fn id(&self) -> ID {
        GlobalId::BlacklistEntry(self.entry.token_id).into()
    }

    /// The refused token's `jti`.
    async fn token_id(&self) -> String {
        self.entry.token_id.to_string()
    }

    /// Why it is refused.
    async fn reason(&self) -> BlacklistReason {
        self.entry.reason.into()
    }

    /// The session that it belonged to.
    async fn session(&self, context: &Context<'_>) -> Result<Option<Session>> {
        Session::load(context, self.viewer, self.entry.session_id).await
    }

    /// Whose it was.
    async fn user(&self, context: &Context<'_>) -> Result<Option<User>> {
        User::load(context, self.viewer, self.entry.user_id).await
    }

    /// Who caused it, where somebody did whom the viewer may see.
    async fn actor(&self, context: &Context<'_>) -> Result<Option<User>> {
        match self.entry.actor {
            Some(id) => User::load(context, self.viewer, id).await,
            None => Ok(None),
        }
    }

    /// When it was issued.
    async fn issued_at(&self) -> DateTime {
        self.entry.issued_at.into()
    }

    /// Since when it is refused.
    async fn blacklisted_at(&self) -> DateTime {
        self.entry.blacklisted_at.into()
    }

    /// When it would have run out.
    async fn expires_at(&self) -> DateTime {
        self.entry.expires_at.into()
    }

    /// Address that it was caused from. Null if an administrator caused it, for everybody but
    /// administrators; and if unknown.
    async fn ip(&self) -> Option<String> {
        self.entry.ip.filter(|_| self.origin_is_shown()).map(|ip| ip.to_string())
    }

    /// User agent that it was caused with. Null as `ip` is.
    async fn user_agent(&self) -> Option<&str> {
        self.entry.user_agent.as_ref().filter(|_| self.origin_is_shown()).map(UserAgent::as_str)
    }
}
