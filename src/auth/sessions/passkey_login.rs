//! Login by a passkey, without a name or a password.

use serde_json::Value;
use zeroize::Zeroizing;

use super::Sessions;
use super::login::result;
use super::open::{LoginOutcome, OpenFor, parse_session_name};
use crate::auth::challenges::challenge_expired;
use crate::auth::error::Error;
use crate::auth::factors::BegunPasskey;
use crate::auth::input_field::Field;
use crate::auth::proof::Proof;
use crate::auth::transport::{CookieChange, Cookies, TokenTransport};
use crate::domain::origin::Origin;
use crate::redacted::redacted_debug;

#[derive(Clone, Copy)]
pub struct PasskeyLogin<'a> {
    /// `None`: it is in the cookie.
    pub challenge_token: Option<&'a str>,
    /// The browser's response.
    pub response: &'a Value,
    pub session_name: Option<&'a str>,
}

redacted_debug!(PasskeyLogin<'_>);

impl Sessions {
    /// Begins a login by a passkey. Nothing is stored, and nobody is named.
    ///
    /// # Errors
    /// `FORBIDDEN` where the service has no passkeys, and for the cookie.
    pub fn begin_passkey_login(
        &self,
        transport: TokenTransport,
        cookie: &Cookies,
    ) -> Result<BegunPasskey, Error> {
        cookie.allow(transport)?;
        let (token, options, expires_at) = self.factors.begin_passkey_login()?;
        if transport == TokenTransport::Body {
            return Ok(BegunPasskey { token: Some(token), options });
        }
        cookie.passkey.change(CookieChange::Set(Zeroizing::new(token), expires_at));
        Ok(BegunPasskey { token: None, options })
    }

    /// Logs in by the response of a passkey. Its challenge is used up, whatever becomes of it.
    ///
    /// # Errors
    /// `INVALID_PROOF`, `CHALLENGE_EXPIRED`, `RATE_LIMITED`; `INVALID_INPUT` for the session's name;
    /// `EMAIL_NOT_VERIFIED` where the policy asks for that; `FORBIDDEN` for the cookie, and where the service
    /// has no passkeys.
    pub async fn log_in_by_passkey(
        &self,
        login: PasskeyLogin<'_>,
        transport: TokenTransport,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<LoginOutcome, Error> {
        cookie.allow(transport)?;
        let opened = self.open_by_passkey(login, cookie, &origin).await;
        self.metrics.login(result(&opened));
        self.deliver_outcome(opened?, transport, cookie, origin).await
    }

    async fn open_by_passkey(
        &self,
        login: PasskeyLogin<'_>,
        cookie: &Cookies,
        origin: &Origin,
    ) -> Result<LoginOutcome, Error> {
        let name = parse_session_name(login.session_name)?;
        let token = match (login.challenge_token, cookie.passkey.token()) {
            (Some(token), _) => token,
            (None, Some(token)) => {
                cookie.trust(Field::ChallengeToken)?;
                cookie.passkey.change(CookieChange::Clear);
                token
            }
            (None, None) => return Err(challenge_expired().into()),
        };
        let proof = self.factors.verify_passkey_login(token, login.response, origin).await?;
        self.open(Proof::Passkey(Box::new(proof)), OpenFor::step(name, origin)).await
    }
}
