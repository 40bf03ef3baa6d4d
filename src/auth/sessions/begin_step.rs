//! Next step of a login whose proof is right, but not enough: a second factor, shown or added.

use std::time::Duration;

use serde_json::Value;

use super::Sessions;
use super::open::OpenFor;
use crate::auth::challenges::LoginChallenge;
use crate::auth::error::Error;
use crate::auth::factors::step_challenge;
use crate::auth::proof::Proof;
use crate::crypto::secret_token::SecretToken;
use crate::domain::audit::AuditKind;
use crate::domain::challenge::{CODE_VALIDITY, ChallengePurpose, LoginStep, MAX_ATTEMPTS};
use crate::domain::id::{ChallengeId, UserId};
use crate::domain::throttle::Bucket;
use crate::store::{BeginStep, NewChallenge, NewEvent};

impl Sessions {
    /// Uses up the proof as if it opened a session, and stores a challenge of this purpose instead. For a
    /// registration the account is created.
    pub(super) async fn begin_step(
        &self,
        proof: Proof,
        client: OpenFor<'_>,
        purpose: ChallengePurpose,
        steps: Vec<LoginStep>,
    ) -> Result<LoginChallenge, Error> {
        let (now, origin, user) = (self.now(), client.origin, proof.user_id());
        let token = SecretToken::generate(&*self.entropy);
        let expires_at = now + CODE_VALIDITY;
        let challenge = NewChallenge {
            id: ChallengeId::new(now, &*self.entropy),
            token: Some(token.digest()),
            purpose,
            user: Some(user),
            // No code of a mail is counted for it.
            account: Bucket([0; 16]),
            session: None,
            email: None,
            bound_email_key: None,
            shown: proof.shown(now).methods,
            password: None,
            factors: None,
            session_name: client.name,
            code: None,
            code_expires_at: expires_at,
            link: None,
            created_at: now,
            expires_at,
        };
        let event = |kind, detail| NewEvent {
            kind,
            at: now,
            user: Some(user),
            actor: None,
            session: None,
            origin: origin.clone(),
            detail,
        };
        let detail = match purpose {
            ChallengePurpose::EnrollFactor => "second factor to be added",
            _ => "second factor",
        };
        let mut events = client.events;
        if let Proof::Registration(_) = &proof {
            let registered = event(AuditKind::Registered, None);
            events.push(NewEvent { actor: Some(user), ..registered });
        }
        events.push(event(AuditKind::LoginChallenged, Some(detail)));
        let order = BeginStep {
            user,
            grounds: proof.grounds(now, origin),
            challenge,
            events,
            mails: client.mails,
            verification: client.verification.map(|mail| mail.order),
        };
        let ending = match self.store.begin_step(order).await? {
            Ok((_, ending)) => ending,
            Err(reason) => return Err(self.not_opened(reason, proof, origin).await),
        };
        self.note_ending(&proof, now, &ending).await?;
        let attempts_left = i32::from(MAX_ATTEMPTS);
        let passkey_options =
            self.step_options(user, &steps, token.as_str(), attempts_left).await?;
        Ok(LoginChallenge {
            token: Some(token),
            expires_at,
            sent_to: None,
            steps,
            attempts_left,
            passkey_options,
            device_trust: self.device_trust(purpose),
        })
    }

    /// How long a device can be trusted by the next step.
    pub(super) fn device_trust(&self, purpose: ChallengePurpose) -> Option<Duration> {
        let lifetime = self.policy.trusted_device_lifetime;
        lifetime.filter(|_| purpose == ChallengePurpose::SecondStep)
    }

    /// The options of the next attempt by a passkey, where it is one of the steps.
    pub(super) async fn step_options(
        &self,
        user: UserId,
        steps: &[LoginStep],
        token: &str,
        attempts_left: i32,
    ) -> Result<Option<Value>, Error> {
        if !steps.contains(&LoginStep::Passkey) || attempts_left == 0 {
            return Ok(None);
        }
        self.factors.step_options(user, &step_challenge(token, attempts_left)).await
    }
}
