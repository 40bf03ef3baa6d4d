//! Mutations to log in by e-mail, and the next step of a login.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::login::LoginPayload;
use super::reauthentication::ProofInput;
use crate::auth::{ContinueLogin, FactorProof, LinkLogin, RequestEmail, StepProof};
use crate::graphql::types::{LoginChallenge, TokenTransport};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{auth, caller, cookies, optional_viewer};

/// Input of `continueLogin`.
#[derive(InputObject)]
pub struct ContinueLoginInput {
    /// Token of the challenge; null for the token in the cookie. The tokens of the session are
    /// returned by the same transport.
    #[graphql(secret)]
    challenge_token: Option<String>,
    /// One of the proofs that `LoginChallenge.steps` names.
    proof: ProofInput,
    /// Token of this device, from an earlier `LoginPayload.deviceToken`, after which a code from an e-mail
    /// may be enough. Null for the token in the cookie, if any.
    #[graphql(secret)]
    device_token: Option<String>,
    /// If true, and the proof is a second factor that is no recovery code, later logins on this device need
    /// none, for the `trustDeviceSeconds` of the challenge.
    #[graphql(default)]
    trust_device: bool,
}

/// Input of mutations that send an e-mail to the user with this name.
#[derive(InputObject)]
pub struct RequestEmailInput {
    /// Username or e-mail address, ignoring case and surrounding white space.
    pub(super) username: String,
    /// Language of the e-mail: a language tag (BCP 47) such as `en` or `ko`; null for the language of
    /// the user or of the browser.
    pub(super) locale: Option<String>,
    /// Transport of the challenge's token, and of the tokens after it: response body or cookie.
    #[graphql(default_with = "TokenTransport::Body")]
    pub(super) transport: TokenTransport,
}

/// Payload of mutations that send an e-mail with a code and a link.
#[derive(Default, SimpleObject)]
pub struct RequestEmailPayload {
    /// Challenge for the code, the same whether or not the name has an account; null on failure.
    pub(super) challenge: Option<LoginChallenge>,
    /// Expected failures; empty on success.
    pub(super) errors: Vec<UserError>,
}

impl RequestEmailPayload {
    pub(super) fn of(
        done: std::result::Result<crate::auth::LoginChallenge, Vec<UserError>>,
    ) -> Self {
        match done {
            Ok(challenge) => Self { challenge: Some(challenge.into()), errors: Vec::new() },
            Err(errors) => Self { errors, challenge: None },
        }
    }
}

/// Input of `loginWithLink`.
#[derive(InputObject)]
pub struct LoginWithLinkInput {
    /// Token in the link: the parameter `token` of its fragment.
    #[graphql(secret)]
    link_token: String,
    /// Token of the challenge from `register` or `login`, if this client registered the account or entered
    /// the password; null otherwise.
    #[graphql(secret)]
    challenge_token: Option<String>,
    /// Token of this device, from an earlier `LoginPayload.deviceToken`. Null for the token in the cookie,
    /// if any.
    #[graphql(secret)]
    device_token: Option<String>,
    /// Name of the session for the user's list of sessions, 1 to 100 characters, e.g. `Work
    /// laptop`; null for none.
    session_name: Option<String>,
    /// Transport of the refresh token: response body or cookie.
    #[graphql(default_with = "TokenTransport::Body")]
    transport: TokenTransport,
}

/// Steps of a login.
#[derive(Default)]
pub struct LoginStepMutation;

#[Object]
impl LoginStepMutation {
    /// Continues a login by a proof that its challenge asks for.
    async fn continue_login(
        &self,
        context: &Context<'_>,
        input: ContinueLoginInput,
    ) -> Result<LoginPayload> {
        let proof = match &input.proof {
            // A password is no step of a login: it is judged like a code that is wrong.
            ProofInput::EmailCode(code) | ProofInput::Password(code) => StepProof::EmailCode(code),
            ProofInput::Passkey(response) => StepProof::Factor(FactorProof::Passkey(&response.0)),
            ProofInput::RecoveryCode(code) => StepProof::Factor(FactorProof::RecoveryCode(code)),
            ProofInput::TotpCode(code) => StepProof::Factor(FactorProof::TotpCode(code)),
        };
        let step = ContinueLogin {
            challenge_token: input.challenge_token.as_deref(),
            proof,
            device_token: input.device_token.as_deref(),
            trust_device: input.trust_device,
            viewer: optional_viewer(context),
        };
        let (auth, origin) = (auth(context), caller(context).origin().clone());
        let done = Box::pin(auth.sessions.continue_login(step, cookies(context), origin)).await;
        Ok(match expected(done)? {
            Ok(continued) => LoginPayload::continued(continued),
            Err(errors) => LoginPayload::refused(errors),
        })
    }

    /// Sends an e-mail with a code and a link to log in. The answer does not tell whether the name has
    /// an account. The code goes to `continueLogin`, the token of the link to `loginWithLink`.
    async fn request_email_login(
        &self,
        context: &Context<'_>,
        input: RequestEmailInput,
    ) -> Result<RequestEmailPayload> {
        let (auth, caller) = (auth(context), caller(context));
        let languages = caller.languages();
        let request = RequestEmail {
            username: &input.username,
            locale: input.locale.as_deref(),
            languages: &languages,
        };
        let (transport, origin) = (input.transport.into(), caller.origin().clone());
        let accounts = &auth.accounts;
        let done = accounts.request_login(request, transport, cookies(context), origin).await;
        Ok(RequestEmailPayload::of(expected(done)?))
    }

    /// Logs in by the link from an e-mail of `requestEmailLogin`.
    async fn login_with_link(
        &self,
        context: &Context<'_>,
        input: LoginWithLinkInput,
    ) -> Result<LoginPayload> {
        let login = LinkLogin {
            link_token: &input.link_token,
            challenge_token: input.challenge_token.as_deref(),
            session_name: input.session_name.as_deref(),
            device_token: input.device_token.as_deref(),
            viewer: optional_viewer(context),
        };
        let (auth, origin) = (auth(context), caller(context).origin().clone());
        let (transport, cookies) = (input.transport.into(), cookies(context));
        let sessions = &auth.sessions;
        let done = Box::pin(sessions.log_in_by_link(login, transport, cookies, origin)).await;
        Ok(match expected(done)? {
            Ok(outcome) => LoginPayload::of(outcome),
            Err(errors) => LoginPayload::refused(errors),
        })
    }
}
