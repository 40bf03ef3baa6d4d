//! Renewed proof of the user in a live session.
//!
//! Fields that require a fresh login (`freshWithin`) are open to the session again, without another session:
//! the new access token has the time of the proof in the claim `auth_time`, and refreshes keep it.

use super::Sessions;
use super::token_issuer::SignedIn;
use crate::auth::caller::Viewer;
use crate::auth::challenges::{
    Answer, ChallengeAnswer, LoginChallenge, challenge_expired, wrong_code,
};
use crate::auth::emails::MailRequest;
use crate::auth::error::{Denial, Error, UnauthenticatedReason};
use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::domain::audit::AuditKind;
use crate::domain::authentication::{Authentication, Method, Methods};
use crate::domain::challenge::{CODE_VALIDITY, ChallengePurpose, LoginStep, MAX_ATTEMPTS};
use crate::domain::locale::Locale;
use crate::domain::mail::{MailLanguage, ShortenedEmail};
use crate::domain::origin::Origin;
use crate::redacted::redacted_debug;
use crate::store::{FreshProof, NewEvent, PasswordMark, Reauthenticate};

/// Proof that a client gives in a live session.
#[derive(Clone, Copy)]
pub enum FreshProofInput<'a> {
    Password(&'a str),
    /// The code of a mail, and the token of its challenge; `None`: the latest one that the session asked for.
    EmailCode {
        challenge_token: Option<&'a str>,
        code: &'a str,
    },
}

redacted_debug!(FreshProofInput<'_>);

/// Methods, and their names in audit events.
const PASSWORD: (Method, &str) = (Method::Password, "password");
const EMAIL_CODE: (Method, &str) = (Method::OneTimeCode, "e-mail code");

impl Sessions {
    /// Says which proofs the viewer can give, and mails a code if asked to.
    ///
    /// # Errors
    /// `EMAIL_NOT_CONFIGURED` and `EMAIL_NOT_VERIFIED` where a code is asked for and cannot be mailed.
    pub async fn begin_reauthentication(
        &self,
        viewer: Viewer,
        send_code: bool,
        languages: &[Locale],
        origin: Origin,
    ) -> Result<LoginChallenge, Error> {
        let ended = || Denial::Unauthenticated(UnauthenticatedReason::SessionEnded);
        let found = self.store.credentials(viewer.user_id()).await?.ok_or_else(ended)?;
        let email = found.user.names.email();
        let is_verified = found.user.email_verified_at.is_some();
        let mut steps = Vec::new();
        if found.password_hash.is_some() {
            steps.push(LoginStep::Password);
        }
        if email.is_some() && is_verified {
            steps.push(LoginStep::EmailCode);
        }
        if !send_code {
            return Ok(LoginChallenge {
                token: None,
                expires_at: self.now() + CODE_VALIDITY,
                sent_to: None,
                steps,
                attempts_left: i32::from(MAX_ATTEMPTS),
            });
        }
        let Some(email) = email else { return Err(no_address().into()) };
        if !is_verified {
            return Err(not_verified().into());
        }
        let mail = self.emails.compose(MailRequest {
            purpose: ChallengePurpose::Reauthenticate,
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
            language: MailLanguage::choose(None, found.user.locale.as_ref(), languages),
            origin: &origin,
        })?;
        self.store.request_mail(mail.order, None).await?;
        self.emails.mail_queued();
        let sent_to = Some(ShortenedEmail::of(email));
        let challenge = LoginChallenge::mailed(Some(mail.token), mail.expires_at, sent_to);
        Ok(LoginChallenge { steps, ..challenge })
    }

    /// Verifies the proof and issues an access token of the same session with a new `auth_time`. The refresh
    /// token stays.
    ///
    /// # Errors
    /// `INVALID_PROOF`, `CHALLENGE_EXPIRED`, `RATE_LIMITED`, `OVERLOADED`; [`Denial::Unauthenticated`] where
    /// the session has ended.
    pub async fn reauthenticate(
        &self,
        viewer: Viewer,
        proof: FreshProofInput<'_>,
        origin: Origin,
    ) -> Result<SignedIn, Error> {
        match proof {
            FreshProofInput::Password(password) => {
                // It holds the attempt's lock until the outcome is stored.
                let confirmed = self.passwords.confirm(viewer, password, &origin).await?;
                let (verified, settlement) = (confirmed.hash(), confirmed.settlement());
                let proof = FreshProof::Password { verified, settlement };
                match self.renew(viewer, proof, PASSWORD, origin.clone()).await? {
                    Some(signed_in) => Ok(signed_in),
                    // Changed in the meantime.
                    None => {
                        Err(self.passwords.refuse_outdated_proof(confirmed, viewer, &origin).await)
                    }
                }
            }
            FreshProofInput::EmailCode { challenge_token, code } => {
                let now = self.now();
                let purpose = ChallengePurpose::Reauthenticate;
                let answered = if let Some(token) = challenge_token {
                    let answer = Answer::Code { token, code };
                    self.challenges.answer(answer, &[purpose], &origin).await?
                } else {
                    let (user, session) = (viewer.user_id(), viewer.session_id());
                    let found =
                        self.store.challenge_of_session(user, session, purpose, now).await?;
                    let found = found.ok_or_else(challenge_expired)?;
                    self.challenges.answer_code(found, code, &origin).await?
                };
                let ChallengeAnswer::Right(verified) = answered else {
                    return Err(wrong_code().into());
                };
                // A challenge is of one session.
                if verified.challenge().session != Some(viewer.session_id()) {
                    return Err(challenge_expired().into());
                }
                let proof = FreshProof::Challenge(verified.spend(true, now, origin.clone()));
                let renewed = self.renew(viewer, proof, EMAIL_CODE, origin).await?;
                Ok(renewed.ok_or_else(challenge_expired)?)
            }
        }
    }

    /// `None` if the account was changed since the proof was verified.
    async fn renew(
        &self,
        viewer: Viewer,
        proof: FreshProof,
        (method, name): (Method, &'static str),
        origin: Origin,
    ) -> Result<Option<SignedIn>, Error> {
        let now = self.now();
        self.tokens.check_signing(now)?;
        let order = Reauthenticate {
            session: viewer.session_id(),
            user: viewer.user_id(),
            proof,
            shown: Authentication::single(Methods::of(&[method]), now),
            access_expires_at: self.tokens.access_expiry(now),
        };
        let event = NewEvent {
            kind: AuditKind::Reauthenticated,
            at: now,
            user: Some(viewer.user_id()),
            actor: Some(viewer.user_id()),
            session: Some(viewer.session_id()),
            origin,
            detail: Some(name),
        };
        let Some(done) = self.store.reauthenticate(order, event).await? else {
            let id = viewer.session_id();
            let session = self.store.sessions_by_id(&[id]).await?.remove(&id);
            let session = session.map(|session| self.ends.with_end(session));
            if session.is_some_and(|session| session.is_live(now)) {
                return Ok(None);
            }
            return Err(Denial::Unauthenticated(UnauthenticatedReason::SessionEnded).into());
        };
        Ok(Some(self.tokens.issue(done.session, done.role, now, false)?))
    }
}

/// The error for an account that no mail can go to.
pub(in crate::auth) fn no_address() -> UserError {
    const MESSAGE: &str = "The account has no e-mail address. Add one first.";
    UserError::new(UserErrorCode::EmailNotConfigured, Field::Input, MESSAGE)
}

fn not_verified() -> UserError {
    const MESSAGE: &str = "The e-mail address is not verified. Verify it first.";
    UserError::new(UserErrorCode::EmailNotVerified, Field::Input, MESSAGE)
}
