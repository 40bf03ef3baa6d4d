//! Enrollment of an authenticator app: its secret, and the first code that confirms it.

use zeroize::Zeroizing;

use super::pending_enrollment::{EnrolledIn, PendingTotp};
use super::state::{SecondFactors, totp_context};
use crate::auth::challenges::challenge_expired;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::crypto::recovery_code::RecoveryCodeDigest;
use crate::crypto::totp::{TotpCode, TotpSecret};
use crate::domain::challenge::CODE_VALIDITY;
use crate::domain::id::UserId;
use crate::domain::user::User;
use crate::entropy::random;
use crate::redacted::redacted_debug;
use crate::store::{AddFactor, FactorsMark, NewFactor, SpendToken};

/// What an app needs, and the token of the enrollment.
pub struct BegunTotp {
    pub token: String,
    /// The secret, as people type it into an app.
    pub secret: Zeroizing<String>,
    /// The same for apps that read a QR code.
    pub uri: Zeroizing<String>,
}

redacted_debug!(BegunTotp);

/// An app that showed a right code, made only by [`SecondFactors::confirm_totp`].
pub(in crate::auth) struct ConfirmedTotp {
    pending: PendingTotp,
    token: SpendToken,
    step: i64,
}

impl ConfirmedTotp {
    pub(in crate::auth) fn user(&self) -> UserId {
        self.pending.user
    }

    pub(in crate::auth) fn enrolled_in(&self) -> EnrolledIn {
        self.pending.enrolled_in
    }

    /// The mark of the factors that the account had when the enrollment began.
    pub(in crate::auth) fn factors(&self) -> Option<FactorsMark> {
        self.pending.factors
    }
}

impl SecondFactors {
    /// Makes the secret of an app. Nothing is stored.
    pub(in crate::auth) fn begin_totp(
        &self,
        user: &User,
        enrolled_in: EnrolledIn,
        factors: Option<FactorsMark>,
    ) -> Result<BegunTotp, Error> {
        let pending = PendingTotp {
            user: user.id,
            enrolled_in,
            secret: TotpSecret::generate(&*self.entropy),
            factors,
            expires_at: self.clock.now() + CODE_VALIDITY,
        };
        Ok(BegunTotp {
            secret: pending.secret.base32()?,
            uri: pending.secret.uri(&self.service, user.names.username().as_str())?,
            token: pending.seal(&self.secrets, &*self.entropy)?,
        })
    }

    /// Judges the first code of an app. Guessing is no threat: whoever holds the token knows the secret.
    ///
    /// # Errors
    /// `CHALLENGE_EXPIRED`, `INVALID_PROOF`.
    pub(in crate::auth) fn confirm_totp(
        &self,
        token: &str,
        code: &str,
    ) -> Result<ConfirmedTotp, Error> {
        let now = self.clock.now();
        let opened = PendingTotp::open(token, &self.secrets, now);
        let (pending, token) = opened.ok_or_else(challenge_expired)?;
        let step = match TotpCode::parse(code) {
            Some(code) => pending.secret.step_of(&code, now)?,
            None => None,
        };
        let step = step.ok_or_else(wrong_code)?;
        Ok(ConfirmedTotp { pending, token, step })
    }

    /// The order to add the app to its account.
    pub(in crate::auth) fn add_totp(
        &self,
        confirmed: &ConfirmedTotp,
        recovery_codes: Vec<RecoveryCodeDigest>,
    ) -> Result<AddFactor, Error> {
        let (pending, user) = (&confirmed.pending, confirmed.pending.user);
        let (context, secret) = (totp_context(user), pending.secret.as_bytes());
        let sealed_secret = self.data_key.seal(&context, secret, &*self.entropy)?;
        Ok(AddFactor {
            user,
            token: Some(confirmed.token),
            current: pending.factors,
            next: FactorsMark(random(&*self.entropy)),
            factor: NewFactor::Totp { sealed_secret, step: confirmed.step },
            recovery_codes,
            at: self.clock.now(),
        })
    }
}

fn wrong_code() -> UserError {
    const MESSAGE: &str = "The code is wrong. Enter the code that the app shows now.";
    UserError::new(UserErrorCode::InvalidProof, Field::Code, MESSAGE)
}
