//! Mutations of passkeys and of trusted devices.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::login::LoginPayload;
use super::second_factors::{RemoveFactorPayload, caller_or_denial};
use crate::auth::{BegunPasskey, Field, PasskeyLogin, RegisterPasskey};
use crate::graphql::error::expose;
use crate::graphql::requires_auth::{FRESH, requiresAuth};
use crate::graphql::scalars::WebAuthnJson;
use crate::graphql::types::{Assurance, Passkey, TokenTransport, User};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{auth, caller, cookies, global_id, viewer};

/// Payload of mutations that begin to use or create a passkey.
#[derive(Default, SimpleObject)]
pub struct BeginPasskeyPayload {
    /// Token for the next mutation, valid for ten minutes; null on failure, and if it was set as a cookie.
    challenge_token: Option<String>,
    /// Options for `PublicKeyCredential.parseRequestOptionsFromJSON` (login) or
    /// `parseCreationOptionsFromJSON` (registration); null on failure.
    options: Option<WebAuthnJson>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

impl BeginPasskeyPayload {
    fn of(done: std::result::Result<BegunPasskey, Vec<UserError>>) -> Self {
        match done {
            Ok(begun) => Self {
                challenge_token: begun.token,
                options: Some(WebAuthnJson(begun.options)),
                errors: Vec::new(),
            },
            Err(errors) => Self { errors, ..Self::default() },
        }
    }
}

/// Input of `loginWithPasskey`.
#[derive(InputObject)]
pub struct LoginWithPasskeyInput {
    /// Token from `beginPasskeyLogin`; null for the token in the cookie.
    #[graphql(secret)]
    challenge_token: Option<String>,
    /// Response of the passkey, as `PublicKeyCredential.toJSON` returns it.
    #[graphql(secret)]
    credential: WebAuthnJson,
    /// Name of the session for the user's list of sessions, 1 to 100 characters, e.g. `Work
    /// laptop`; null for none.
    session_name: Option<String>,
    /// Transport of the refresh token: response body or cookie.
    #[graphql(default_with = "TokenTransport::Body")]
    transport: TokenTransport,
}

/// Input of `registerPasskey`.
#[derive(InputObject)]
pub struct RegisterPasskeyInput {
    /// Token from `beginPasskeyRegistration`.
    #[graphql(secret)]
    challenge_token: Option<String>,
    /// Response of the browser, as `PublicKeyCredential.toJSON` returns it.
    #[graphql(secret)]
    credential: WebAuthnJson,
    /// Name for the user's list of passkeys, 1 to 100 characters, e.g. `Phone`; null for `Passkey`.
    name: Option<String>,
}

/// Payload of `registerPasskey`.
#[derive(Default, SimpleObject)]
pub struct RegisterPasskeyPayload {
    /// New passkey; null on failure.
    passkey: Option<Passkey>,
    /// With the first factor of the account: ten recovery codes, each of which replaces the factor once.
    /// They are returned this once; show them to the user. Null on failure, and with a further factor.
    recovery_codes: Option<Vec<String>>,
    /// Login that waited for the factor, with its tokens; null in a session, and on failure.
    login: Option<LoginPayload>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Input of `renamePasskey`.
#[derive(InputObject)]
pub struct RenamePasskeyInput {
    /// Global object ID of the passkey.
    passkey_id: ID,
    /// New name: 1 to 100 characters, no control characters.
    name: String,
}

/// Payload of `renamePasskey`.
#[derive(Default, SimpleObject)]
pub struct RenamePasskeyPayload {
    /// Renamed passkey; null on failure.
    passkey: Option<Passkey>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Input of `removePasskey`.
#[derive(InputObject)]
pub struct RemovePasskeyInput {
    /// Global object ID of the passkey.
    passkey_id: ID,
}

/// Input of `removeTrustedDevice`.
#[derive(InputObject)]
pub struct RemoveTrustedDeviceInput {
    /// Global object ID of the trusted device.
    trusted_device_id: ID,
}

/// Log in with passkeys; add and remove them.
#[derive(Default)]
pub struct PasskeyMutation;

#[Object]
impl PasskeyMutation {
    /// Begins a login with a passkey, for any account: the options name no user, so a page can request them
    /// when it opens and offer passkeys in the input of the username (conditional mediation).
    #[expect(clippy::unused_async, reason = "resolvers are asynchronous")]
    async fn begin_passkey_login(
        &self,
        context: &Context<'_>,
        #[graphql(
            default_with = "TokenTransport::Body",
            desc = "Transport of the challenge's token: response body or cookie."
        )]
        transport: TokenTransport,
    ) -> Result<BeginPasskeyPayload> {
        let sessions = &auth(context).sessions;
        let begun = sessions.begin_passkey_login(transport.into(), cookies(context));
        Ok(BeginPasskeyPayload::of(expected(begun)?))
    }

