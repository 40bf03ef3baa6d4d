//! Login by a passkey alone.

use serde_json::Value;

use super::ceremony::Ceremony;
use super::state::SecondFactors;
use super::verify_passkey::UsedPasskey;
use crate::auth::challenges::challenge_expired;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::clock::Timestamp;
use crate::domain::audit::AuditKind;
use crate::domain::authentication::{Authentication, Methods};
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::domain::user::User;
use crate::store::{Grounds, NewEvent};

/// Proof by a passkey, which is two factors in one. Made only by [`SecondFactors::verify_passkey_login`].
#[derive(Debug)]
pub struct PasskeyProof {
    user: User,
    response: UsedPasskey,
}

impl PasskeyProof {
    pub(in crate::auth) fn user(&self) -> &User {
        &self.user
    }

    pub(in crate::auth) fn shown(&self, at: Timestamp) -> Authentication {
        Authentication::with_factor(Methods::default(), self.response.kind, at)
    }

    /// Conditions that the store checks when it opens the session.
    pub(in crate::auth) fn grounds(&self) -> Grounds {
        Grounds::Passkey(self.response.factor)
    }
}

impl SecondFactors {
    /// The token of a login by any passkey, and its options.
    ///
    /// # Errors
    /// `FORBIDDEN` where the service has no passkeys.
    pub(in crate::auth) fn begin_passkey_login(&self) -> Result<(String, Value, Timestamp), Error> {
        let relying_party = self.relying_party()?;
        let (token, pending) = self.begin_ceremony(Ceremony::Login)?;
        let options = relying_party.login_options(&pending.challenge, &[]);
        Ok((token, options, pending.expires_at))
    }

    /// Judges the response of a passkey for a login.
    ///
    /// # Errors
    /// `CHALLENGE_EXPIRED`, `INVALID_PROOF`, `RATE_LIMITED`; `FORBIDDEN` where the service has no passkeys.
    pub(in crate::auth) async fn verify_passkey_login(
        &self,
        token: &str,
        response: &Value,
        origin: &Origin,
    ) -> Result<PasskeyProof, Error> {
        self.relying_party()?;
        let guess = self.passwords.admit_passkey(origin).await?;
        let pending = self.end_ceremony(token).await?;
        if !matches!(pending.ceremony, Ceremony::Login) {
            return Err(challenge_expired().into());
        }
        let judged = self.judge_passkey(response, &pending.challenge, None).await?;
        let response = match judged {
            Ok(right) => right,
            Err(wrong) => {
                let event = self.refused_login(wrong.owner, wrong.detail, origin);
                self.passwords.record_wrong_code(guess, event).await?;
                return Err(unknown_passkey().into());
            }
        };
        let account = self.store.users_by_id(&[response.user]).await?.remove(&response.user);
        let Some(user) = account.filter(User::is_active) else {
            let event = self.refused_login(Some(response.user), "passkey", origin);
            self.passwords.record_wrong_code(guess, event).await?;
            return Err(unknown_passkey().into());
        };
        self.passwords.refund_code(guess).await?;
        Ok(PasskeyProof { user, response })
    }

    fn refused_login(
        &self,
        user: Option<UserId>,
        detail: &'static str,
        origin: &Origin,
    ) -> NewEvent {
        NewEvent {
            kind: AuditKind::LoginFailed,
            at: self.clock.now(),
            user,
            actor: None,
            session: None,
            origin: origin.clone(),
            detail: Some(detail),
        }
    }
}

/// The error for a passkey that logs nobody in.
pub(in crate::auth) fn unknown_passkey() -> UserError {
    const MESSAGE: &str = "The passkey is unknown or was refused, or the account is deactivated. Log in \
                           another way.";
    UserError::new(UserErrorCode::InvalidProof, Field::Credential, MESSAGE)
}
