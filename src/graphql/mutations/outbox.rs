//! Mutation of the outbox of e-mails.

use async_graphql::{Context, Object, Result, SimpleObject};

use crate::graphql::requires_auth::requiresAuth;
use crate::graphql::types::Role;
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{admin, auth, viewer};

/// Payload of `retryEmails`.
#[derive(Default, SimpleObject)]
pub struct RetryEmailsPayload {
    /// Number of waiting and failed e-mails that are sent now.
    retried_count: u64,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// The outbox of e-mails.
#[derive(Default)]
pub struct OutboxMutation;

#[Object]
impl OutboxMutation {
    /// Sends waiting and failed e-mails now, if their codes and links are still valid.
    #[graphql(directive = requiresAuth::apply(Some(Role::Admin), None, None))]
    async fn retry_emails(&self, context: &Context<'_>) -> Result<Option<RetryEmailsPayload>> {
        let by = admin(viewer(context)?)?;
        Ok(Some(match expected(auth(context).emails.retry(by).await)? {
            Ok(retried_count) => RetryEmailsPayload { retried_count, errors: Vec::new() },
            Err(errors) => RetryEmailsPayload { errors, ..RetryEmailsPayload::default() },
        }))
    }
}
