//! Answers to challenges: a code or a link that a client gives.
//!
//! Invariant: a challenge for a name that has no account answers as any other. Wrong codes are limited by the
//! challenge itself (five attempts), and by the account across challenges; neither is reset by a right
//! password.

use super::Challenges;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::clock::Timestamp;
use crate::crypto::one_time_code::{CodeMac, OneTimeCode};
use crate::crypto::password::PasswordHash;
use crate::crypto::secret_token::TokenDigest;
use crate::domain::audit::AuditKind;
use crate::domain::authentication::{Method, Methods};
use crate::domain::challenge::ChallengePurpose;
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::domain::user::User;
use crate::store::{
    Challenge, CodeAttempt, FactorsMark, Grounds, NewEvent, PasswordMark, SpendChallenge,
};

/// What a client gives as an answer.
#[derive(Clone, Copy)]
pub(in crate::auth) enum Answer<'a> {
    /// The token of the challenge, and the code.
    Code { token: &'a str, code: &'a str },
    /// The token of the link.
    Link(&'a str),
}

/// The result of an answer.
pub(in crate::auth) enum ChallengeAnswer {
    Right(VerifiedChallenge),
    /// The code is wrong. The challenge, with the attempts that are left.
    Wrong(Challenge),
}

/// Proof that a client received a mail, made only by [`Challenges::answer`]. It is spent in the transaction
/// of what it leads to.
#[derive(Debug)]
pub struct VerifiedChallenge {
    challenge: Challenge,
    user: UserId,
}

impl VerifiedChallenge {
    pub(in crate::auth) fn user_id(&self) -> UserId {
        self.user
    }

    pub(in crate::auth) fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// The proof, for opening a session. `is_same_browser` as in [`SpendChallenge`]; a new password is set
    /// in the same transaction.
    pub(in crate::auth) fn into_proof(
        self,
        is_same_browser: bool,
        new_password: Option<PasswordHash>,
    ) -> EmailProof {
        EmailProof { verified: self, is_same_browser, new_password, strips: false }
    }

    /// Order to spend it.
    pub(in crate::auth) fn spend(
        &self,
        is_same_browser: bool,
        at: Timestamp,
        origin: &Origin,
    ) -> SpendChallenge {
        let spend = spend_step(&self.challenge, self.user, at, origin);
        SpendChallenge { is_by_mail: true, is_login: false, is_same_browser, ..spend }
    }
}

/// Order to spend a challenge that no mail completes.
pub(in crate::auth) fn spend_step(
    challenge: &Challenge,
    user: UserId,
    at: Timestamp,
    origin: &Origin,
) -> SpendChallenge {
    SpendChallenge {
        id: challenge.id,
        user,
        password: challenge.password,
        factors: challenge.factors,
        is_login: true,
        must_strip: false,
        email_key: challenge.bound_email_key.clone(),
        is_by_mail: false,
        is_same_browser: true,
        has_attempt: false,
        new_password: None,
        at,
        origin: origin.clone(),
    }
}

/// Proof of a user by a mail, for opening a session.
#[derive(Debug)]
pub struct EmailProof {
    verified: VerifiedChallenge,
    is_same_browser: bool,
    new_password: Option<PasswordHash>,
    /// Whether it was decided that the second factors of the account go.
    strips: bool,
}

impl EmailProof {
    pub(in crate::auth) fn user_id(&self) -> UserId {
        self.verified.user
    }

    /// Whether this proof ends what was in the account before it: it is the first one of the address, and from
    /// another browser.
    pub(in crate::auth) fn is_of_new_owner(&self, user: &User) -> bool {
        user.email_verified_at.is_none() && !self.is_same_browser
    }

    pub(in crate::auth) fn strips(&self) -> bool {
        self.strips
    }

    /// The same proof, with which the second factors of the account go: they are somebody else's.
    pub(in crate::auth) fn stripping(self) -> Self {
        Self { strips: true, ..self }
    }

    /// What was shown by now.
    pub(in crate::auth) fn methods(&self) -> Methods {
        let code = Methods::of(&[Method::OneTimeCode]);
        match self.verified.challenge.purpose {
            // The password of a registration is chosen, not shown.
            ChallengePurpose::Register => code,
            _ => self.verified.challenge.shown.and(code),
        }
    }

