//! Mutations to prove again that the caller is the user.

use async_graphql::{Context, InputObject, Object, OneofObject, Result, SimpleObject};

use crate::auth::{FactorProof, FreshProofInput};
use crate::graphql::requires_auth::requiresAuth;
use crate::graphql::scalars::WebAuthnJson;
use crate::graphql::types::{LoginChallenge, Session, TokenPair};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{auth, caller, viewer};

/// Proof that the caller is the user: exactly one of the fields.
#[derive(OneofObject)]
pub enum ProofInput {
    /// Code of eight digits from an e-mail.
    #[graphql(secret)]
    EmailCode(String),
    /// Response of a passkey, as `PublicKeyCredential.toJSON` returns it.
    #[graphql(secret)]
    Passkey(WebAuthnJson),
    /// Password of the user.
    #[graphql(secret)]
    Password(String),
    /// Recovery code; upper or lower case, with or without hyphens.
    #[graphql(secret)]
    RecoveryCode(String),
    /// Code of six digits that the authenticator app of the user shows.
    #[graphql(secret)]
    TotpCode(String),
}

/// Payload of `beginReauthentication`.
#[derive(Default, SimpleObject)]
pub struct BeginReauthenticationPayload {
    /// Proofs that the user can give, as `steps`; null on failure.
    challenge: Option<LoginChallenge>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Input of `reauthenticate`.
#[derive(InputObject)]
pub struct ReauthenticateInput {
    /// Token of the challenge from `beginReauthentication`, for a passkey or a code from an
    /// e-mail; null for the
    /// latest one that was sent for this session, and for any other proof.
    #[graphql(secret)]
    challenge_token: Option<String>,
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
    /// Returns the proofs by which the user of the session can reauthenticate, and sends a code by
    /// e-mail if asked to.
    #[graphql(directive = requiresAuth::apply(None, None, None))]
    async fn begin_reauthentication(
        &self,
        context: &Context<'_>,
        #[graphql(
            default = false,
            desc = "If true, send a code to the verified e-mail address of the user."
        )]
        send_code: bool,
    ) -> Result<Option<BeginReauthenticationPayload>> {
        let (viewer, caller) = (viewer(context)?, caller(context));
        let (languages, origin) = (caller.languages(), caller.origin().clone());
        let sessions = &auth(context).sessions;
        let begun = sessions.begin_reauthentication(viewer, send_code, &languages, origin).await;
        Ok(Some(match expected(begun)? {
            Ok(challenge) => BeginReauthenticationPayload {
                challenge: Some(challenge.into()),
                errors: Vec::new(),
            },
            Err(errors) => BeginReauthenticationPayload { errors, challenge: None },
        }))
    }

    /// Proves again that the caller is the user of the session, for fields that require a fresh
    /// login (`freshWithin`). The session stays the same; refreshes keep the time of the proof.
    #[graphql(directive = requiresAuth::apply(None, None, None))]
    async fn reauthenticate(
        &self,
        context: &Context<'_>,
        input: ReauthenticateInput,
    ) -> Result<Option<ReauthenticatePayload>> {
        let (viewer, origin) = (viewer(context)?, caller(context).origin().clone());
        let proof = match &input.proof {
            ProofInput::Password(password) => FreshProofInput::Password(password),
            ProofInput::EmailCode(code) => FreshProofInput::EmailCode {
                challenge_token: input.challenge_token.as_deref(),
                code,
            },
            ProofInput::Passkey(response) => FreshProofInput::Passkey {
                challenge_token: input.challenge_token.as_deref(),
                response: &response.0,
            },
            ProofInput::RecoveryCode(code) => {
                FreshProofInput::Factor(FactorProof::RecoveryCode(code))
            }
            ProofInput::TotpCode(code) => FreshProofInput::Factor(FactorProof::TotpCode(code)),
        };
        let done = auth(context).sessions.reauthenticate(viewer, proof, origin).await;
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
