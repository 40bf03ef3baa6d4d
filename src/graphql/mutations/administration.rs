//! Mutations of administrators.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use crate::auth::{Field, NewAccount};
use crate::graphql::requires_auth::requiresAuth;
use crate::graphql::types::{Role, SessionFilter, User};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{admin, auth, caller, global_id, viewer};

/// An account to be made.
#[derive(InputObject)]
pub struct CreateUserInput {
    /// 1 to 150 letters, digits and `. _ @ + -`.
    username: String,
    /// 8 to 256 characters, not easy to guess.
    #[graphql(secret)]
    password: String,
    /// To log in by as well as by the username.
    email: Option<String>,
    /// What it may do.
    #[graphql(default_with = "Role::User")]
    role: Role,
}

/// What came of making an account.
#[derive(Default, SimpleObject)]
pub struct CreateUserPayload {
    /// The account.
    user: Option<User>,
    /// Why not, where it was not done.
    errors: Vec<UserError>,
}

/// An account to be activated or deactivated.
#[derive(InputObject)]
pub struct SetUserActiveInput {
    /// Which account.
    user_id: ID,
    /// Whether it may log in.
    active: bool,
}

/// What came of it.
#[derive(Default, SimpleObject)]
pub struct SetUserActivePayload {
    /// The account.
    user: Option<User>,
    /// How many sessions ended.
    ended_count: usize,
    /// Why not, where it was not done.
    errors: Vec<UserError>,
}

/// A password for somebody else's account.
#[derive(InputObject)]
pub struct SetUserPasswordInput {
    /// Which account.
    user_id: ID,
    /// 8 to 256 characters, not easy to guess.
    #[graphql(secret)]
    new_password: String,
}

/// What came of it.
#[derive(Default, SimpleObject)]
pub struct SetUserPasswordPayload {
    /// The account.
    user: Option<User>,
    /// How many sessions ended.
    ended_count: usize,
    /// Why not, where it was not done.
    errors: Vec<UserError>,
}

/// Sessions to be found and ended.
#[derive(InputObject)]
pub struct EndSessionsInput {
    /// Which: those that the list of sessions shows with this filter, as far as they are live. An empty
    /// one is refused; `{ state: ACTIVE }` is all.
    filter: SessionFilter,
    /// Whether only to say how many that would be.
    #[graphql(default = true)]
    dry_run: bool,
    /// Why, in 1 to 500 characters. It stands in the audit event of each session, which its user sees.
    note: Option<String>,
}

/// What came of it.
#[derive(Default, SimpleObject)]
pub struct EndSessionsPayload {
    /// How many live sessions the filter shows, without the one that asks; one more than it ended
    /// where there was no time to count those that are left.
    matched_count: usize,
    /// How many it ended. Lower than `matchedCount` where there are more than end in 20 seconds: the
    /// same mutation ends the others.
    ended_count: usize,
    /// Why not, where it was not done.
    errors: Vec<UserError>,
}

/// Everybody's accounts.
#[derive(Default)]
pub struct AdministrationMutation;

#[Object]
impl AdministrationMutation {
    /// Makes an account.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin)))]
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

    /// Deactivates an account, which ends its sessions, or activates it.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin)))]
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

    /// Ends the sessions that have something in common, however many. The session that asks stays.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin)))]
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

    /// Sets an account's password and ends its sessions.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin)))]
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
