//! Verification of one's own address, asked for in a session.

use super::Accounts;
use super::request_by_name::parse_locale;
use crate::auth::caller::Viewer;
use crate::auth::challenges::LoginChallenge;
use crate::auth::emails::MailRequest;
use crate::auth::error::{Denial, Error, UnauthenticatedReason};
use crate::auth::input_field::Field;
use crate::auth::sessions::no_address;
use crate::auth::user_error::UserError;
use crate::domain::authentication::Methods;
use crate::domain::challenge::ChallengePurpose;
use crate::domain::locale::Locale;
use crate::domain::mail::{MailLanguage, ShortenedEmail};
use crate::domain::origin::Origin;
use crate::store::PasswordMark;

impl Accounts {
    /// Mails a code and a link to the viewer's address. The code needs no token: the session asked for it.
    ///
    /// # Errors
    /// `EMAIL_NOT_CONFIGURED` without an address; `INVALID_INPUT` for the locale, and where the address is
    /// verified already.
    pub async fn request_verification(
        &self,
        viewer: Viewer,
        locale: Option<&str>,
        languages: &[Locale],
        origin: Origin,
    ) -> Result<LoginChallenge, Error> {
        let locale = parse_locale(locale)?;
        let ended = || Denial::Unauthenticated(UnauthenticatedReason::SessionEnded);
        let found = self.store.credentials(viewer.user_id()).await?.ok_or_else(ended)?;
        let Some(email) = found.user.names.email() else { return Err(no_address().into()) };
        if found.user.email_verified_at.is_some() {
            const MESSAGE: &str = "The e-mail address is verified already.";
            return Err(UserError::invalid(Field::Email, MESSAGE).into());
        }
        let mail = self.emails.compose(MailRequest {
            purpose: ChallengePurpose::Verify,
            recipient: email.key(),
            name: found.user.names.username().key(),
            bound_to: Some(email),
            user: Some(found.user.id),
            address: Some(email),
            session: Some(viewer.session_id()),
            shown: Methods::default(),
            password: found.password_hash.as_ref().map(PasswordMark::of),
            factors: found.factors,
            session_name: None,
            language: MailLanguage::choose(locale.as_ref(), found.user.locale.as_ref(), languages),
            origin: &origin,
        })?;
        self.store.request_mail(mail.order, None).await?;
        self.emails.mail_queued();
        let sent_to = Some(ShortenedEmail::of(email));
        Ok(LoginChallenge::mailed(None, mail.expires_at, sent_to))
    }
}
