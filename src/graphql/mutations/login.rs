//! Mutations that issue tokens: register, login and refresh.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use crate::auth::{
    self, Continued, Field, Login, LoginOutcome, Refresh, Register, SignedIn, UserErrorCode, Viewer,
};
use crate::domain::challenge::LoginStep;
use crate::graphql::types::{LoginChallenge, Session, TokenPair, TokenTransport, User};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{auth, caller, cookies};

/// Input of `register`.
#[derive(InputObject)]
pub struct RegisterInput {
    /// Username: 1 to 150 letters, digits and `. _ @ + -`. With an `@`, it must be the e-mail
    /// address of the account.
    username: String,
    /// Password: 8 to 256 characters (the service may require more than 8), not easy to guess.
    #[graphql(secret)]
    password: String,
    /// E-mail address, by which the user can log in, too. Null for none, or for the username if
    /// that is an e-mail address.
    email: Option<String>,
    /// Language of e-mails to the user: a language tag (BCP 47) such as `en`, `ko` or `pt-BR`; null for
    /// the language of the browser.
    locale: Option<String>,
    /// Name of the session for the user's list of sessions, 1 to 100 characters, e.g. `Work
    /// laptop`; null for none.
    session_name: Option<String>,
    /// Transport of the refresh token: response body or cookie.
    #[graphql(default_with = "TokenTransport::Body")]
    transport: TokenTransport,
}

/// Input of `login`.
#[derive(InputObject)]
pub struct LoginInput {
    /// Username or e-mail address, ignoring case and surrounding white space.
    username: String,
    /// Password of the user.
    #[graphql(secret)]
    password: String,
    /// Token of this device, from an earlier `LoginPayload.deviceToken`: if the device is trusted, no
    /// second factor is needed. Null for the token in the cookie, if any.
    #[graphql(secret)]
    device_token: Option<String>,
    /// Name of the session for the user's list of sessions, 1 to 100 characters, e.g. `Work
    /// laptop`; null for none.
    session_name: Option<String>,
    /// Transport of the refresh token: response body or cookie.
    #[graphql(default_with = "TokenTransport::Body")]
    transport: TokenTransport,
}

/// Input of `refresh`.
#[derive(Default, InputObject)]
pub struct RefreshInput {
    /// Outstanding refresh token of the session; null for the refresh token in the cookie.
    #[graphql(secret)]
    refresh_token: Option<String>,
    /// Transport of the next refresh token; null for the transport by which this one was sent. A
    /// refresh token from the cookie cannot change to `BODY`: scripts must not read it.
    transport: Option<TokenTransport>,
    /// Random text of 16 to 200 bytes, e.g. a UUID, that the client creates and stores before it
    /// sends the refresh. If the response is lost, the client repeats the refresh with the same
    /// `attemptId`, no matter how late; with another `attemptId` the repetition is refused. Null:
    /// the client can repeat the refresh within the retry window only (10 seconds by default).
    attempt_id: Option<String>,
}

/// Payload of `register`.
#[derive(Default, SimpleObject)]
pub struct RegisterPayload {
    /// New access token and refresh token; null on failure, and if a challenge is returned.
    tokens: Option<TokenPair>,
    /// Session of the tokens; null if there are none.
    session: Option<Session>,
    /// User of the session; null if there is none.
    user: Option<User>,
    /// Next step of the registration; null if none is needed. With it `errors` contains
    /// `SECOND_STEP_REQUIRED`. It is also returned if another account has the e-mail address.
    challenge: Option<LoginChallenge>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Payload of `login` and of other mutations that log in.
#[derive(Default, SimpleObject)]
pub struct LoginPayload {
    /// New access token and refresh token; null on failure, and if a challenge is returned.
    tokens: Option<TokenPair>,
    /// Session of the tokens; null if there are none.
    session: Option<Session>,
    /// User of the session; null if there is none.
    user: Option<User>,
    /// Next step of the login; null if none is needed. With it `errors` contains
    /// `SECOND_STEP_REQUIRED`, or `INVALID_PROOF` after a wrong proof.
    challenge: Option<LoginChallenge>,
    /// Token of the device, if `trustDevice` was set and the transport is `BODY`: the client keeps it, and
    /// sends it with later logins.
    device_token: Option<String>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

/// Payload of `refresh`.
#[derive(Default, SimpleObject)]
pub struct RefreshPayload {
    /// New access token and refresh token; null on failure.
    tokens: Option<TokenPair>,
    /// Session of the tokens; null on failure.
    session: Option<Session>,
    /// User of the session; null on failure.
    user: Option<User>,
    /// Expected failures; empty on success.
    errors: Vec<UserError>,
}

impl LoginPayload {
    pub(super) fn of(outcome: LoginOutcome) -> Self {
        match outcome {
            LoginOutcome::Session(user, signed_in) => {
                let device_token = signed_in.device_token().map(str::to_owned);
                let (session, tokens, viewer) = parts(*signed_in);
                Self {
                    device_token,
                    tokens: Some(tokens),
                    session: Some(session),
                    user: Some(User::new(user, viewer)),
                    ..Self::default()
                }
            }
            LoginOutcome::Challenge(challenge) => Self {
                errors: vec![second_step(&challenge)],
                challenge: Some(challenge.into()),
                ..Self::default()
            },
        }
    }

