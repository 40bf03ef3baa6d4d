//! Blacklist entries.

use std::sync::Arc;

use async_graphql::{Context, Result};

use crate::auth::Viewer;
use crate::clock::Timestamp;
use crate::domain;
use crate::domain::filter::BlacklistFilter;
use crate::domain::id::TokenId;
use crate::domain::pagination::PageRequest;
use crate::graphql::connection::connection;
use crate::graphql::{auth, read_page};

/// A blacklist entry, as its viewer sees it.
#[derive(Clone, Debug)]
pub struct BlacklistEntry {
    pub(super) entry: Arc<domain::blacklist::BlacklistEntry>,
    pub(super) viewer: Viewer,
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
        let (page, count) = read_page(context, count, page).await?;
        let key =
            |entry: &domain::blacklist::BlacklistEntry| (entry.blacklisted_at, entry.token_id);
        Ok(BlacklistEntryConnection::new(page, count, key, |entry| {
            Self::shared(Arc::new(entry), viewer)
        }))
    }

    /// Whether the viewer may see the address and the user agent.
    pub(super) fn origin_is_shown(&self) -> bool {
        self.viewer.may_see_origin_of(self.entry.actor)
    }
}

connection!(BlacklistEntry: BlacklistEntryConnection of BlacklistEntryEdge);
