//! Mutations that issue tokens: register, login and refresh.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use crate::auth::{Login, Refresh, Register, SignedIn};
use crate::domain;
use crate::graphql::types::{Session, TokenPair, TokenTransport, User};
use crate::graphql::user_error::{UserError, expected};
use crate::graphql::{auth, caller, cookie};

/// Who registers.
#[derive(InputObject)]
pub struct RegisterInput {
    /// 1 to 150 letters, digits and `. _ @ + -`.
    username: String,
    /// 8 to 256 characters, not easy to guess.
    #[graphql(secret)]
    password: String,
    /// To log in by as well as by the username.
    email: Option<String>,
    /// What to call the session.
    session_name: Option<String>,
    /// How the refresh token is given.
    #[graphql(default_with = "TokenTransport::Body")]
    transport: TokenTransport,
}

/// Who logs in.
#[derive(InputObject)]
pub struct LoginInput {
    /// The username or the e-mail address.
    username: String,
    /// The password.
    #[graphql(secret)]
    password: String,
    /// What to call the session.
    session_name: Option<String>,
    /// How the refresh token is given.
    #[graphql(default_with = "TokenTransport::Body")]
    transport: TokenTransport,
}

/// What is refreshed.
#[derive(Default, InputObject)]
pub struct RefreshInput {
    /// The outstanding refresh token; without one the cookie's counts.
    #[graphql(secret)]
    refresh_token: Option<String>,
    /// How the next refresh token is given: as this one came, where nothing is said. One that came
    /// in a cookie stays in it.
    transport: Option<TokenTransport>,
    /// Random text of 16 to 200 bytes, e.g. a UUID, chosen and saved by the client before it sends.
    /// With the same one, and no other, the same refresh may be asked for again, however late.
    attempt_id: Option<String>,
}

/// Defines a payload. The three payloads have the same fields.
macro_rules! payload {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Default, SimpleObject)]
        pub struct $name {
            /// The tokens.
            tokens: Option<TokenPair>,
            /// The session.
            session: Option<Session>,
            /// Its user.
            user: Option<User>,
            /// Why not, where it was not done.
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
    /// What came of a registration.
    RegisterPayload
}

payload! {
    /// What came of a login.
    LoginPayload
}

payload! {
    /// What came of a refresh.
    RefreshPayload
}

/// Register, log in, refresh.
#[derive(Default)]
pub struct LoginMutation;

#[Object]
impl LoginMutation {
    /// Makes an account and logs in to it, where registration is open.
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

    /// Opens a session.
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

    /// Puts a new pair of tokens in the place of the presented refresh token.
    async fn refresh(
        &self,
        context: &Context<'_>,
        input: Option<RefreshInput>,
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
