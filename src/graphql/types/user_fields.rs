//! Fields of users.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::{
    AuditEvent, AuditEventConnection, AuditFilter, BlacklistEntry, BlacklistEntryConnection,
    BlacklistFilter, Role, SecondFactors, Session, SessionConnection, SessionFilter, User,
};
use crate::domain;
use crate::domain::external_account::ExternalId;
use crate::domain::filter;
use crate::graphql::cursor::page;
use crate::graphql::error::expose;
use crate::graphql::global_id::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::graphql::{auth, loaders};

/// Account of a user.
#[Object]
impl User {
    /// Global object ID (Relay Node).
    pub(super) async fn id(&self) -> ID {
        GlobalId::User(self.account.id).into()
    }

    /// Username as it was entered; compared without regard to case.
    async fn username(&self) -> &str {
        self.account.names.username().as_str()
    }

    /// E-mail address, by which the user can log in, too; null if none.
    async fn email(&self) -> Option<&str> {
        self.account.names.email().map(domain::user::Email::as_str)
    }

    /// When the user verified the e-mail address; null if it is not verified.
    async fn email_verified_at(&self, context: &Context<'_>) -> Result<Option<DateTime>> {
        Ok(self.now(context).await?.email_verified_at.map(Into::into))
    }

    /// New e-mail address that the user requested and has not confirmed yet; null if none.
    async fn pending_email(&self, context: &Context<'_>) -> Result<Option<String>> {
        let pending = auth(context).reads.pending_email(self.viewer, self.account.id).await;
        Ok(pending.map_err(expose)?.map(|email| email.as_str().to_owned()))
    }

    /// Language tag (BCP 47) that the user chose; null if none.
    async fn locale(&self, context: &Context<'_>) -> Result<Option<String>> {
        let account = self.now(context).await?;
        Ok(account.locale.as_ref().map(ToString::to_string))
    }

    /// Permissions of the user.
    async fn role(&self) -> Role {
        self.account.role.into()
    }

    /// Names of roles in other programs, such as the groups of an imported account; they allow nothing in
    /// this service.
    async fn roles(&self) -> &[String] {
        self.account.roles.as_slice()
    }

    /// ID of the account in the system that it was imported from, the claim `user_id`; null if it was not
    /// imported.
    async fn external_id(&self) -> Option<&str> {
        self.account.external_id.as_ref().map(ExternalId::as_str)
    }

    /// True if the user may log in; false if the account is deactivated.
    async fn is_active(&self, context: &Context<'_>) -> Result<bool> {
        Ok(self.now(context).await?.is_active())
    }

    /// When the account was created.
    async fn created_at(&self) -> DateTime {
        self.account.created_at.into()
    }

    /// When the user last logged in; null if never, and if the service does not record logins.
    async fn last_login_at(&self, context: &Context<'_>) -> Result<Option<DateTime>> {
        Ok(self.now(context).await?.last_login_at.map(Into::into))
    }

    /// True if the user can log in with a password.
    async fn has_password(&self, context: &Context<'_>) -> Result<bool> {
        let found = loaders(context).ways_in(self.account.id).await?;
        Ok(found.is_some_and(|found| found.has_password))
    }

    /// Second factors of the user; null if the viewer may not see them.
    async fn second_factors(&self, context: &Context<'_>) -> Result<Option<SecondFactors>> {
        SecondFactors::load(context, self.viewer, Arc::clone(&self.account)).await
    }

    /// When the password was last changed; null if it is still the first one.
    async fn password_changed_at(&self, context: &Context<'_>) -> Result<Option<DateTime>> {
        Ok(self.now(context).await?.password_changed_at.map(Into::into))
    }

    /// Sessions of the user, newest first.
    async fn sessions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Cursor to start after, such as `endCursor` of the previous page.")]
        after: Option<String>,
        #[graphql(desc = "Cursor to stop before, such as `startCursor` of the next page.")]
        before: Option<String>,
        #[graphql(desc = "Page size, 0 to 100; 20 if neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Page size from the end of the list, 0 to 100; not beside `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Conditions that listed sessions must meet; `userId` is ignored.")]
        filter: Option<SessionFilter>,
    ) -> Result<SessionConnection> {
        let filter = filter::SessionFilter {
            user_id: Some(self.account.id),
            ..SessionFilter::parse(filter)?
        };
        let page = page(after, before, first, last)?;
        Session::list(context, self.viewer, filter, &page).await
    }

    /// Refused refresh tokens of the user, newest first.
    async fn blacklist_entries(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Cursor to start after, such as `endCursor` of the previous page.")]
        after: Option<String>,
        #[graphql(desc = "Cursor to stop before, such as `startCursor` of the next page.")]
        before: Option<String>,
        #[graphql(desc = "Page size, 0 to 100; 20 if neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Page size from the end of the list, 0 to 100; not beside `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Conditions that listed entries must meet; `userId` is ignored.")]
        filter: Option<BlacklistFilter>,
    ) -> Result<BlacklistEntryConnection> {
        let filter = filter::BlacklistFilter {
            user_id: Some(self.account.id),
            ..BlacklistFilter::parse(filter)?
        };
        let page = page(after, before, first, last)?;
        BlacklistEntry::list(context, self.viewer, filter, &page).await
    }

    /// Audit events about the account, newest first.
    async fn audit_events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Cursor to start after, such as `endCursor` of the previous page.")]
        after: Option<String>,
        #[graphql(desc = "Cursor to stop before, such as `startCursor` of the next page.")]
        before: Option<String>,
        #[graphql(desc = "Page size, 0 to 100; 20 if neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Page size from the end of the list, 0 to 100; not beside `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Conditions that listed events must meet; `userId` is ignored.")]
        filter: Option<AuditFilter>,
    ) -> Result<AuditEventConnection> {
        let filter =
            filter::AuditFilter { user_id: Some(self.account.id), ..AuditFilter::parse(filter)? };
        let page = page(after, before, first, last)?;
        AuditEvent::list(context, self.viewer, filter, &page).await
    }
}
