//! Mutations of the own account's data: changed, exported, deleted.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use crate::graphql::requires_auth::{FRESH, requiresAuth};
use crate::graphql::scalars::{DateTime, JsonObject};
use crate::graphql::types::User;
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{auth, caller, cookies, viewer};

/// Input of `updateAccount`.
#[derive(InputObject)]
pub struct UpdateAccountInput {
    /// Language of e-mails to the user: a language tag (BCP 47) such as `en`, `ko` or `pt-BR`; null
    /// for none.
    locale: Option<String>,
}

/// Payload of `updateAccount`.
#[derive(Default, SimpleObject)]
pub struct UpdateAccountPayload {
    /// Changed account; null on failure.
    user: Option<User>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Input of `changeUsername`.
#[derive(InputObject)]
pub struct ChangeUsernameInput {
    /// New username: 1 to 150 letters, digits and `. _ @ + -`. With an `@`, it must be the e-mail
    /// address of the account.
    username: String,
}

/// Payload of `changeUsername`.
#[derive(Default, SimpleObject)]
pub struct ChangeUsernamePayload {
    /// Account with the new username; null on failure.
    user: Option<User>,
    /// Expected failures; empty on success. `RATE_LIMITED`: the username was changed less than 30
    /// days ago.
    errors: Vec<UserError>,
}

/// Payload of `exportAccount`.
#[derive(Default, SimpleObject)]
pub struct ExportAccountPayload {
    /// Data of the account, with the names of this schema: `exportedAt`, `isComplete`, `account`, `formerUsernames`,
    /// `sessions`, `blacklistEntries` and `auditEvents`, of each list the newest 1000; `isComplete`
    /// is false if a list is longer. No password and no token is in it. Null on failure.
    document: Option<JsonObject>,
    /// Expected failures; empty on success. `RATE_LIMITED`: after three exports, one is allowed
    /// every ten minutes.
    errors: Vec<UserError>,
}

/// Payload of `deleteAccount`.
#[derive(Default, SimpleObject)]
pub struct DeleteAccountPayload {
    /// Number of sessions that the deletion ended.
    ended_count: usize,
    /// When the username and the e-mail address are free again, and nothing of them is stored any
    /// more: 30 days after the deletion. All other data of the account is deleted at once or by the
    /// next purge. Null on failure.
    erased_at: Option<DateTime>,
    /// Expected failures; empty on success. `FORBIDDEN`: the account is the last active
    /// administrator.
    errors: Vec<UserError>,
}

/// Data of one's own account.
#[derive(Default)]
pub struct AccountDataMutation;

#[Object]
impl AccountDataMutation {
    /// Changes settings of the logged-in user's account.
    #[graphql(directive = requiresAuth::apply(None, None, None))]
    async fn update_account(
        &self,
        context: &Context<'_>,
        input: UpdateAccountInput,
    ) -> Result<Option<UpdateAccountPayload>> {
        let viewer = viewer(context)?;
        let changed = auth(context).accounts.change_locale(viewer, input.locale.as_deref()).await;
        Ok(Some(match expected(changed)? {
            Ok(user) => {
                UpdateAccountPayload { user: Some(User::new(user, viewer)), errors: Vec::new() }
            }
            Err(errors) => UpdateAccountPayload { errors, user: None },
        }))
    }

    /// Changes the username of the logged-in user, at most once in 30 days. The former username
    /// stays reserved for 30 days, and is no longer accepted at login.
    #[graphql(directive = requiresAuth::apply(None, Some(FRESH), None))]
    async fn change_username(
        &self,
        context: &Context<'_>,
        input: ChangeUsernameInput,
    ) -> Result<Option<ChangeUsernamePayload>> {
        let (viewer, origin) = (viewer(context)?, caller(context).origin().clone());
        let accounts = &auth(context).accounts;
        let changed = accounts.change_username(viewer, &input.username, origin).await;
        Ok(Some(match expected(changed)? {
            Ok(user) => {
                ChangeUsernamePayload { user: Some(User::new(user, viewer)), errors: Vec::new() }
            }
            Err(errors) => ChangeUsernamePayload { errors, user: None },
        }))
    }

    /// Exports the data of the logged-in user's account as one JSON object.
    #[graphql(directive = requiresAuth::apply(None, Some(FRESH), None))]
    async fn export_account(&self, context: &Context<'_>) -> Result<Option<ExportAccountPayload>> {
        let (viewer, origin) = (viewer(context)?, caller(context).origin().clone());
        let exported = auth(context).accounts.export(viewer, origin).await;
        Ok(Some(match expected(exported)? {
            Ok(document) => {
                ExportAccountPayload { document: Some(JsonObject(document)), errors: Vec::new() }
            }
            Err(errors) => ExportAccountPayload { errors, document: None },
        }))
    }

    /// Deletes the account of the logged-in user and ends all its sessions. This cannot be undone.
    #[graphql(directive = requiresAuth::apply(None, Some(FRESH), None))]
    async fn delete_account(&self, context: &Context<'_>) -> Result<Option<DeleteAccountPayload>> {
        let viewer = viewer(context)?;
        let deleted = auth(context).accounts.delete_own(viewer, cookies(context)).await;
        Ok(Some(match expected(deleted)? {
            Ok(deleted) => DeleteAccountPayload {
                ended_count: deleted.ended,
                erased_at: Some(deleted.erased_at.into()),
                errors: Vec::new(),
            },
            Err(errors) => DeleteAccountPayload { errors, ..DeleteAccountPayload::default() },
        }))
    }
}
