//! Registration: a caller creates an account and logs in to it, where the operator allows it.

use super::Accounts;
use crate::auth::challenges::LoginChallenge;
use crate::auth::emails::{MailRequest, OrderedMail};
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::passwords::{NewAccount, Registration};
use crate::auth::proof::Proof;
use crate::auth::sessions::{LoginOutcome, OpenFor, deliver_challenge, parse_session_name};
use crate::auth::transport::{Cookies, TokenTransport};
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::domain::authentication::{Method, Methods};
use crate::domain::challenge::ChallengePurpose;
use crate::domain::locale::Locale;
use crate::domain::mail::MailLanguage;
use crate::domain::origin::Origin;
use crate::domain::user::Role;
use crate::redacted::redacted_debug;
use crate::store::PasswordMark;

#[derive(Clone, Copy)]
pub struct Register<'a> {
    pub username: &'a str,
    pub password: &'a str,
    pub email: Option<&'a str>,
    pub session_name: Option<&'a str>,
    pub locale: Option<&'a str>,
    /// Languages of the client, by preference, for mails.
    pub languages: &'a [Locale],
}

redacted_debug!(Register<'_>);

impl Accounts {
    /// Creates an account, mails the verification of its address, and opens a session, in one transaction;
    /// or asks for the verification first, where unverified addresses are refused.
    ///
    /// # Errors
    /// `REGISTRATION_CLOSED`; `INVALID_INPUT` for a name; `USERNAME_TAKEN`, `EMAIL_TAKEN`;
    /// `WEAK_PASSWORD`; `RATE_LIMITED`; `OVERLOADED`; `FORBIDDEN` for the cookie.
    pub async fn register(
        &self,
        register: Register<'_>,
        transport: TokenTransport,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<LoginOutcome, Error> {
        cookie.allow(transport)?;
        if !self.registration_open {
            const MESSAGE: &str = "Registration is closed. Ask an administrator for an account.";
            let code = UserErrorCode::RegistrationClosed;
            return Err(UserError::new(code, Field::Input, MESSAGE).into());
        }
        let name = parse_session_name(register.session_name)?;
        let Register { username, password, email, locale, languages, .. } = register;
        let account = NewAccount { username, password, email, role: Role::User, locale };
        let registration = self.passwords.register(account, &origin).await?;
        if self.refuse_unverified_email && registration.new_user().names.email().is_none() {
            const MESSAGE: &str = "An e-mail address is required. Enter one.";
            return Err(UserError::invalid(Field::Email, MESSAGE).into());
        }
        let verification = self.verification(&registration, languages, &origin)?;
        // A browser that opens the link of the mail shows by this cookie that it registered the account.
        let registered_here =
            verification.as_ref().map(|mail| (mail.token.clone(), mail.expires_at));
        let client = OpenFor { languages, verification, ..OpenFor::step(name, &origin) };
        let outcome =
            self.sessions.open(Proof::Registration(Box::new(registration)), client).await?;
        if let (LoginOutcome::Session(..), Some((token, expires_at))) = (&outcome, registered_here)
        {
            let challenge = LoginChallenge::mailed(Some(token), expires_at, None);
            deliver_challenge(challenge, transport, cookie);
        }
        self.sessions.deliver_outcome(outcome, transport, cookie, origin).await
    }

    /// The mail that verifies the address of a new account.
    fn verification(
        &self,
        registration: &Registration,
        languages: &[Locale],
        origin: &Origin,
    ) -> Result<Option<OrderedMail>, Error> {
        let new = registration.new_user();
        let Some(email) = new.names.email() else { return Ok(None) };
        let mail = self.emails.compose(MailRequest {
            purpose: ChallengePurpose::Register,
            recipient: email.key(),
            name: new.names.username().key(),
            bound_to: Some(email),
            user: Some(new.id),
            address: Some(email),
            session: None,
            shown: Methods::of(&[Method::Password]),
            password: new.password.as_ref().map(PasswordMark::of),
            factors: None,
            session_name: None,
            language: MailLanguage::choose(None, new.locale.as_ref(), languages),
            origin,
        })?;
        Ok(Some(mail))
    }
}
