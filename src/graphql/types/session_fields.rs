//! Fields of sessions.

#![expect(clippy::unused_async, reason = "a resolver is one, whether or not it waits")]

use async_graphql::{Context, ID, Object, Result};

use super::session::SessionClient;
use super::{
    Assurance, BlacklistEntry, BlacklistEntryConnection, EndReason, Session, SessionState, User,
};
use crate::domain::authentication::Method;
use crate::domain::filter::BlacklistFilter;
use crate::domain::origin::{Device, UserAgent};
use crate::domain::session::SessionName;
use crate::graphql::auth;
use crate::graphql::cursor::page;
use crate::graphql::global_id::GlobalId;
use crate::graphql::scalars::DateTime;

/// One login and its chain of refresh tokens. Each refresh replaces the refresh token by the next
/// one; the newest, not yet replaced, is the outstanding refresh token.
#[Object]
impl Session {
    /// Global object ID (Relay Node).
    pub(super) async fn id(&self) -> ID {
        GlobalId::Session(self.id).into()
    }

    /// Session ID, a UUID: the claim `sid` of the session's tokens.
    async fn sid(&self) -> String {
        self.id.to_string()
    }

    /// User who logged in; null if the caller may not see the user.
    async fn user(&self, context: &Context<'_>) -> Result<Option<User>> {
        User::load(context, self.viewer, self.row()?.user_id).await
    }

    /// Current state: active, expired or ended.
    async fn state(&self, context: &Context<'_>) -> Result<SessionState> {
        Ok(self.row()?.state(auth(context).system.now()).into())
    }

    /// True if the access token of this request belongs to the session.
    async fn is_current(&self) -> bool {
        self.id == self.viewer.session_id()
    }

    /// Name that the user gave the session; null if none.
    async fn name(&self) -> Result<Option<&str>> {
        Ok(self.row()?.name.as_ref().map(SessionName::as_str))
    }

    /// Client that logged in: its device and IP addresses.
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

    /// When the session was created, at login.
    async fn created_at(&self) -> Result<DateTime> {
        Ok(self.row()?.created_at.into())
    }

    /// When the user last proved to be the user, at the login or by `reauthenticate`: the claim
    /// `auth_time`. Refreshes do not change it.
    async fn authenticated_at(&self) -> Result<DateTime> {
        Ok(self.row()?.authentication.at.into())
    }

    /// Methods of the login and of `reauthenticate`: the claim `amr` (RFC 8176). `pwd` is the password,
    /// `otp` a code, `rc` a recovery code, `hwk` or `swk` a passkey, `user` a user whom the device
    /// verified, `mfa` more than one factor.
    async fn amr(&self) -> Result<Vec<&str>> {
        Ok(self.row()?.authentication.methods.iter().map(Method::as_str).collect())
    }

    /// Strength of these methods: the claim `acr`. Refreshes do not change it.
    async fn assurance(&self) -> Result<Assurance> {
        Ok(self.row()?.authentication.assurance.into())
    }

    /// When the session was last refreshed; time of the login if never.
    async fn last_used_at(&self) -> Result<DateTime> {
        Ok(self.row()?.last_used_at.into())
    }

    /// Number of rotations of the refresh token so far.
    async fn generation(&self) -> Result<i32> {
        Ok(self.row()?.generation)
    }

    /// Claim `jti` of the outstanding refresh token, a UUID; never the token.
    async fn token_id(&self) -> Result<String> {
        Ok(self.row()?.token.id.to_string())
    }

    /// When the outstanding refresh token was issued.
    async fn token_issued_at(&self) -> Result<DateTime> {
        Ok(self.row()?.token.issued_at.into())
    }

    /// When the outstanding refresh token expires.
    async fn expires_at(&self) -> Result<DateTime> {
        Ok(self.row()?.token.expires_at.into())
    }

    /// When the session ended; null if it has not ended.
    async fn ended_at(&self) -> Result<Option<DateTime>> {
        Ok(self.row()?.end.map(|end| end.at.into()))
    }

    /// Reason why the session ended; null if it has not ended.
    async fn end_reason(&self) -> Result<Option<EndReason>> {
        Ok(self.row()?.end.map(|end| end.reason.into()))
    }

    /// User who ended the session. Null if the session has not ended, if the caller may not see
    /// this user, or if the service itself or the command line ended the session.
    async fn ended_by(&self, context: &Context<'_>) -> Result<Option<User>> {
        match self.row()?.end.and_then(|end| end.by) {
            Some(id) => User::load(context, self.viewer, id).await,
            None => Ok(None),
        }
    }

    /// Refused refresh tokens of the session, newest first.
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
