//! Mutations of administrators that correct, unlock and delete accounts.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use crate::auth::{Field, UserChanges};
use crate::graphql::requires_auth::{FRESH, requiresAuth};
use crate::graphql::types::{Role, User};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{admin, auth, caller, global_id, viewer};

/// Input of `updateUser`. Fields that are null keep their values.
#[derive(InputObject)]
pub struct UpdateUserInput {
    /// Global object ID of the user.
    user_id: ID,
    /// New username: 1 to 150 letters, digits and `. _ @ + -`. With an `@`, it must be the e-mail
    /// address of the account.
    username: Option<String>,
    /// New e-mail address. It is not verified, unless `emailVerified` is true. If the username is
    /// the e-mail address and `username` is null, the username changes, too.
    email: Option<String>,
    /// If true, the e-mail address counts as verified by the user; if false, as not verified.
    email_verified: Option<bool>,
    /// New permissions, `USER` or `ADMIN`. A change ends all sessions of the user.
    role: Option<Role>,
}

/// Payload of `updateUser`.
#[derive(Default, SimpleObject)]
pub struct UpdateUserPayload {
    /// Changed account; null on failure.
    user: Option<User>,
    /// Number of sessions that a change of the role ended.
    ended_count: usize,
    /// Expected failures; empty on success. `FORBIDDEN`: the account is the last active
    /// administrator.
    errors: Vec<UserError>,
}

/// Input of `unlockUser`.
#[derive(InputObject)]
pub struct UnlockUserInput {
    /// Global object ID of the user.
    user_id: ID,
}

/// Payload of `unlockUser`.
#[derive(Default, SimpleObject)]
pub struct UnlockUserPayload {
    /// Unlocked account; null on failure.
    user: Option<User>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Input of `deleteUser`.
#[derive(InputObject)]
pub struct DeleteUserInput {
    /// Global object ID of the user. For their own account, administrators use `deleteAccount`.
    user_id: ID,
}

/// Input of `resetUserFactors`.
#[derive(InputObject)]
pub struct ResetUserFactorsInput {
    /// Global object ID of the user. For their own account, administrators use `removeTotp`.
    user_id: ID,
    /// Reason for people, 1 to 500 characters. It becomes part of the audit event of each ended session.
    note: Option<String>,
}

/// Payload of `resetUserFactors`.
#[derive(Default, SimpleObject)]
pub struct ResetUserFactorsPayload {
    /// Account without second factors; null on failure.
    user: Option<User>,
    /// Number of sessions that ended.
    ended_count: usize,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Payload of `deleteUser`.
#[derive(Default, SimpleObject)]
pub struct DeleteUserPayload {
    /// Deleted account, without its personal data; null on failure.
    user: Option<User>,
    /// Number of sessions that the deletion ended.
    ended_count: usize,
    /// Expected failures; empty on success. `FORBIDDEN`: the account is the last active
    /// administrator.
    errors: Vec<UserError>,
}

/// Corrections and deletion of accounts.
#[derive(Default)]
pub struct UserChangesMutation;

#[Object]
impl UserChangesMutation {
    /// Corrects the account of a user: names, verification, role.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), Some(FRESH), None))]
    async fn update_user(
        &self,
        context: &Context<'_>,
        input: UpdateUserInput,
    ) -> Result<Option<UpdateUserPayload>> {
        let viewer = viewer(context)?;
        let (by, origin) = (admin(viewer)?, caller(context).origin().clone());
        let changes = UserChanges {
            username: input.username.as_deref(),
            email: input.email.as_deref(),
            email_verified: input.email_verified,
            role: input.role.map(Into::into),
        };
        let done = match global_id::user(&input.user_id, Field::UserId) {
            Ok(id) => auth(context).accounts.update_user(by, id, changes, origin).await,
            Err(refusal) => Err(refusal.into()),
        };
        Ok(Some(match expected(done)? {
            Ok((user, ended_count)) => {
                let user = Some(User::new(user, viewer));
                UpdateUserPayload { user, ended_count, errors: Vec::new() }
            }
            Err(errors) => UpdateUserPayload { errors, ..UpdateUserPayload::default() },
        }))
    }

    /// Resets the counters of failed attempts on the account of a user, who can then log in at
    /// once. Limits on IP addresses stay.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), None, None))]
    async fn unlock_user(
        &self,
        context: &Context<'_>,
        input: UnlockUserInput,
    ) -> Result<Option<UnlockUserPayload>> {
        let viewer = viewer(context)?;
        let (by, origin) = (admin(viewer)?, caller(context).origin().clone());
        let done = match global_id::user(&input.user_id, Field::UserId) {
            Ok(id) => auth(context).accounts.unlock(by, id, origin).await,
            Err(refusal) => Err(refusal.into()),
        };
        Ok(Some(match expected(done)? {
            Ok(user) => {
                UnlockUserPayload { user: Some(User::new(user, viewer)), errors: Vec::new() }
            }
            Err(errors) => UnlockUserPayload { errors, user: None },
        }))
    }

    /// Removes all second factors of a user who lost them, and ends all sessions of the user. The next
    /// login with the password requires a code by e-mail, if the e-mail address is verified.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), Some(FRESH), None))]
    async fn reset_user_factors(
        &self,
        context: &Context<'_>,
        input: ResetUserFactorsInput,
    ) -> Result<Option<ResetUserFactorsPayload>> {
        let viewer = viewer(context)?;
        let (by, origin) = (admin(viewer)?, caller(context).origin().clone());
        let (enrollments, note) = (&auth(context).enrollments, input.note.as_deref());
        let done = match global_id::user(&input.user_id, Field::UserId) {
            Ok(id) => enrollments.reset_factors(by, id, note, origin).await,
            Err(refusal) => Err(refusal.into()),
        };
        Ok(Some(match expected(done)? {
            Ok((user, ended_count)) => {
                let user = Some(User::new(user, viewer));
                ResetUserFactorsPayload { user, ended_count, errors: Vec::new() }
            }
            Err(errors) => ResetUserFactorsPayload { errors, ..ResetUserFactorsPayload::default() },
        }))
    }

    /// Deletes the account of a user and ends all its sessions. This cannot be undone: personal data
    /// is deleted at once, except for the username and the e-mail address, which stay reserved for 30
    /// days. Audit events stay, with the ID of the account.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), Some(FRESH), None))]
    async fn delete_user(
        &self,
        context: &Context<'_>,
        input: DeleteUserInput,
    ) -> Result<Option<DeleteUserPayload>> {
        let viewer = viewer(context)?;
        let (by, origin) = (admin(viewer)?, caller(context).origin().clone());
        let done = match global_id::user(&input.user_id, Field::UserId) {
            Ok(id) => auth(context).accounts.delete_user(by, id, origin).await,
            Err(refusal) => Err(refusal.into()),
        };
        Ok(Some(match expected(done)? {
            Ok(deleted) => DeleteUserPayload {
                user: Some(User::new(deleted.user, viewer)),
                ended_count: deleted.ended,
                errors: Vec::new(),
            },
            Err(errors) => DeleteUserPayload { errors, ..DeleteUserPayload::default() },
        }))
    }
}