    /// Logs in with a passkey, which needs no name, no password and no second step.
    async fn login_with_passkey(
        &self,
        context: &Context<'_>,
        input: LoginWithPasskeyInput,
    ) -> Result<LoginPayload> {
        let login = PasskeyLogin {
            challenge_token: input.challenge_token.as_deref(),
            response: &input.credential.0,
            session_name: input.session_name.as_deref(),
        };
        let (auth, origin) = (auth(context), caller(context).origin().clone());
        let (transport, cookies) = (input.transport.into(), cookies(context));
        let sessions = &auth.sessions;
        let done = Box::pin(sessions.log_in_by_passkey(login, transport, cookies, origin)).await;
        Ok(match expected(done)? {
            Ok(outcome) => LoginPayload::of(outcome),
            Err(errors) => LoginPayload::refused(errors),
        })
    }

    /// Begins to add a passkey. Requires the same as `beginTotp`.
    async fn begin_passkey_registration(
        &self,
        context: &Context<'_>,
        #[graphql(
            secret,
            desc = "Token of a login that has the step `ENROLL_FACTOR`; null for the session of the \
                    access token, or for the token in the cookie."
        )]
        challenge_token: Option<String>,
    ) -> Result<BeginPasskeyPayload> {
        let (viewer, token) = (caller_or_denial(context), challenge_token.as_deref());
        let enrollments = &auth(context).enrollments;
        let begun = enrollments.begin_passkey_registration(viewer, token, cookies(context)).await;
        Ok(BeginPasskeyPayload::of(expected(begun)?))
    }

    /// Adds the passkey that the browser created. In a login that has the step `ENROLL_FACTOR` this is the
    /// second step; `login` then has the tokens.
    async fn register_passkey(
        &self,
        context: &Context<'_>,
        input: RegisterPasskeyInput,
    ) -> Result<RegisterPasskeyPayload> {
        let viewer = caller_or_denial(context);
        let register = RegisterPasskey {
            token: input.challenge_token.as_deref(),
            response: &input.credential.0,
            name: input.name.as_deref(),
        };
        let (auth, origin) = (auth(context), caller(context).origin().clone());
        let enrollments = &auth.enrollments;
        let done = enrollments.register_passkey(register, viewer, cookies(context), origin);
        let (enrolled, id) = match expected(Box::pin(done).await)? {
            Ok(enrolled) => enrolled,
            Err(errors) => {
                return Ok(RegisterPasskeyPayload { errors, ..RegisterPasskeyPayload::default() });
            }
        };
        let recovery_codes = enrolled.recovery_codes.texts();
        let login = enrolled.login.map(LoginPayload::of);
        let passkey = match login.as_ref().and_then(LoginPayload::viewer).or(viewer.ok()) {
            Some(viewer) => auth.reads.passkey(viewer, id).await.map_err(expose)?,
            None => None,
        };
        Ok(RegisterPasskeyPayload {
            passkey: passkey.map(Passkey::new),
            recovery_codes,
            login,
            errors: Vec::new(),
        })
    }

    /// Renames one of the user's own passkeys.
    #[graphql(directive = requiresAuth::apply(None, None, None))]
    async fn rename_passkey(
        &self,
        context: &Context<'_>,
        input: RenamePasskeyInput,
    ) -> Result<Option<RenamePasskeyPayload>> {
        let viewer = viewer(context)?;
        let done = match global_id::passkey(&input.passkey_id, Field::PasskeyId) {
            Ok(id) => auth(context).enrollments.rename_passkey(viewer, id, &input.name).await,
            Err(refusal) => Err(refusal.into()),
        };
        Ok(Some(match expected(done)? {
            Ok(passkey) => {
                RenamePasskeyPayload { passkey: Some(Passkey::new(passkey)), errors: Vec::new() }
            }
            Err(errors) => RenamePasskeyPayload { errors, passkey: None },
        }))
    }

    /// Removes one of the user's own passkeys. If it is the last second factor, the recovery codes are
    /// removed, too. A recovery code is not enough for `assurance` here.
    #[graphql(directive = requiresAuth::apply(None, Some(FRESH), Some(Assurance::MultiFactor)))]
    async fn remove_passkey(
        &self,
        context: &Context<'_>,
        input: RemovePasskeyInput,
    ) -> Result<Option<RemoveFactorPayload>> {
        let (viewer, origin) = (viewer(context)?, caller(context).origin().clone());
        let done = match global_id::passkey(&input.passkey_id, Field::PasskeyId) {
            Ok(id) => auth(context).enrollments.remove_passkey(viewer, id, origin).await,
            Err(refusal) => Err(refusal.into()),
        };
        let removed = expected(done)?.map(|user| User::new(user, viewer));
        Ok(Some(RemoveFactorPayload::of(removed)))
    }

    /// Ends the trust in one of the user's own devices: its next login needs a second factor.
    #[graphql(directive = requiresAuth::apply(None, None, None))]
    async fn remove_trusted_device(
        &self,
        context: &Context<'_>,
        input: RemoveTrustedDeviceInput,
    ) -> Result<Option<RemoveFactorPayload>> {
        let viewer = viewer(context)?;
        let id = global_id::trusted_device(&input.trusted_device_id, Field::TrustedDeviceId);
        let done = match id {
            Ok(id) => auth(context).enrollments.remove_trusted_device(viewer, id).await,
            Err(refusal) => Err(refusal.into()),
        };
        let removed = expected(done)?.map(|user| User::new(user, viewer));
        Ok(Some(RemoveFactorPayload::of(removed)))
    }
}
