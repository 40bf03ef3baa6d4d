//! A challenge as a client sees it.

use crate::clock::Timestamp;
use crate::crypto::secret_token::SecretToken;
use crate::domain::challenge::{LoginStep, MAX_ATTEMPTS};
use crate::domain::mail::ShortenedEmail;
use crate::redacted::redacted_debug;

/// A login, change or proof that waits for its next step.
#[derive(Clone)]
pub struct LoginChallenge {
    /// `None` where the client has it already, gets it in a cookie, or needs none.
    pub token: Option<SecretToken>,
    pub expires_at: Timestamp,
    /// Address that the code was sent to, if the client entered it.
    pub sent_to: Option<ShortenedEmail>,
    /// Any one of these is enough.
    pub steps: Vec<LoginStep>,
    pub attempts_left: i32,
}

redacted_debug!(LoginChallenge);

impl LoginChallenge {
    /// A challenge that was just stored, whose code was mailed.
    pub(in crate::auth) fn mailed(
        token: Option<SecretToken>,
        expires_at: Timestamp,
        sent_to: Option<ShortenedEmail>,
    ) -> Self {
        let (steps, attempts_left) = (vec![LoginStep::EmailCode], i32::from(MAX_ATTEMPTS));
        Self { token, expires_at, sent_to, steps, attempts_left }
    }
}
