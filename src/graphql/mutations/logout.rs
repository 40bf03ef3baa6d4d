//! Log out.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use crate::auth::{LoggedOut, Viewer};
use crate::domain::user::Role;
use crate::graphql::error::{UserError, expected};
use crate::graphql::types::{LogoutScope, Session};
use crate::graphql::{Loaders, auth, caller, cookie};

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
    /// The sessions that it ended, the newest first, at most 100.
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
        let done = auth(context).logout_by(token, scope, cookie(context), caller(context)).await;
        match expected(done)? {
            Ok(done) => Ok(LogoutPayload {
                ended_count: done.count,
                ended_sessions: ended(context, &done).await?,
                errors: Vec::new(),
            }),
            Err(errors) => Ok(LogoutPayload { errors, ..LogoutPayload::default() }),
        }
    }
}

async fn ended(context: &Context<'_>, done: &LoggedOut) -> Result<Vec<Session>> {
    let Some((user_id, session_id)) = done.user_id.zip(done.session_id) else {
        return Ok(Vec::new());
    };
    if !context.look_ahead().field("endedSessions").exists() {
        return Ok(Vec::new());
    }
    let found = context.data_unchecked::<Loaders>().sessions(&done.ended).await?;
    // Whoever logs out sees what is theirs, as a user does: the token that says so may be old.
    let viewer = Viewer { user_id, session_id, role: Role::User };
    let in_order = done.ended.iter().filter_map(|id| found.get(id).cloned());
    Ok(in_order.map(|session| Session::shared(session, viewer)).collect())
}
