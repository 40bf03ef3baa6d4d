//! Fields of blacklist entries.

use async_graphql::{Context, ID, Object, Result};

use super::{BlacklistEntry, BlacklistReason, Session, User};
use crate::domain::origin::UserAgent;
use crate::graphql::global_id::GlobalId;
use crate::graphql::scalars::DateTime;

/// Entry of the blacklist: a refresh token that is refused, because a refresh replaced it or its
/// session was ended. Entries are deleted when the token would have expired.
#[Object]
impl BlacklistEntry {
    /// Global object ID (Relay Node).
    pub(super) async fn id(&self) -> ID {
        GlobalId::BlacklistEntry(self.entry.token_id).into()
    }

    /// Claim `jti` of the refused token, a UUID; never the token.
    async fn token_id(&self) -> String {
        self.entry.token_id.to_string()
    }

    /// Reason why the token is refused.
    async fn reason(&self) -> BlacklistReason {
        self.entry.reason.into()
    }

    /// Session that the token belongs to; null if the session has been deleted since.
    async fn session(&self, context: &Context<'_>) -> Result<Option<Session>> {
        Session::load(context, self.viewer, self.entry.session_id).await
    }

    /// User of the token's session; null if the caller may not see the user.
    async fn user(&self, context: &Context<'_>) -> Result<Option<User>> {
        User::load(context, self.viewer, self.entry.user_id).await
    }

    /// User whose request blacklisted the token. Null if unknown, if the caller may not see this
    /// user, or if the service itself or the command line blacklisted the token.
    async fn actor(&self, context: &Context<'_>) -> Result<Option<User>> {
        match self.entry.actor {
            Some(id) => User::load(context, self.viewer, id).await,
            None => Ok(None),
        }
    }

    /// When the token was issued.
    async fn issued_at(&self) -> DateTime {
        self.entry.issued_at.into()
    }

    /// When the token was blacklisted; it is refused since then.
    async fn blacklisted_at(&self) -> DateTime {
        self.entry.blacklisted_at.into()
    }

    /// When the token expires; it would have been valid until then.
    async fn expires_at(&self) -> DateTime {
        self.entry.expires_at.into()
    }

    /// IP address of the request that blacklisted the token. Null if unknown or deleted by age;
    /// also null if an administrator sent the request and the caller is not an administrator.
    async fn ip(&self) -> Option<String> {
        self.entry.ip.filter(|_| self.origin_is_shown()).map(|ip| ip.to_string())
    }

    /// User agent of the request that blacklisted the token; null in the same cases as `ip`.
    async fn user_agent(&self) -> Option<&str> {
        self.entry.user_agent.as_ref().filter(|_| self.origin_is_shown()).map(UserAgent::as_str)
    }
}
