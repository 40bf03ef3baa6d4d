//! A challenge as a client sees it.

use std::time::Duration;

use serde_json::Value;

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
    /// Options for a passkey, as a page passes them to `PublicKeyCredential.parseRequestOptionsFromJSON`.
    pub passkey_options: Option<Value>,
    /// How long the client's device can be trusted by the next step; `None` where it cannot.
    pub device_trust: Option<Duration>,
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
        let (passkey_options, device_trust) = Default::default();
        Self { token, expires_at, sent_to, steps, attempts_left, passkey_options, device_trust }
    }
}
