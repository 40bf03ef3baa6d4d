//! Mutations of the own second factors: added, removed, renewed.

use async_graphql::{ComplexObject, Context, InputObject, Object, Result, SimpleObject};

use super::login::LoginPayload;
use crate::auth::{BegunTotp, ConfirmTotp, Denial, Viewer};
use crate::graphql::qr_code::qr_code;
use crate::graphql::requires_auth::{FRESH, requiresAuth};
use crate::graphql::types::{Assurance, User};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{auth, caller, cookies, viewer};

/// Payload of `beginTotp`.
#[derive(Default, SimpleObject)]
#[graphql(complex)]
pub struct BeginTotpPayload {
    /// Token for `confirmTotp`, valid for ten minutes; null on failure.
    challenge_token: Option<String>,
    /// Secret in base32, which the user can type into an authenticator app; null on failure.
    secret: Option<String>,
    /// The same as a URI (`otpauth:`), for a link on a device that has an authenticator app; null on
    /// failure.
    uri: Option<String>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

#[ComplexObject]
impl BeginTotpPayload {
    /// The URI as a QR code, which an authenticator app reads: an SVG document; null on failure.
    async fn qr_code(&self) -> Result<Option<String>> {
        let Some(uri) = &self.uri else { return Ok(None) };
        qr_code(uri.clone()).await.map(Some)
    }
}

/// Input of `confirmTotp`.
#[derive(InputObject)]
pub struct ConfirmTotpInput {
    /// Token from `beginTotp`.
    #[graphql(secret)]
    challenge_token: String,
    /// Code of six digits that the authenticator app shows now.
    #[graphql(secret)]
    code: String,
}

/// Payload of `confirmTotp`.
#[derive(Default, SimpleObject)]
pub struct ConfirmTotpPayload {
    /// Account with the new factor; null on failure.
    user: Option<User>,
    /// With the first factor of the account: ten recovery codes, each of which replaces the factor once.
    /// They are returned this once; show them to the user. Null on failure, and with a further factor.
    recovery_codes: Option<Vec<String>>,
    /// Login that waited for the factor, with its tokens; null in a session, and on failure.
    login: Option<LoginPayload>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Payload of mutations that remove a second factor.
#[derive(Default, SimpleObject)]
pub struct RemoveFactorPayload {
    /// Account without the factor; null on failure.
    user: Option<User>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Payload of `renewRecoveryCodes`: the new codes.
#[derive(Default, SimpleObject)]
pub struct RenewRecoveryCodesPayload {
    /// Ten recovery codes, which replace all earlier ones. They are returned this once; show them to the
    /// user. Null on failure.
    recovery_codes: Option<Vec<String>>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

impl BeginTotpPayload {
    fn begun(begun: BegunTotp) -> Self {
        Self {
            challenge_token: Some(begun.token),
            secret: Some(begun.secret.to_string()),
            uri: Some(begun.uri.to_string()),
            errors: Vec::new(),
        }
    }
}

impl RemoveFactorPayload {
    pub(super) fn of(removed: std::result::Result<User, Vec<UserError>>) -> Self {
        match removed {
            Ok(user) => Self { user: Some(user), errors: Vec::new() },
            Err(errors) => Self { errors, user: None },
        }
    }
}

/// The caller, if logged in, or why not.
pub(super) fn caller_or_denial(context: &Context<'_>) -> std::result::Result<Viewer, Denial> {
    auth(context).guard.authenticate(caller(context))
}

/// Add and remove second factors.
#[derive(Default)]
pub struct SecondFactorMutation;

#[Object]
impl SecondFactorMutation {
    /// Begins to add an authenticator app (TOTP), or to replace the one that the user has. Requires an
    /// access token of a login or reauthentication within the last 300 seconds, and if the account has a
    /// second factor, one within that time that is no recovery code (otherwise the error is
    /// UNAUTHENTICATED with the reason `REAUTHENTICATION_REQUIRED`); or the token of a login that has
    /// the step `ENROLL_FACTOR`.
    async fn begin_totp(
        &self,
        context: &Context<'_>,
        #[graphql(
            secret,
            desc = "Token of a login that has the step `ENROLL_FACTOR`; null for the session of the \
                    access token, or for the token in the cookie."
        )]
        challenge_token: Option<String>,
    ) -> Result<BeginTotpPayload> {
        let (viewer, token) = (caller_or_denial(context), challenge_token.as_deref());
        let enrollments = &auth(context).enrollments;
        Ok(match expected(enrollments.begin_totp(viewer, token, cookies(context)).await)? {
            Ok(begun) => BeginTotpPayload::begun(begun),
            Err(errors) => BeginTotpPayload { errors, ..BeginTotpPayload::default() },
        })
    }

    /// Adds the authenticator app, by a code that it shows. In a login that has the step `ENROLL_FACTOR`
    /// this is the second step; `login` then has the tokens.
    async fn confirm_totp(
        &self,
        context: &Context<'_>,
        input: ConfirmTotpInput,
    ) -> Result<ConfirmTotpPayload> {
        let viewer = caller_or_denial(context);
        let confirm = ConfirmTotp { token: &input.challenge_token, code: &input.code };
        let (auth, origin) = (auth(context), caller(context).origin().clone());
        let enrollments = &auth.enrollments;
        let done = enrollments.confirm_totp(confirm, viewer, cookies(context), origin);
        Ok(match expected(Box::pin(done).await)? {
            Ok(enrolled) => {
                let login = enrolled.login.map(LoginPayload::of);
                let seen_by = login.as_ref().and_then(LoginPayload::viewer).or(viewer.ok());
                ConfirmTotpPayload {
                    user: seen_by.map(|viewer| User::new(enrolled.user, viewer)),
                    recovery_codes: enrolled.recovery_codes.texts(),
                    login,
                    errors: Vec::new(),
                }
            }
            Err(errors) => ConfirmTotpPayload { errors, ..ConfirmTotpPayload::default() },
        })
    }

    /// Removes the authenticator app. If it is the last second factor, the recovery codes are removed,
    /// too. A recovery code is not enough for `assurance` here.
    #[graphql(directive = requiresAuth::apply(None, Some(FRESH), Some(Assurance::MultiFactor)))]
    async fn remove_totp(&self, context: &Context<'_>) -> Result<Option<RemoveFactorPayload>> {
        let (viewer, origin) = (viewer(context)?, caller(context).origin().clone());
        let done = auth(context).enrollments.remove_totp(viewer, origin).await;
        let removed = expected(done)?.map(|user| User::new(user, viewer));
        Ok(Some(RemoveFactorPayload::of(removed)))
    }

    /// Replaces the recovery codes of the user. A recovery code is not enough for `assurance` here.
    #[graphql(directive = requiresAuth::apply(None, Some(FRESH), Some(Assurance::MultiFactor)))]
    async fn renew_recovery_codes(
        &self,
        context: &Context<'_>,
    ) -> Result<Option<RenewRecoveryCodesPayload>> {
        let (viewer, origin) = (viewer(context)?, caller(context).origin().clone());
        let done = auth(context).enrollments.renew_recovery_codes(viewer, origin).await;
        Ok(Some(match expected(done)? {
            Ok(codes) => {
                RenewRecoveryCodesPayload { recovery_codes: codes.texts(), errors: Vec::new() }
            }
            Err(errors) => RenewRecoveryCodesPayload { errors, recovery_codes: None },
        }))
    }
}
