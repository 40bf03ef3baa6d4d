//! Mails that a caller asks for by a name: to log in, or to set a new password.
//!
//! Invariant: a name that has no account, an account without an address, a deactivated one and one over a
//! limit are answered alike and cost the same work. What was entered as an address is shown shortened, as it
//! was entered: that tells nothing about accounts.

use super::Accounts;
use crate::auth::challenges::LoginChallenge;
use crate::auth::emails::MailRequest;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::sessions::deliver_challenge;
use crate::auth::transport::{Cookies, TokenTransport};
use crate::auth::user_error::UserError;
use crate::domain::authentication::Methods;
use crate::domain::challenge::ChallengePurpose;
use crate::domain::locale::Locale;
use crate::domain::login_name::LoginName;
use crate::domain::mail::{MailLanguage, ShortenedEmail};
use crate::domain::origin::Origin;
use crate::domain::user::{Email, User};
use crate::store::{Credentials, PasswordMark};

/// A request for a mail by a name.
#[derive(Clone, Copy, Debug)]
pub struct RequestEmail<'a> {
    /// A username or an e-mail address.
    pub username: &'a str,
    pub locale: Option<&'a str>,
    /// Languages of the client, by preference.
    pub languages: &'a [Locale],
}

impl Accounts {
    /// Mails a code and a link to log in with.
    ///
    /// # Errors
    /// `INVALID_INPUT` for the locale; `FORBIDDEN` for the cookie.
    pub async fn request_login(
        &self,
        request: RequestEmail<'_>,
        transport: TokenTransport,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<LoginChallenge, Error> {
        self.request_by_name(ChallengePurpose::Login, request, transport, cookie, origin).await
    }

    /// Mails a code and a link to set a new password with. Nothing else changes.
    ///
    /// # Errors
    /// `INVALID_INPUT` for the locale; `FORBIDDEN` for the cookie.
    pub async fn request_password_reset(
        &self,
        request: RequestEmail<'_>,
        transport: TokenTransport,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<LoginChallenge, Error> {
        self.request_by_name(ChallengePurpose::Reset, request, transport, cookie, origin).await
    }

    async fn request_by_name(
        &self,
        purpose: ChallengePurpose,
        request: RequestEmail<'_>,
        transport: TokenTransport,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<LoginChallenge, Error> {
        cookie.allow(transport)?;
        let locale = parse_locale(request.locale)?;
        let typed = LoginName::parse(request.username);
        let found = match &typed {
            Some(name) => self.store.credentials_by_name(name).await?,
            None => None,
        };
        let found = found.filter(|found| found.user.is_active());
        let email = found.as_ref().and_then(|found| found.user.names.email()).cloned();
        // Without an address there is nobody to write to.
        let found = found.filter(|_| email.is_some());
        let entered = typed.as_ref().map_or("", LoginName::key);
        let chosen = found.as_ref().and_then(|found| found.user.locale.clone());
        let mail = self.emails.compose(MailRequest {
            purpose,
            recipient: email.as_ref().map_or(entered, Email::key),
            name: entered,
            bound_to: email.as_ref(),
            user: found.as_ref().map(user_id),
            address: email.as_ref(),
            session: None,
            shown: Methods::default(),
            password: found.as_ref().and_then(password_mark),
            factors: found.as_ref().and_then(|found| found.factors),
            session_name: None,
            language: MailLanguage::choose(locale.as_ref(), chosen.as_ref(), request.languages),
            origin: &origin,
        })?;
        self.store.request_mail(mail.order, None).await?;
        self.emails.mail_queued();
        let sent_to = Email::parse(request.username.trim()).ok();
        let sent_to = sent_to.as_ref().map(ShortenedEmail::of);
        let challenge = LoginChallenge::mailed(Some(mail.token), mail.expires_at, sent_to);
        Ok(deliver_challenge(challenge, transport, cookie))
    }
}

fn user_id(found: &Credentials) -> crate::domain::id::UserId {
    let User { id, .. } = found.user;
    id
}

fn password_mark(found: &Credentials) -> Option<PasswordMark> {
    found.password_hash.as_ref().map(PasswordMark::of)
}

pub(super) fn parse_locale(text: Option<&str>) -> Result<Option<Locale>, UserError> {
    text.map(Locale::parse).transpose().map_err(|error| UserError::invalid(Field::Locale, error))
}