    pub(super) fn continued(continued: Continued) -> Self {
        match continued {
            Continued::Login(outcome) => Self::of(outcome),
            Continued::Wrong(error, challenge) => Self {
                challenge: Some(challenge.into()),
                errors: vec![error.into()],
                ..Self::default()
            },
        }
    }

    /// Who is logged in by it.
    pub(super) fn viewer(&self) -> Option<Viewer> {
        self.user.as_ref().map(User::viewer)
    }

    pub(super) fn refused(errors: Vec<UserError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

impl From<LoginPayload> for RegisterPayload {
    fn from(payload: LoginPayload) -> Self {
        let LoginPayload { tokens, session, user, challenge, errors, .. } = payload;
        Self { tokens, session, user, challenge, errors }
    }
}

fn parts(signed_in: SignedIn) -> (Session, TokenPair, Viewer) {
    let viewer = signed_in.viewer();
    let (session, tokens) = signed_in.into_parts();
    (Session::new(session, viewer), tokens.into(), viewer)
}

/// Old clients show its message where they know no challenge.
fn second_step(challenge: &auth::LoginChallenge) -> UserError {
    const EMAIL: &str = "Another step is needed to log in. Enter the code from the e-mail.";
    const ENROLMENT: &str = "Another step is needed to log in. Add a second factor to the account.";
    const PASSKEY: &str = "Another step is needed to log in. Use a passkey, a code from the \
                           authenticator app, or a recovery code.";
    const FACTOR: &str = "Another step is needed to log in. Enter a code from the authenticator app, \
                          or a recovery code.";
    let message = match challenge.steps.as_slice() {
        steps if steps.contains(&LoginStep::Passkey) => PASSKEY,
        [LoginStep::EmailCode] => EMAIL,
        [LoginStep::EnrollFactor] => ENROLMENT,
        _ => FACTOR,
    };
    let code = UserErrorCode::SecondStepRequired;
    auth::UserError::new(code, Field::Input, message).into()
}

/// Register, log in, refresh.
#[derive(Default)]
pub struct LoginMutation;

#[Object]
impl LoginMutation {
    /// Creates an account and logs in to it, if the service allows registration.
    async fn register(
        &self,
        context: &Context<'_>,
        input: RegisterInput,
    ) -> Result<RegisterPayload> {
        let languages = caller(context).languages();
        let register = Register {
            username: &input.username,
            password: &input.password,
            email: input.email.as_deref(),
            session_name: input.session_name.as_deref(),
            locale: input.locale.as_deref(),
            languages: &languages,
        };
        let (auth, origin) = (auth(context), caller(context).origin().clone());
        let (transport, cookie) = (input.transport.into(), cookies(context));
        // Boxed, since the future of every mutation is as large as the largest one.
        let done = Box::pin(auth.accounts.register(register, transport, cookie, origin)).await;
        Ok(match expected(done)? {
            Ok(outcome) => LoginPayload::of(outcome).into(),
            Err(errors) => LoginPayload::refused(errors).into(),
        })
    }

    /// Logs in with a password: creates a session and its first tokens.
    async fn login(&self, context: &Context<'_>, input: LoginInput) -> Result<LoginPayload> {
        let languages = caller(context).languages();
        let login = Login {
            username: &input.username,
            password: &input.password,
            session_name: input.session_name.as_deref(),
            device_token: input.device_token.as_deref(),
            languages: &languages,
        };
        let (auth, origin) = (auth(context), caller(context).origin().clone());
        let (transport, cookie) = (input.transport.into(), cookies(context));
        let done = Box::pin(auth.sessions.log_in(login, transport, cookie, origin)).await;
        Ok(match expected(done)? {
            Ok(outcome) => LoginPayload::of(outcome),
            Err(errors) => LoginPayload::refused(errors),
        })
    }

    /// Exchanges the refresh token for a new access token and, unless the service does not rotate
    /// refresh tokens, for the next refresh token, which replaces this one.
    async fn refresh(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Null for the refresh token in the cookie.")] input: Option<RefreshInput>,
    ) -> Result<RefreshPayload> {
        let input = input.unwrap_or_default();
        let origin = caller(context).origin().clone();
        let asked = Refresh {
            token: input.refresh_token.as_deref(),
            transport: input.transport.map(Into::into),
            attempt_id: input.attempt_id.as_deref(),
            rotate: None,
        };
        match expected(auth(context).sessions.refresh(asked, cookies(context), origin).await)? {
            Ok(signed_in) => {
                let viewer = signed_in.viewer();
                // The read can fail after a refresh that cannot be undone, so it happens only if the
                // client selects the user.
                let user = if context.look_ahead().field("user").exists() {
                    User::load(context, viewer, viewer.user_id()).await?
                } else {
                    None
                };
                let (session, tokens, _) = parts(signed_in);
                Ok(RefreshPayload {
                    tokens: Some(tokens),
                    session: Some(session),
                    user,
                    errors: Vec::new(),
                })
            }
            Err(errors) => Ok(RefreshPayload { errors, ..RefreshPayload::default() }),
        }
    }
}