    /// The mark of the password that the account had when the mail was asked for; `None` if it gets a new one.
    pub(in crate::auth) fn password(&self) -> Option<PasswordMark> {
        self.verified.challenge.password.filter(|_| self.new_password.is_none())
    }

    /// The mark of the factors that the account had when the mail was asked for.
    pub(in crate::auth) fn factors(&self) -> Option<FactorsMark> {
        self.verified.challenge.factors
    }

    /// Conditions that the store checks when it opens the session.
    pub(in crate::auth) fn grounds(&self, at: Timestamp, origin: &Origin) -> Grounds {
        let spend = self.verified.spend(self.is_same_browser, at, origin);
        Grounds::Challenge(SpendChallenge {
            is_login: true,
            must_strip: self.strips,
            new_password: self.new_password.clone(),
            ..spend
        })
    }
}

impl Challenges {
    /// Judges an answer to a challenge of one of these purposes.
    ///
    /// # Errors
    /// `CHALLENGE_EXPIRED` for a challenge that was used, has expired, or does not exist; `RATE_LIMITED`.
    pub(in crate::auth) async fn answer(
        &self,
        answer: Answer<'_>,
        purposes: &[ChallengePurpose],
        origin: &Origin,
    ) -> Result<ChallengeAnswer, Error> {
        let (token, code) = match answer {
            Answer::Code { token, code } => (token, Some(code)),
            Answer::Link(token) => (token, None),
        };
        let digest = TokenDigest::of(token).ok_or_else(challenge_expired)?;
        let found = match code {
            Some(_) => self.store.challenge_by_token(digest).await?,
            None => self.store.challenge_by_link(digest).await?,
        };
        let found = found.filter(|found| purposes.contains(&found.purpose));
        let found = found.ok_or_else(challenge_expired)?;
        if let Some(code) = code {
            return self.answer_code(found, code, origin).await;
        }
        let is_open = found.is_open(self.clock.now());
        let user = found.user.filter(|_| is_open).ok_or_else(challenge_expired)?;
        Ok(ChallengeAnswer::Right(VerifiedChallenge { challenge: found, user }))
    }

    /// Judges a code for a challenge that was found otherwise than by its token.
    pub(in crate::auth) async fn answer_code(
        &self,
        challenge: Challenge,
        code: &str,
        origin: &Origin,
    ) -> Result<ChallengeAnswer, Error> {
        let now = self.clock.now();
        // Without a write: whoever holds the token of a dead challenge may repeat this.
        if !challenge.is_open(now) || challenge.code_expires_at <= now {
            return Err(challenge_expired().into());
        }
        let guess = self.passwords.admit_code(challenge.account).await?;
        let macs = match OneTimeCode::parse(code) {
            // A text that is no code is a wrong one.
            None => NO_CODE,
            Some(code) => self.codes.macs(challenge.id.as_uuid().as_bytes(), &code),
        };
        let attempt = self.store.try_code(challenge.id, macs, now).await?;
        let CodeAttempt::Wrong { left } = attempt else {
            self.passwords.refund_code(guess).await?;
            let user = challenge.user.filter(|_| attempt == CodeAttempt::Right);
            let user = user.ok_or_else(challenge_expired)?;
            return Ok(ChallengeAnswer::Right(VerifiedChallenge { challenge, user }));
        };
        let event = NewEvent {
            kind: AuditKind::ProofFailed,
            at: now,
            user: challenge.user,
            actor: None,
            session: challenge.session,
            origin: origin.clone(),
            detail: Some("e-mail code"),
        };
        self.passwords.record_wrong_code(guess, event).await?;
        Ok(ChallengeAnswer::Wrong(Challenge { attempts_left: left, ..challenge }))
    }
}

/// Digests for texts that are no codes. A real code has these with a probability of 2^-128.
const NO_CODE: [CodeMac; 2] = [CodeMac([0; 16]); 2];

/// The error for a challenge that leads to nothing any more.
pub(in crate::auth) fn challenge_expired() -> UserError {
    const MESSAGE: &str = "The code, link or login was used before or has expired. Request a new one, or begin again.";
    UserError::new(UserErrorCode::ChallengeExpired, Field::Input, MESSAGE)
}

/// The error for a wrong code.
pub(in crate::auth) fn wrong_code() -> UserError {
    const MESSAGE: &str = "The code is wrong. Enter it again.";
    UserError::new(UserErrorCode::InvalidProof, Field::Proof, MESSAGE)
}
