//! Queries.

use async_graphql::{Context, ID, MergedObject, Object, Result};

use super::cursor::page;
use super::error::{bad_input, expose};
use super::requires_auth::requiresAuth;
use super::types::{
    AuditEvent, AuditEventConnection, AuditFilter, BlacklistEntry, BlacklistEntryConnection,
    BlacklistFilter, Email, EmailConnection, ImportStatus, Node, Role, Session, SessionConnection,
    SessionFilter, SigningKey, TokenStatus, User, UserConnection, UserFilter,
};
use super::{admin, auth, caller, read_page, viewer};
use crate::auth::{Denial, UnauthenticatedReason, Viewer};
use crate::domain;

/// Length of the list of IDs in `nodes`.
pub(super) const MAX_NODES: usize = 100;

/// Root type of queries: operations that read data.
#[derive(Default, MergedObject)]
pub struct Query(Queries);

/// Fields of the root type, in a subgraph, too.
#[derive(Default)]
pub(super) struct Queries;

/// Fields of the root type of queries.
#[Object]
impl Queries {
    /// Object with this global ID; null if it does not exist or the caller may not see it. Without
    /// an access token the result is always null; an invalid or expired access token causes the
    /// error UNAUTHENTICATED.
    async fn node(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Global object ID, from the field `id` of the object.")] id: ID,
    ) -> Result<Option<Node>> {
        match somebody(context)? {
            Some(viewer) => Node::load(context, viewer, &id).await,
            None => Ok(None),
        }
    }

    /// Objects with these global IDs, in the same order; null for each that does not exist or that
    /// the caller may not see. Without an access token all are null; an invalid or expired access
    /// token causes the error UNAUTHENTICATED.
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Global object IDs, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > MAX_NODES {
            return Err(bad_input(format!(
                "Too many IDs. Request at most {MAX_NODES} nodes at once."
            )));
        }
        let Some(viewer) = somebody(context)? else {
            return Ok(ids.iter().map(|_| None).collect());
        };
        let nodes = ids.iter().map(|id| Node::load(context, viewer, id));
        futures_util::future::try_join_all(nodes).await
    }

    /// Logged-in user.
    #[graphql(directive = requiresAuth::apply(None, None, None))]
    async fn viewer(&self, context: &Context<'_>) -> Result<Option<User>> {
        let viewer = viewer(context)?;
        User::load(context, viewer, viewer.user_id()).await
    }

    /// Session of the access token of this request.
    #[graphql(directive = requiresAuth::apply(None, None, None))]
    async fn viewer_session(&self, context: &Context<'_>) -> Result<Option<Session>> {
        let viewer = viewer(context)?;
        Session::current(context, viewer).await
    }

    /// Status of an access token or refresh token, without changing anything. For a refresh token,
    /// a caller who sends no access token of its user or of an administrator only learns if the
    /// session of the token is active.
    async fn token_status(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Access token or refresh token.")] token: String,
    ) -> Result<TokenStatus> {
        let status = auth(context).sessions.token_status(&token, caller(context)).await;
        status.map(TokenStatus).map_err(expose)
    }

    /// User with this username or e-mail address; null if none.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), None, None))]
    async fn user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Username or e-mail address, ignoring case.")] username: String,
    ) -> Result<Option<User>> {
        let viewer = viewer(context)?;
        let user = auth(context).reads.user_named(viewer, &username).await.map_err(expose)?;
        Ok(user.map(|user| User::new(user, viewer)))
    }

    /// All users, sorted by username.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), None, None))]
    async fn users(
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
        #[graphql(desc = "Conditions that listed users must meet; null for all users.")]
        filter: Option<UserFilter>,
    ) -> Result<Option<UserConnection>> {
        let (auth, viewer) = (auth(context), viewer(context)?);
        let by = admin(viewer)?;
        let filter = UserFilter::parse(filter)?;
        let page = page(after, before, first, last)?;
        let count = auth.reads.count_users(by, &filter);
        let page = auth.reads.users(by, &filter, &page);
        let (page, count) = read_page(context, count, page).await?;
        let key = |user: &domain::user::User| user.names.username().key().to_owned();
        Ok(Some(UserConnection::new(page, count, key, |user| User::new(user, viewer))))
    }

    /// All sessions, newest first.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), None, None))]
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
        #[graphql(desc = "Conditions that listed sessions must meet; null for all sessions.")]
        filter: Option<SessionFilter>,
    ) -> Result<Option<SessionConnection>> {
        let filter = SessionFilter::parse(filter)?;
        let page = page(after, before, first, last)?;
        Session::list(context, viewer(context)?, filter, &page).await.map(Some)
    }

    /// All refused refresh tokens, newest first.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), None, None))]
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
        #[graphql(desc = "Conditions that listed entries must meet; null for all entries.")]
        filter: Option<BlacklistFilter>,
    ) -> Result<Option<BlacklistEntryConnection>> {
        let filter = BlacklistFilter::parse(filter)?;
        let page = page(after, before, first, last)?;
        BlacklistEntry::list(context, viewer(context)?, filter, &page).await.map(Some)
    }

    /// All audit events, newest first.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), None, None))]
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
        #[graphql(desc = "Conditions that listed events must meet; null for all events.")]
        filter: Option<AuditFilter>,
    ) -> Result<Option<AuditEventConnection>> {
        let filter = AuditFilter::parse(filter)?;
        let page = page(after, before, first, last)?;
        AuditEvent::list(context, viewer(context)?, filter, &page).await.map(Some)
    }

    /// E-mails of the outbox, newest first.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), None, None))]
    async fn emails(
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
    ) -> Result<Option<EmailConnection>> {
        let page = page(after, before, first, last)?;
        Email::list(context, admin(viewer(context)?)?, &page).await.map(Some)
    }

    /// Keys that sign access tokens, oldest first.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), None, None))]
    async fn signing_keys(&self, context: &Context<'_>) -> Result<Option<Vec<SigningKey>>> {
        let keys = auth(context).keys.list(admin(viewer(context)?)?).await.map_err(expose)?;
        Ok(Some(keys.into_iter().map(SigningKey::new).collect()))
    }

    /// State of the moves from other systems, by the name of the system.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), None, None))]
    async fn import_status(&self, context: &Context<'_>) -> Result<Option<Vec<ImportStatus>>> {
        let status = auth(context).imports.status(admin(viewer(context)?)?).await;
        Ok(Some(status.map_err(expose)?.into_iter().map(ImportStatus::new).collect()))
    }
}

/// The logged-in user, in a field that does not require one. A refused token is an error all the same,
/// which tells its client to refresh.
pub(super) fn somebody(context: &Context<'_>) -> Result<Option<Viewer>> {
    match auth(context).guard.authenticate(caller(context)) {
        Ok(viewer) => Ok(Some(viewer)),
        Err(Denial::Unauthenticated(UnauthenticatedReason::NoToken)) => Ok(None),
        Err(denial) => Err(expose(denial.into())),
    }
}
