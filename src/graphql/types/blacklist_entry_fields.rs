//! Fields of blacklist entries.

use async_graphql::{Context, ID, Object, Result};

use super::{BlacklistEntry, BlacklistReason, Session, User};
use crate::domain::origin::UserAgent;
use crate::graphql::global_id::GlobalId;
use crate::graphql::scalars::DateTime;

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
