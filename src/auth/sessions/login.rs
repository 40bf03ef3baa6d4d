//! Login: a name and a password become a session and its tokens.

use super::Sessions;
use super::open::parse_session_name;
use super::token_issuer::SignedIn;
use super::token_transport::{RefreshCookie, TokenTransport};
use crate::auth::error::Error;
use crate::auth::proof::Proof;
use crate::auth::user_error::UserErrorCode;
use crate::domain::origin::Origin;
use crate::domain::user::User;
use crate::metrics::LoginResult;
use crate::redacted::redacted_debug;

#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// A username or an e-mail address.
    pub username: &'a str,
    pub password: &'a str,
    pub session_name: Option<&'a str>,
}

redacted_debug!(Login<'_>);

impl Sessions {
    /// Logs in, and delivers the refresh token by this transport.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS`; `INVALID_INPUT` for the session's name; `RATE_LIMITED`; `OVERLOADED`;
    /// `FORBIDDEN` where a page asks for the cookie that may not have it.
    pub async fn log_in(
        &self,
        login: Login<'_>,
        transport: TokenTransport,
        cookie: &RefreshCookie,
        origin: Origin,
    ) -> Result<(User, SignedIn), Error> {
        cookie.allow(transport)?;
        let opened = self.open_by_password(login, &origin).await;
        self.metrics.login(result(&opened));
        let (user, signed_in) = opened?;
        let signed_in = self.deliver(signed_in, transport, cookie, origin).await?;
        Ok((user, signed_in))
    }

    async fn open_by_password(
        &self,
        login: Login<'_>,
        origin: &Origin,
    ) -> Result<(User, SignedIn), Error> {
        let name = parse_session_name(login.session_name)?;
        let verified = self.passwords.verify(login.username, login.password, origin).await?;
        self.open(Proof::Password(verified), name, origin).await
    }
}

fn result<T>(opened: &Result<T, Error>) -> LoginResult {
    match opened {
        Ok(_) => LoginResult::Succeeded,
        Err(Error::Refused(error)) => match error.code {
            UserErrorCode::InvalidCredentials => LoginResult::InvalidCredentials,
            UserErrorCode::RateLimited => LoginResult::RateLimited,
            UserErrorCode::Overloaded => LoginResult::Overloaded,
            _ => LoginResult::InvalidInput,
        },
        Err(_) => LoginResult::Failed,
    }
}
