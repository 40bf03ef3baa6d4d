//! Renewed proof of the user in a live session.
//!
//! Fields that require a fresh login (`freshWithin`) are open to the session again, without another session:
//! the new access token has the time of the proof in the claim `auth_time`, and refreshes keep it.

use serde_json::Value;

use super::Sessions;
use super::token_issuer::SignedIn;
use crate::auth::caller::Viewer;
use crate::auth::challenges::{
    Answer, ChallengeAnswer, LoginChallenge, challenge_expired, wrong_code,
};
use crate::auth::emails::MailRequest;
use crate::auth::error::{Denial, Error, UnauthenticatedReason};
use crate::auth::factors::{Attempt, Ceremony, FactorProof};
use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::clock::Timestamp;
use crate::crypto::passkey::PasskeyChallenge;
use crate::crypto::secret_token::SecretToken;
use crate::domain::audit::AuditKind;
use crate::domain::authentication::{Authentication, Method, Methods};
use crate::domain::challenge::{CODE_VALIDITY, ChallengePurpose, LoginStep, MAX_ATTEMPTS};
use crate::domain::locale::Locale;
use crate::domain::mail::{MailLanguage, ShortenedEmail};
use crate::domain::origin::Origin;
use crate::redacted::redacted_debug;
use crate::store::{FreshProof, NewEvent, NewMail, PasswordMark, Reauthenticate};

/// Proof that a client gives in a live session.
#[derive(Clone, Copy)]
pub enum FreshProofInput<'a> {
    Password(&'a str),
    /// The code of a mail, and the token of its challenge; `None`: the latest one that the session asked for.
    EmailCode {
        challenge_token: Option<&'a str>,
        code: &'a str,
    },
    Factor(FactorProof<'a>),
    /// The response of a passkey, and the token of its challenge.
    Passkey {
        challenge_token: Option<&'a str>,
        response: &'a Value,
    },
}

redacted_debug!(FreshProofInput<'_>);

/// A proof that was verified, and what it leaves behind.
struct Fresh {
    proof: FreshProof,
    shown: Authentication,
    /// In audit events.
    name: &'static str,
    events: Vec<NewEvent>,
    mails: Vec<NewMail>,
}

impl Fresh {
    /// A proof by one factor.
    fn first(proof: FreshProof, method: Method, name: &'static str, at: Timestamp) -> Self {
        let shown = Authentication::single(Methods::of(&[method]), at);
        let (events, mails) = Default::default();
        Self { proof, shown, name, events, mails }
    }
}

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
        if found.factors.is_some() {
            steps.extend(self.store.factors(found.user.id).await?.steps());
        }
        if !send_code {
            let passkey = if steps.contains(&LoginStep::Passkey) {
                self.begin_passkey_reauthentication(viewer).await?
            } else {
                None
            };
            let (token, passkey_options) = passkey.unzip();
            return Ok(LoginChallenge {
                token,
                expires_at: self.now() + CODE_VALIDITY,
                sent_to: None,
                steps,
                attempts_left: i32::from(MAX_ATTEMPTS),
                passkey_options,
                device_trust: None,
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
                let fresh = Fresh::first(proof, Method::Password, "password", self.now());
                match self.renew(viewer, fresh, origin.clone()).await? {
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
                let proof = FreshProof::Challenge(verified.spend(true, now, &origin));
                let fresh = Fresh::first(proof, Method::OneTimeCode, "e-mail code", now);
                let renewed = self.renew(viewer, fresh, origin).await?;
                Ok(renewed.ok_or_else(challenge_expired)?)
            }
            FreshProofInput::Factor(proof) => {
                self.reauthenticate_by_factor(viewer, proof, None, origin).await
            }
            FreshProofInput::Passkey { challenge_token, response } => {
                let token = challenge_token.ok_or_else(challenge_expired)?;
                let pending = self.factors.end_ceremony(token).await?;
                match pending.ceremony {
                    // It is of one session.
                    Ceremony::Reauthentication { session, .. }
                        if session == viewer.session_id() =>
                    {
                        let (proof, asked) = (FactorProof::Passkey(response), &pending.challenge);
                        self.reauthenticate_by_factor(viewer, proof, Some(asked), origin).await
                    }
                    _ => Err(challenge_expired().into()),
                }
            }
        }
    }

    /// The token and the options of a proof by a passkey; `None` where the service has none.
    async fn begin_passkey_reauthentication(
        &self,
        viewer: Viewer,
    ) -> Result<Option<(SecretToken, Value)>, Error> {
        let Ok(relying_party) = self.factors.relying_party() else { return Ok(None) };
        let (user, session) = (viewer.user_id(), viewer.session_id());
        let ceremony = Ceremony::Reauthentication { user, session };
        let (token, pending) = self.factors.begin_ceremony(ceremony)?;
        let passkeys = self.factors.passkeys_of(user).await?;
        let options = relying_party.login_options(&pending.challenge, &passkeys);
        Ok(Some((SecretToken::sealed(token), options)))
    }

    async fn reauthenticate_by_factor(
        &self,
        viewer: Viewer,
        proof: FactorProof<'_>,
        challenge: Option<&PasskeyChallenge>,
        origin: Origin,
    ) -> Result<SignedIn, Error> {
        let (user, session) = (viewer.user_id(), Some(viewer.session_id()));
        let ended = || Denial::Unauthenticated(UnauthenticatedReason::SessionEnded);
        let account = self.store.users_by_id(&[user]).await?.remove(&user).ok_or_else(ended)?;
        let guess = self.factors.admit(proof, &account, session, &origin).await?;
        let attempt = Attempt { guess, user: &account, session, origin: &origin };
        let verified = self.factors.verify(proof, challenge, attempt).await?;
        let factor = verified.ok_or_else(wrong_code)?;
        let (events, mails) =
            self.recovery_traces(factor.kind(), &account, session, &origin).await?;
        let fresh = Fresh {
            proof: FreshProof::Factor { factor: factor.factor(), settlement: factor.settlement() },
            shown: Authentication::with_factor(Methods::default(), factor.kind(), self.now()),
            name: proof.name(),
            events,
            mails,
        };
        if let Some(signed_in) = self.renew(viewer, fresh, origin.clone()).await? {
            return Ok(signed_in);
        }
        // Used meanwhile, or before.
        self.factors.refuse_used(factor, user, session, &origin).await?;
        Err(wrong_code().into())
    }

    /// `None` if the account was changed since the proof was verified.
    async fn renew(
        &self,
        viewer: Viewer,
        fresh: Fresh,
        origin: Origin,
    ) -> Result<Option<SignedIn>, Error> {
        let now = fresh.shown.at;
        self.tokens.check_signing(now)?;
        let order = Reauthenticate {
            session: viewer.session_id(),
            user: viewer.user_id(),
            proof: fresh.proof,
            shown: fresh.shown,
            access_expires_at: self.tokens.access_expiry(now),
            events: fresh.events,
            mails: fresh.mails,
        };
        let event = NewEvent {
            kind: AuditKind::Reauthenticated,
            at: now,
            user: Some(viewer.user_id()),
            actor: Some(viewer.user_id()),
            session: Some(viewer.session_id()),
            origin,
            detail: Some(fresh.name),
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
        Ok(Some(self.tokens.issue(done.session, done.claims, now, false)?))
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
