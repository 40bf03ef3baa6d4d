//! Next step of a login whose account has an address that is not verified, or lost its second factors by an
//! administrator: a code by mail.

use super::Sessions;
use super::open::{OpenFor, name_taken};
use crate::auth::challenges::LoginChallenge;
use crate::auth::emails::MailRequest;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::proof::Proof;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::domain::audit::AuditKind;
use crate::domain::authentication::{Method, Methods};
use crate::domain::challenge::ChallengePurpose;
use crate::domain::mail::{MailLanguage, ShortenedEmail};
use crate::domain::user::Email;
use crate::store::{NewEvent, PasswordMark, RegisterUnverified};

impl Sessions {
    /// Stores the challenge and queues its mail. For a registration the account is created, too.
    pub(super) async fn begin_verification(
        &self,
        proof: Proof,
        client: OpenFor<'_>,
    ) -> Result<LoginChallenge, Error> {
        match proof {
            Proof::Password(verified) => {
                let user = verified.user();
                // An account that did not get its address, as another one has it, is answered like one that
                // did. Its challenge is one that nothing completes, with a mail that is never sent.
                let email = user.names.email();
                let sent_to = email.map(ShortenedEmail::of);
                let sent_to = sent_to.or_else(|| verified.awaits_email().cloned());
                if sent_to.is_none() {
                    return Err(Error::Internal(
                        "an account without an address needs no mail".into(),
                    ));
                }
                let language = MailLanguage::choose(None, user.locale.as_ref(), client.languages);
                let mail = self.emails.compose(MailRequest {
                    purpose: ChallengePurpose::Login,
                    recipient: email.map_or(client.entered, Email::key),
                    name: client.entered,
                    bound_to: email,
                    user: email.map(|_| user.id),
                    address: email,
                    session: None,
                    shown: Methods::of(&[Method::Password]),
                    password: Some(PasswordMark::of(verified.hash())),
                    factors: verified.factors(),
                    session_name: client.name,
                    language,
                    origin: client.origin,
                })?;
                let event = NewEvent {
                    kind: AuditKind::LoginChallenged,
                    at: self.now(),
                    user: Some(user.id),
                    actor: None,
                    session: None,
                    origin: client.origin.clone(),
                    detail: Some("e-mail code"),
                };
                self.store.settle(verified.settlement()).await?;
                self.store.request_mail(mail.order, Some(event)).await?;
                self.emails.mail_queued();
                Ok(LoginChallenge::mailed(Some(mail.token), mail.expires_at, sent_to))
            }
            Proof::Registration(registration) => {
                let new = registration.into_new_user();
                let Some(email) = new.names.email().cloned() else {
                    return Err(Error::Internal("a registration has an address".into()));
                };
                let Some(mail) = client.verification else {
                    return Err(Error::Internal("a registration has a mail".into()));
                };
                let language = MailLanguage::choose(None, new.locale.as_ref(), client.languages);
                let taken = self.emails.address_taken(&mail, &email, language, client.origin)?;
                let event = NewEvent {
                    kind: AuditKind::Registered,
                    at: self.now(),
                    user: Some(new.id),
                    actor: Some(new.id),
                    session: None,
                    origin: client.origin.clone(),
                    detail: None,
                };
                let sent_to = Some(ShortenedEmail::of(&email));
                let order =
                    RegisterUnverified { new, verification: mail.order, address_taken: taken };
                self.store.register_unverified(order, event).await?.map_err(name_taken)?;
                self.emails.mail_queued();
                Ok(LoginChallenge::mailed(Some(mail.token), mail.expires_at, sent_to))
            }
            Proof::Passkey(_) => Err(not_verified().into()),
            Proof::ForeignToken(_)
            | Proof::Email(_)
            | Proof::SecondStep(_)
            | Proof::Enrollment(_) => Err(Error::Internal("a mail verifies its address".into())),
        }
    }
}

/// The error for a passkey, which cannot be followed by a code.
fn not_verified() -> UserError {
    const MESSAGE: &str = "The e-mail address is not verified. Log in with the password first.";
    UserError::new(UserErrorCode::EmailNotVerified, Field::Input, MESSAGE)
}
