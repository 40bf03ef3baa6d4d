//! Logout mutation.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use crate::auth::LoggedOut;
use crate::graphql::error::expose;
use crate::graphql::types::{LogoutScope, Session};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{auth, caller, cookies};

/// Input of `logout`.
#[derive(InputObject)]
pub struct LogoutInput {
    /// Refresh token of the session to log out, even if it is no longer valid. Null: the access
    /// token identifies the session, or else the refresh token in the cookie.
    #[graphql(secret)]
    refresh_token: Option<String>,
    /// Sessions to end: this one, the others, or all of the user.
    #[graphql(default_with = "LogoutScope::Current")]
    scope: LogoutScope,
}

impl Default for LogoutInput {
    fn default() -> Self {
        Self { refresh_token: None, scope: LogoutScope::Current }
    }
}

/// Payload of `logout`.
#[derive(Default, SimpleObject)]
pub struct LogoutPayload {
    /// Sessions that the logout ended, newest first, at most 100. If the caller sent neither a
    /// valid access token nor the outstanding refresh token, the sessions have only IDs, states and
    /// times: `user`, `name`, `endedBy` and all fields of `client` are null, and `blacklistEntries`
    /// is empty.
    ended_sessions: Vec<Session>,
    /// Number of sessions that the logout ended; 0 if they had ended before.
    ended_count: usize,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Mutation to log out.
#[derive(Default)]
pub struct LogoutMutation;

#[Object]
impl LogoutMutation {
    /// Ends one or more sessions of the user. An expired or replaced token is enough to end its own
    /// session; to end other sessions, the token must be valid. Logging out twice is a success.
    async fn logout(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Null for the session of the access token or of the cookie.")]
        input: Option<LogoutInput>,
    ) -> Result<LogoutPayload> {
        let input = input.unwrap_or_default();
        let (token, scope) = (input.refresh_token.as_deref(), input.scope.into());
        let (sessions, cookie) = (&auth(context).sessions, cookies(context));
        let done = sessions.log_out(token, scope, cookie, caller(context)).await;
        match expected(done)? {
            Ok(done) => Ok(LogoutPayload {
                ended_count: done.count(),
                ended_sessions: ended(context, &done).await?,
                errors: Vec::new(),
            }),
            Err(errors) => Ok(LogoutPayload { errors, ..LogoutPayload::default() }),
        }
    }
}

async fn ended(context: &Context<'_>, done: &LoggedOut) -> Result<Vec<Session>> {
    if !context.look_ahead().field("endedSessions").exists() {
        return Ok(Vec::new());
    }
    let ended = auth(context).sessions.ended_sessions(done).await.map_err(expose)?;
    Ok(ended.into_iter().map(|(session, viewer)| Session::new(session, viewer)).collect())
}
