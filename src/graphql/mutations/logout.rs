//! Logout mutation.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use crate::auth::LoggedOut;
use crate::graphql::error::expose;
use crate::graphql::types::{LogoutScope, Session};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{auth, caller, cookie};

/// Who logs out of what.
#[derive(InputObject)]
pub struct LogoutInput {
    /// A refresh token of the session. Without one the access token says which session it is, or
    /// else the cookie.
    #[graphql(secret)]
    refresh_token: Option<String>,
    /// Which sessions.
    #[graphql(default_with = "LogoutScope::Current")]
    scope: LogoutScope,
}

impl Default for LogoutInput {
    fn default() -> Self {
        Self { refresh_token: None, scope: LogoutScope::Current }
    }
}

/// What came of a logout.
#[derive(Default, SimpleObject)]
pub struct LogoutPayload {
    /// The sessions that it ended, the newest first, at most 100. Where the caller presented neither a
    /// valid access token nor the outstanding refresh token, they are told by their ids, states and
    /// times only: `user`, `name`, `endedBy` and all of `client` are null, `blacklistEntries` is empty.
    ended_sessions: Vec<Session>,
    /// How many sessions it ended; none where they had ended before.
    ended_count: usize,
    /// Why not, where it was not done.
    errors: Vec<UserError>,
}

/// Log out.
#[derive(Default)]
pub struct LogoutMutation;

#[Object]
impl LogoutMutation {
    /// Ends sessions. It never fails because a token is old: logging out twice is success.
    async fn logout(
        &self,
        context: &Context<'_>,
        input: Option<LogoutInput>,
    ) -> Result<LogoutPayload> {
        let input = input.unwrap_or_default();
        let (token, scope) = (input.refresh_token.as_deref(), input.scope.into());
        let (sessions, cookie) = (&auth(context).sessions, cookie(context));
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
