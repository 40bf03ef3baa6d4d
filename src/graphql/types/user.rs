//! Users.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::{
    AuditEvent, AuditFilter, BlacklistEntry, BlacklistFilter, Role, Session, SessionFilter,
};
use crate::auth::Viewer;
use crate::domain;
use crate::domain::filter;
use crate::domain::id::UserId;
use crate::graphql::connection::{
    AuditEventConnection, BlacklistEntryConnection, SessionConnection,
};
use crate::graphql::cursor::page;
use crate::graphql::global_id::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::graphql::{auth, loaders};

/// An account, as its viewer sees it.
#[derive(Clone, Debug)]
pub struct User {
    account: Arc<domain::user::User>,
    /// Whether it is from the cache, where only fields that never change are valid.
    is_remembered: bool,
    viewer: Viewer,
}

impl User {
    pub(in crate::graphql) fn new(user: domain::user::User, viewer: Viewer) -> Self {
        Self { account: Arc::new(user), is_remembered: false, viewer }
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

    /// The account as it is now.
    async fn now(&self, context: &Context<'_>) -> Result<Arc<domain::user::User>> {
        let read =
            if self.is_remembered { loaders(context).user(self.account.id).await? } else { None };
        Ok(read.unwrap_or_else(|| Arc::clone(&self.account)))
    }
}

/// An account.
#[Object]
impl User {
    /// What it is asked for by.
    pub(super) async fn id(&self) -> ID {
        GlobalId::User(self.account.id).into()
    }

    /// The username, as it was typed.
    async fn username(&self) -> &str {
        self.account.names.username().as_str()
    }

    /// The e-mail address.
    async fn email(&self) -> Option<&str> {
        self.account.names.email().map(domain::user::Email::as_str)
    }

    /// What it may do.
    async fn role(&self) -> Role {
        self.account.role.into()
    }

    /// Whether it may log in.
    async fn is_active(&self, context: &Context<'_>) -> Result<bool> {
        Ok(self.now(context).await?.is_active())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.account.created_at.into()
    }

    /// The last login, where that is recorded.
    async fn last_login_at(&self, context: &Context<'_>) -> Result<Option<DateTime>> {
        Ok(self.now(context).await?.last_login_at.map(Into::into))
    }

    /// The last change of the password; null where it is still the first.
    async fn password_changed_at(&self, context: &Context<'_>) -> Result<Option<DateTime>> {
        Ok(self.now(context).await?.password_changed_at.map(Into::into))
    }

    /// Its sessions, the newest first.
    async fn sessions(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        filter: Option<SessionFilter>,
    ) -> Result<SessionConnection> {
        let filter = filter::SessionFilter {
            user_id: Some(self.account.id),
            ..SessionFilter::parse(filter)?
        };
        let page = page(after, before, first, last)?;
        Session::list(context, self.viewer, filter, &page).await
    }

    /// Its refused refresh tokens, the newest first.
    async fn blacklist_entries(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        filter: Option<BlacklistFilter>,
    ) -> Result<BlacklistEntryConnection> {
        let filter = filter::BlacklistFilter {
            user_id: Some(self.account.id),
            ..BlacklistFilter::parse(filter)?
        };
        let page = page(after, before, first, last)?;
        BlacklistEntry::list(context, self.viewer, filter, &page).await
    }

    /// What happened to it, the newest first.
    async fn audit_events(
        &self,
        context: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        filter: Option<AuditFilter>,
    ) -> Result<AuditEventConnection> {
        let filter =
            filter::AuditFilter { user_id: Some(self.account.id), ..AuditFilter::parse(filter)? };
        let page = page(after, before, first, last)?;
        AuditEvent::list(context, self.viewer, filter, &page).await
    }
}
