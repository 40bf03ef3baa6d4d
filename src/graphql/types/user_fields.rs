//! Fields of users.

use async_graphql::{Context, ID, Object, Result};

use super::{
    AuditEvent, AuditEventConnection, AuditFilter, BlacklistEntry, BlacklistEntryConnection,
    BlacklistFilter, Role, Session, SessionConnection, SessionFilter, User,
};
use crate::domain;
use crate::domain::filter;
use crate::graphql::cursor::page;
use crate::graphql::global_id::GlobalId;
use crate::graphql::scalars::DateTime;

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
