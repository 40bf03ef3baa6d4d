//! Mutations of the own account and of sessions.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use crate::auth::Field;
use crate::graphql::requires_auth::requiresAuth;
use crate::graphql::types::{Session, User};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{auth, caller, global_id, viewer};

/// A change of one's own password.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// The one so far.
    #[graphql(secret)]
    current_password: String,
    /// 8 to 256 characters, not easy to guess.
    #[graphql(secret)]
    new_password: String,
    /// Whether the other sessions end, which whoever knew the old password may have opened.
    #[graphql(default = true)]
    end_other_sessions: bool,
}

/// What came of a change of password.
#[derive(Default, SimpleObject)]
pub struct ChangePasswordPayload {
    /// The account.
    user: Option<User>,
    /// How many sessions ended.
    ended_count: usize,
    /// Why not, where it was not done.
    errors: Vec<UserError>,
}

/// A new name for a session.
#[derive(InputObject)]
pub struct RenameSessionInput {
    /// Which session.
    session_id: ID,
    /// 1 to 100 characters.
    name: String,
}

/// What came of naming a session.
#[derive(Default, SimpleObject)]
pub struct RenameSessionPayload {
    /// The session.
    session: Option<Session>,
    /// Why not, where it was not done.
    errors: Vec<UserError>,
}

/// A session to be ended.
#[derive(InputObject)]
pub struct EndSessionInput {
    /// Which session.
    session_id: ID,
}

/// What came of ending a session.
#[derive(Default, SimpleObject)]
pub struct EndSessionPayload {
    /// The session.
    session: Option<Session>,
    /// Why not, where it was not done.
    errors: Vec<UserError>,
}

/// One's own account and sessions.
#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Changes the password of whoever is logged in.
    #[graphql(directive = requiresAuth::apply(None))]
    async fn change_password(
        &self,
        context: &Context<'_>,
        input: ChangePasswordInput,
    ) -> Result<Option<ChangePasswordPayload>> {
        let viewer = viewer(context)?;
        let (current, new) = (&input.current_password, &input.new_password);
        let origin = caller(context).origin().clone();
        let changed = auth(context)
            .accounts
            .change_password(viewer, current, new, input.end_other_sessions, origin)
            .await;
        Ok(Some(match expected(changed)? {
            Ok((user, ended_count)) => {
                let user = Some(User::new(user, viewer));
                ChangePasswordPayload { user, ended_count, errors: Vec::new() }
            }
            Err(errors) => ChangePasswordPayload { errors, ..ChangePasswordPayload::default() },
        }))
    }

    /// Names one of one's own live sessions.
    #[graphql(directive = requiresAuth::apply(None))]
    async fn rename_session(
        &self,
        context: &Context<'_>,
        input: RenameSessionInput,
    ) -> Result<Option<RenameSessionPayload>> {
        let viewer = viewer(context)?;
        let renamed = match global_id::session(&input.session_id, Field::SessionId) {
            Ok(id) => auth(context).sessions.rename(viewer, id, &input.name).await,
            Err(refusal) => Err(refusal.into()),
        };
        Ok(Some(match expected(renamed)? {
            Ok(session) => RenameSessionPayload {
                session: Some(Session::new(session, viewer)),
                errors: Vec::new(),
            },
            Err(errors) => RenameSessionPayload { errors, session: None },
        }))
    }

    /// Ends one of one's own sessions or, for an administrator, anybody's.
    #[graphql(directive = requiresAuth::apply(None))]
    async fn end_session(
        &self,
        context: &Context<'_>,
        input: EndSessionInput,
    ) -> Result<Option<EndSessionPayload>> {
        let viewer = viewer(context)?;
        let origin = caller(context).origin().clone();
        let ended = match global_id::session(&input.session_id, Field::SessionId) {
            Ok(id) => auth(context).sessions.end_one(viewer, id, origin).await,
            Err(refusal) => Err(refusal.into()),
        };
        Ok(Some(match expected(ended)? {
            Ok(session) => EndSessionPayload {
                session: Some(Session::new(session, viewer)),
                errors: Vec::new(),
            },
            Err(errors) => EndSessionPayload { errors, session: None },
        }))
    }
}
