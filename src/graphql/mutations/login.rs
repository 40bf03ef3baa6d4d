//! Mutations that issue tokens: register, login and refresh.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use crate::auth::{Login, Refresh, Register, SignedIn};
use crate::domain;
use crate::graphql::types::{Session, TokenPair, TokenTransport, User};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{auth, caller, cookie};

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

/// Defines a payload. The three payloads have the same fields.
macro_rules! payload {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Default, SimpleObject)]
        pub struct $name {
            /// New access token and refresh token; null on failure.
            tokens: Option<TokenPair>,
            /// Session of the tokens; null on failure.
            session: Option<Session>,
            /// User of the session; null on failure.
            user: Option<User>,
            /// Expected failures; empty on success.
            errors: Vec<UserError>,
        }

        impl $name {
            fn done(user: Option<User>, signed_in: SignedIn) -> Self {
                let viewer = signed_in.viewer();
                let (session, tokens) = signed_in.into_parts();
                Self {
                    tokens: Some(tokens.into()),
                    session: Some(Session::new(session, viewer)),
                    user,
                    errors: Vec::new(),
                }
            }

            fn refused(errors: Vec<UserError>) -> Self {
                Self { errors, ..Self::default() }
            }
        }
    };
}

payload! {
    /// Payload of `register`.
    RegisterPayload
}

payload! {
    /// Payload of `login`.
    LoginPayload
}

payload! {
    /// Payload of `refresh`.
    RefreshPayload
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
        let register = Register {
            username: &input.username,
            password: &input.password,
            email: input.email.as_deref(),
            session_name: input.session_name.as_deref(),
        };
        let (auth, origin) = (auth(context), caller(context).origin().clone());
        let (transport, cookie) = (input.transport.into(), cookie(context));
        // Boxed, since the future of every mutation is as large as the largest one.
        let done = Box::pin(auth.accounts.register(register, transport, cookie, origin)).await;
        Ok(match expected(done)? {
            Ok((user, signed_in)) => {
                RegisterPayload::done(Some(shown(user, &signed_in)), signed_in)
            }
            Err(errors) => RegisterPayload::refused(errors),
        })
    }

    /// Logs in with a password: creates a session and its first tokens.
    async fn login(&self, context: &Context<'_>, input: LoginInput) -> Result<LoginPayload> {
        let login = Login {
            username: &input.username,
            password: &input.password,
            session_name: input.session_name.as_deref(),
        };
        let (auth, origin) = (auth(context), caller(context).origin().clone());
        let (transport, cookie) = (input.transport.into(), cookie(context));
        let done = Box::pin(auth.sessions.log_in(login, transport, cookie, origin)).await;
        Ok(match expected(done)? {
            Ok((user, signed_in)) => LoginPayload::done(Some(shown(user, &signed_in)), signed_in),
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
        };
        match expected(auth(context).sessions.refresh(asked, cookie(context), origin).await)? {
            Ok(signed_in) => {
                let viewer = signed_in.viewer();
                // The read can fail after a refresh that cannot be undone, so it happens only if the
                // client selects the user.
                let user = if context.look_ahead().field("user").exists() {
                    User::load(context, viewer, viewer.user_id()).await?
                } else {
                    None
                };
                Ok(RefreshPayload::done(user, signed_in))
            }
            Err(errors) => Ok(RefreshPayload::refused(errors)),
        }
    }
}

fn shown(user: domain::user::User, signed_in: &SignedIn) -> User {
    User::new(user, signed_in.viewer())
}
