//! Registration of a passkey.

use serde_json::Value;

use super::ceremony::Ceremony;
use super::pending_enrollment::EnrolledIn;
use super::state::SecondFactors;
use crate::auth::challenges::challenge_expired;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::crypto::passkey::PasskeyAccount;
use crate::crypto::recovery_code::RecoveryCodeDigest;
use crate::domain::id::{PasskeyId, UserId};
use crate::domain::passkey::{Passkey, UserHandle};
use crate::domain::user::User;
use crate::entropy::random;
use crate::store::{AddFactor, Factors, FactorsMark, NewFactor};

/// Most passkeys of an account.
const MAX_PASSKEYS: i64 = 20;

/// What the browser needs to make a passkey, and the token of the registration.
#[derive(Debug)]
pub struct BegunPasskey {
    /// `None` where it is in the cookie.
    pub token: Option<String>,
    pub options: Value,
}

/// A passkey that was made for an account, verified by [`SecondFactors::verify_registration`].
pub(in crate::auth) struct RegisteredPasskey {
    pub user: UserId,
    pub enrolled_in: EnrolledIn,
    /// The mark of the factors that the account had when the registration began.
    pub factors: Option<FactorsMark>,
    passkey: Passkey,
}

impl RegisteredPasskey {
    pub(in crate::auth) fn is_backup_eligible(&self) -> bool {
        self.passkey.is_backup_eligible
    }
}

impl SecondFactors {
    /// Begins a registration. Nothing is stored.
    ///
    /// # Errors
    /// `FORBIDDEN` where the service has no passkeys; `INVALID_INPUT` where the account has too many.
    pub(in crate::auth) async fn begin_registration(
        &self,
        user: &User,
        enrolled_in: EnrolledIn,
        factors: &Factors,
    ) -> Result<BegunPasskey, Error> {
        let relying_party = self.relying_party()?;
        require_few(factors)?;
        let known = self.store.passkey_handle(user.id).await?;
        let handle = known.unwrap_or_else(|| UserHandle::generate(&*self.entropy));
        let ceremony = Ceremony::Registration {
            user: user.id,
            enrolled_in,
            factors: factors.mark,
            handle: handle.clone(),
        };
        let (token, pending) = self.begin_ceremony(ceremony)?;
        let name = user.names.username().as_str();
        let account = PasskeyAccount { user_handle: &handle, name, display_name: name };
        let existing = self.passkeys_of(user.id).await?;
        let options = relying_party.registration_options(account, &pending.challenge, &existing);
        Ok(BegunPasskey { token: Some(token), options })
    }

    /// Judges the browser's response. Its challenge is used up, whatever becomes of it.
    ///
    /// # Errors
    /// `CHALLENGE_EXPIRED`, `INVALID_PROOF`; `FORBIDDEN` where the service has no passkeys.
    pub(in crate::auth) async fn verify_registration(
        &self,
        token: &str,
        response: &Value,
    ) -> Result<RegisteredPasskey, Error> {
        let relying_party = self.relying_party()?;
        let pending = self.end_ceremony(token).await?;
        let Ceremony::Registration { user, enrolled_in, factors, handle } = pending.ceremony else {
            return Err(challenge_expired().into());
        };
        let verified = relying_party.verify_registration(response, &pending.challenge, &handle);
        let passkey = verified.map_err(|refusal| {
            tracing::debug!(%refusal, "the registration of a passkey was refused");
            refused()
        })?;
        if self.store.passkey_by_credential(&passkey.credential_id).await?.is_some() {
            return Err(refused().into());
        }
        Ok(RegisteredPasskey { user, enrolled_in, factors, passkey })
    }

    /// The order to add the passkey to its account, whose factors are these.
    ///
    /// # Errors
    /// `INVALID_INPUT` where the account has too many.
    pub(in crate::auth) fn add_passkey(
        &self,
        registered: RegisteredPasskey,
        name: String,
        factors: &Factors,
        recovery_codes: Vec<RecoveryCodeDigest>,
    ) -> Result<(PasskeyId, AddFactor), Error> {
        require_few(factors)?;
        let at = self.clock.now();
        let id = PasskeyId::new(at, &*self.entropy);
        let passkey = Box::new(registered.passkey);
        let order = AddFactor {
            user: registered.user,
            token: None,
            current: registered.factors,
            next: FactorsMark(random(&*self.entropy)),
            factor: NewFactor::Passkey { id, passkey, name },
            recovery_codes,
            at,
        };
        Ok((id, order))
    }
}

fn require_few(factors: &Factors) -> Result<(), UserError> {
    const MESSAGE: &str = "The account has 20 passkeys, which is the maximum. Remove one first.";
    if factors.passkeys < MAX_PASSKEYS {
        return Ok(());
    }
    Err(UserError::invalid(Field::Caller, MESSAGE))
}

/// The error for a new passkey that is not accepted.
fn refused() -> UserError {
    const MESSAGE: &str = "The passkey was not accepted. Create it again, or use another device.";
    UserError::new(UserErrorCode::InvalidProof, Field::Credential, MESSAGE)
}
