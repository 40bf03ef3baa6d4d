//! Login: a name and a password become a session and its tokens, or the next step of the login.

use super::Sessions;
use super::open::{LoginOutcome, OpenFor, parse_session_name};
use crate::auth::error::Error;
use crate::auth::proof::Proof;
use crate::auth::transport::{Cookies, TokenTransport};
use crate::auth::user_error::UserErrorCode;
use crate::domain::locale::Locale;
use crate::domain::login_name::LoginName;
use crate::domain::origin::Origin;
use crate::metrics::LoginResult;
use crate::redacted::redacted_debug;

#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// A username or an e-mail address.
    pub username: &'a str,
    pub password: &'a str,
    pub session_name: Option<&'a str>,
    /// The token of a trusted device; `None`: it may be in the cookie.
    pub device_token: Option<&'a str>,
    /// Languages of the client, by preference, for mails.
    pub languages: &'a [Locale],
}

redacted_debug!(Login<'_>);

impl Sessions {
    /// Logs in, and delivers the tokens by this transport.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS`; `INVALID_INPUT` for the session's name; `RATE_LIMITED`; `OVERLOADED`;
    /// `FORBIDDEN` where a page asks for the cookie that may not have it.
    pub async fn log_in(
        &self,
        login: Login<'_>,
        transport: TokenTransport,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<LoginOutcome, Error> {
        cookie.allow(transport)?;
        let opened = self.open_by_password(login, cookie, &origin).await;
        self.metrics.login(result(&opened));
        self.deliver_outcome(opened?, transport, cookie, origin).await
    }

    async fn open_by_password(
        &self,
        login: Login<'_>,
        cookie: &Cookies,
        origin: &Origin,
    ) -> Result<LoginOutcome, Error> {
        let name = parse_session_name(login.session_name)?;
        let verified = self.passwords.verify(login.username, login.password, origin).await?;
        let typed = LoginName::parse(login.username);
        let entered = typed.as_ref().map_or("", LoginName::key);
        let device = login.device_token.or(cookie.trusted_device_token());
        let client =
            OpenFor { languages: login.languages, entered, device, ..OpenFor::step(name, origin) };
        self.open(Proof::Password(Box::new(verified)), client).await
    }
}

pub(super) fn result(opened: &Result<LoginOutcome, Error>) -> LoginResult {
    match opened {
        Ok(LoginOutcome::Session(..)) => LoginResult::Succeeded,
        Ok(LoginOutcome::Challenge(_)) => LoginResult::Challenged,
        Err(Error::Refused(error)) => match error.code {
            UserErrorCode::InvalidCredentials | UserErrorCode::InvalidProof => {
                LoginResult::InvalidCredentials
            }
            UserErrorCode::RateLimited => LoginResult::RateLimited,
            UserErrorCode::Overloaded => LoginResult::Overloaded,
            _ => LoginResult::InvalidInput,
        },
        Err(_) => LoginResult::Failed,
    }
}
