//! Mutations of the own account and of sessions.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use crate::auth::Field;
use crate::graphql::requires_auth::requiresAuth;
use crate::graphql::types::{Session, User};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{auth, caller, global_id, viewer};

/// Input of `changePassword`.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// Current password of the logged-in user.
    #[graphql(secret)]
    current_password: String,
    /// New password: 8 to 256 characters (the service may require more than 8), not easy to guess.
    #[graphql(secret)]
    new_password: String,
    /// If true, all other sessions of the user end: a person who knew the old password may have
    /// opened them.
    #[graphql(default = true)]
    end_other_sessions: bool,
}

/// Payload of `changePassword`.
#[derive(Default, SimpleObject)]
pub struct ChangePasswordPayload {
    /// Account with the new password; null on failure.
    user: Option<User>,
    /// Number of other sessions that the change of password ended.
    ended_count: usize,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Input of `renameSession`.
#[derive(InputObject)]
pub struct RenameSessionInput {
    /// Global object ID of the session.
    session_id: ID,
    /// New name: 1 to 100 characters, no control characters.
    name: String,
}

/// Payload of `renameSession`.
#[derive(Default, SimpleObject)]
pub struct RenameSessionPayload {
    /// Renamed session; null on failure.
    session: Option<Session>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Input of `endSession`.
#[derive(InputObject)]
pub struct EndSessionInput {
    /// Global object ID of the session.
    session_id: ID,
}

/// Payload of `endSession`.
#[derive(Default, SimpleObject)]
pub struct EndSessionPayload {
    /// Ended session; null on failure.
    session: Option<Session>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// One's own account and sessions.
#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Changes the password of the logged-in user.
    #[graphql(directive = requiresAuth::apply(None, None, None))]
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

    /// Renames one of the user's own active sessions.
    #[graphql(directive = requiresAuth::apply(None, None, None))]
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

    /// Ends one of the user's own sessions; administrators may end any session.
    #[graphql(directive = requiresAuth::apply(None, None, None))]
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
