//! Users.

use std::sync::Arc;

use async_graphql::{Context, Result};

use crate::auth::Viewer;
use crate::domain;
use crate::domain::id::UserId;
use crate::graphql::connection::connection;
use crate::graphql::{auth, loaders};

/// An account, as its viewer sees it.
#[derive(Clone, Debug)]
pub struct User {
    pub(super) account: Arc<domain::user::User>,
    /// Whether it is from the cache, where only fields that never change are valid.
    is_remembered: bool,
    pub(super) viewer: Viewer,
}

impl User {
    pub(in crate::graphql) fn new(user: domain::user::User, viewer: Viewer) -> Self {
        Self { account: Arc::new(user), is_remembered: false, viewer }
    }

    /// Who sees the account.
    pub(in crate::graphql) fn viewer(&self) -> Viewer {
        self.viewer
    }

    /// The account, if the viewer may see it.
    pub(in crate::graphql) async fn load(
        context: &Context<'_>,
        viewer: Viewer,
        id: UserId,
    ) -> Result<Option<Self>> {
        if !viewer.may_see(id) {
            return Ok(None);
        }
        if let Some(account) = auth(context).reads.cached_user(id) {
            return Ok(Some(Self { account, is_remembered: true, viewer }));
        }
        let user = loaders(context).user(id).await?;
        Ok(user.map(|account| Self { account, is_remembered: false, viewer }))
    }

    /// The account with its current state.
    pub(super) async fn now(&self, context: &Context<'_>) -> Result<Arc<domain::user::User>> {
        let read =
            if self.is_remembered { loaders(context).user(self.account.id).await? } else { None };
        Ok(read.unwrap_or_else(|| Arc::clone(&self.account)))
    }
}

connection!(User: UserConnection of UserEdge);
