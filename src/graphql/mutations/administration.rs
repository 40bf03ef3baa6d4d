//! Mutations of administrators.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use crate::auth::{Field, NewAccount};
use crate::graphql::requires_auth::{RECENT, requiresAuth};
use crate::graphql::types::{Role, SessionFilter, User};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{admin, auth, caller, global_id, viewer};

/// Input of `createUser`.
#[derive(InputObject)]
pub struct CreateUserInput {
    /// Username: 1 to 150 letters, digits and `. _ @ + -`. With an `@`, it must be the e-mail
    /// address of the account.
    username: String,
    /// Password: 8 to 256 characters (the service may require more than 8), not easy to guess.
    #[graphql(secret)]
    password: String,
    /// E-mail address, by which the user can log in, too. Null for none, or for the username if
    /// that is an e-mail address.
    email: Option<String>,
    /// Permissions: `USER` or `ADMIN`.
    #[graphql(default_with = "Role::User")]
    role: Role,
}

/// Payload of `createUser`.
#[derive(Default, SimpleObject)]
pub struct CreateUserPayload {
    /// Created account; null on failure.
    user: Option<User>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Input of `setUserActive`.
#[derive(InputObject)]
pub struct SetUserActiveInput {
    /// Global object ID of the user.
    user_id: ID,
    /// If true, the user may log in; if false, the account is deactivated.
    active: bool,
}

/// Payload of `setUserActive`.
#[derive(Default, SimpleObject)]
pub struct SetUserActivePayload {
    /// Changed account; null on failure.
    user: Option<User>,
    /// Number of sessions that the deactivation ended.
    ended_count: usize,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Input of `setUserPassword`.
#[derive(InputObject)]
pub struct SetUserPasswordInput {
    /// Global object ID of the user. For their own account, administrators use `changePassword`.
    user_id: ID,
    /// New password: 8 to 256 characters (the service may require more than 8), not easy to guess.
    #[graphql(secret)]
    new_password: String,
}

/// Payload of `setUserPassword`.
#[derive(Default, SimpleObject)]
pub struct SetUserPasswordPayload {
    /// Changed account; null on failure.
    user: Option<User>,
    /// Number of sessions that the new password ended.
    ended_count: usize,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Input of `endSessions`.
#[derive(InputObject)]
pub struct EndSessionsInput {
    /// Conditions on the sessions, as in `Query.sessions`; of the matching sessions, the active
    /// ones end. An empty filter is refused; `{ state: ACTIVE }` matches all active sessions.
    filter: SessionFilter,
    /// If true, count the matching sessions without ending them.
    #[graphql(default = true)]
    dry_run: bool,
    /// Reason for people, 1 to 500 characters. It becomes part of the audit event of each session,
    /// which the user of the session can read.
    note: Option<String>,
}

/// Payload of `endSessions`.
#[derive(Default, SimpleObject)]
pub struct EndSessionsPayload {
    /// Number of active sessions that match the filter, without the session of the caller. If the
    /// time was too short to count the sessions that are left, the value is `endedCount` plus 1.
    matched_count: usize,
    /// Number of sessions that the mutation ended; 0 in a dry run. Lower than `matchedCount` if the
    /// time limit of 20 seconds was reached: repeat the mutation to end the other sessions.
    ended_count: usize,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Mutations about all accounts.
#[derive(Default)]
pub struct AdministrationMutation;

#[Object]
impl AdministrationMutation {
    /// Creates an account.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), None, None))]
    async fn create_user(
        &self,
        context: &Context<'_>,
        input: CreateUserInput,
    ) -> Result<Option<CreateUserPayload>> {
        let viewer = viewer(context)?;
        let by = admin(viewer)?;
        let account = NewAccount {
            username: &input.username,
            password: &input.password,
            email: input.email.as_deref(),
            role: input.role.into(),
            locale: None,
        };
        let origin = caller(context).origin().clone();
        let made = auth(context).accounts.create(by, account, origin).await;
        Ok(Some(match expected(made)? {
            Ok(user) => {
                CreateUserPayload { user: Some(User::new(user, viewer)), errors: Vec::new() }
            }
            Err(errors) => CreateUserPayload { errors, user: None },
        }))
    }

    /// Activates an account, or deactivates it and ends all its sessions. Administrators cannot
    /// deactivate their own account or the last active administrator.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), Some(RECENT), None))]
    async fn set_user_active(
        &self,
        context: &Context<'_>,
        input: SetUserActiveInput,
    ) -> Result<Option<SetUserActivePayload>> {
        let viewer = viewer(context)?;
        let (by, origin) = (admin(viewer)?, caller(context).origin().clone());
        let done = match global_id::user(&input.user_id, Field::UserId) {
            Ok(id) => auth(context).accounts.set_active(by, id, input.active, origin).await,
            Err(refusal) => Err(refusal.into()),
        };
        Ok(Some(match expected(done)? {
            Ok((user, ended_count)) => {
                let user = Some(User::new(user, viewer));
                SetUserActivePayload { user, ended_count, errors: Vec::new() }
            }
            Err(errors) => SetUserActivePayload { errors, ..SetUserActivePayload::default() },
        }))
    }

    /// Ends all active sessions that match a filter, except the session of the caller.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), Some(RECENT), None))]
    async fn end_sessions(
        &self,
        context: &Context<'_>,
        input: EndSessionsInput,
    ) -> Result<Option<EndSessionsPayload>> {
        let by = admin(viewer(context)?)?;
        let filter = SessionFilter::parse(Some(input.filter))?;
        let (note, origin) = (input.note.as_deref(), caller(context).origin().clone());
        let done =
            auth(context).sessions.end_matching(by, filter, note, input.dry_run, origin).await;
        Ok(Some(match expected(done)? {
            Ok((matched_count, ended_count)) => {
                EndSessionsPayload { matched_count, ended_count, errors: Vec::new() }
            }
            Err(errors) => EndSessionsPayload { errors, ..EndSessionsPayload::default() },
        }))
    }

    /// Sets the password of another user and ends all sessions of that user.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), Some(RECENT), None))]
    async fn set_user_password(
        &self,
        context: &Context<'_>,
        input: SetUserPasswordInput,
    ) -> Result<Option<SetUserPasswordPayload>> {
        let viewer = viewer(context)?;
        let (by, origin) = (admin(viewer)?, caller(context).origin().clone());
        let done = match global_id::user(&input.user_id, Field::UserId) {
            Ok(id) => {
                auth(context).accounts.set_password(by, id, &input.new_password, origin).await
            }
            Err(refusal) => Err(refusal.into()),
        };
        Ok(Some(match expected(done)? {
            Ok((user, ended_count)) => {
                let user = Some(User::new(user, viewer));
                SetUserPasswordPayload { user, ended_count, errors: Vec::new() }
            }
            Err(errors) => SetUserPasswordPayload { errors, ..SetUserPasswordPayload::default() },
        }))
    }
}
