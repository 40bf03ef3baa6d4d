//! Challenges: logins, changes and proofs that wait for their next step.

use async_graphql::SimpleObject;

use super::LoginStep;
use crate::auth;
use crate::graphql::scalars::{DateTime, WebAuthnJson};

/// Login, change or proof that waits for its next step. It is not a session, and gives access to nothing
/// but its own next step, once.
#[derive(Clone, SimpleObject)]
pub struct LoginChallenge {
    /// Token for the next step. Null if it was set as a cookie, or if the session of the caller is
    /// enough.
    challenge_token: Option<String>,
    /// When the challenge expires.
    expires_at: DateTime,
    /// E-mail address that a code was sent to, shortened, e.g. `a***@example.com`. Null if no code was
    /// sent, or if the caller did not enter an address.
    sent_to: Option<String>,
    /// Proofs for the next step; any one of them is enough.
    steps: Vec<LoginStep>,
    /// Options for a passkey, if `PASSKEY` is one of the steps, for
    /// `PublicKeyCredential.parseRequestOptionsFromJSON`. After a wrong proof they are other ones.
    passkey_options: Option<WebAuthnJson>,
    /// Seconds for which `trustDevice` saves the second factor on this device; null if no device can be
    /// trusted.
    trust_device_seconds: Option<i32>,
    /// Number of wrong proofs after which the challenge is invalid.
    attempts_left: i32,
}

impl From<auth::LoginChallenge> for LoginChallenge {
    fn from(challenge: auth::LoginChallenge) -> Self {
        Self {
            challenge_token: challenge.token.map(|token| token.as_str().to_owned()),
            expires_at: challenge.expires_at.into(),
            sent_to: challenge.sent_to.map(|address| address.as_str().to_owned()),
            steps: challenge.steps.into_iter().map(Into::into).collect(),
            trust_device_seconds: challenge
                .device_trust
                .map(|trust| i32::try_from(trust.as_secs()).unwrap_or(i32::MAX)),
            passkey_options: challenge.passkey_options.map(WebAuthnJson),
            attempts_left: challenge.attempts_left,
        }
    }
}
