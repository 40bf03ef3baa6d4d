//! Mutation to prove again that the caller is the user.

use async_graphql::{Context, InputObject, Object, OneofObject, Result, SimpleObject};

use crate::graphql::requires_auth::requiresAuth;
use crate::graphql::types::{Session, TokenPair};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{auth, caller, viewer};

/// Proof that the caller is the user: exactly one of the fields.
#[derive(OneofObject)]
pub enum ProofInput {
    /// Password of the user.
    #[graphql(secret)]
    Password(String),
}

/// Input of `reauthenticate`.
#[derive(InputObject)]
pub struct ReauthenticateInput {
    /// Proof that the caller is the user.
    proof: ProofInput,
}

/// Payload of `reauthenticate`.
#[derive(Default, SimpleObject)]
pub struct ReauthenticatePayload {
    /// Session with its new `authenticatedAt`; null on failure.
    session: Option<Session>,
    /// New access token of the same session, to be used from now on; null on failure. Its
    /// `refreshToken` is null: the client keeps its refresh token.
    tokens: Option<TokenPair>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Prove again to be the user.
#[derive(Default)]
pub struct ReauthenticationMutation;

#[Object]
impl ReauthenticationMutation {
    /// Proves again that the caller is the user of the session, for fields that require a fresh
    /// login (`freshWithin`). The session stays the same; refreshes keep the time of the proof.
    #[graphql(directive = requiresAuth::apply(None, None))]
    async fn reauthenticate(
        &self,
        context: &Context<'_>,
        input: ReauthenticateInput,
    ) -> Result<Option<ReauthenticatePayload>> {
        let (viewer, origin) = (viewer(context)?, caller(context).origin().clone());
        let ProofInput::Password(password) = &input.proof;
        let done = auth(context).sessions.reauthenticate(viewer, password, origin).await;
        Ok(Some(match expected(done)? {
            Ok(signed_in) => {
                let viewer = signed_in.viewer();
                let (session, tokens) = signed_in.into_parts();
                ReauthenticatePayload {
                    session: Some(Session::new(session, viewer)),
                    tokens: Some(tokens.into()),
                    errors: Vec::new(),
                }
            }
            Err(errors) => ReauthenticatePayload { errors, ..ReauthenticatePayload::default() },
        }))
    }
}
