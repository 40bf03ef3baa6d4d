//! Enrollment of an authenticator app ends: the first right code adds it.

use super::Enrollments;
use super::add::{Enrolled, NewlyAdded};
use crate::auth::caller::Viewer;
use crate::auth::challenges::challenge_expired;
use crate::auth::error::{Denial, Error};
use crate::auth::transport::Cookies;
use crate::domain::authentication::FactorUsed;
use crate::domain::origin::Origin;
use crate::domain::second_factor::FactorKind;
use crate::redacted::redacted_debug;

#[derive(Clone, Copy)]
pub struct ConfirmTotp<'a> {
    /// The token of the enrollment.
    pub token: &'a str,
    pub code: &'a str,
}

redacted_debug!(ConfirmTotp<'_>);

impl Enrollments {
    /// Adds the app of the enrollment's token, by a code of it. In a login this is the second step.
    ///
    /// # Errors
    /// `CHALLENGE_EXPIRED`, `INVALID_PROOF`; `FORBIDDEN` where second factors are off; [`Denial`] in another
    /// session than the one that began.
    pub async fn confirm_totp(
        &self,
        confirm: ConfirmTotp<'_>,
        viewer: Result<Viewer, Denial>,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<Enrolled, Error> {
        self.require_on()?;
        let confirmed = self.factors.confirm_totp(confirm.token, confirm.code)?;
        let factors = self.store.factors(confirmed.user()).await?;
        if factors.mark != confirmed.factors() {
            return Err(challenge_expired().into());
        }
        let recovery_codes = self.first_recovery_codes(&factors);
        let order = self.factors.add_totp(&confirmed, recovery_codes.digests())?;
        let added = NewlyAdded {
            order,
            kind: FactorUsed::Totp,
            told_as: FactorKind::AuthenticatorApp,
            enrolled_in: confirmed.enrolled_in(),
        };
        let (user, login) = self.add(added, viewer, cookie, origin).await?;
        Ok(Enrolled { user, recovery_codes, login })
    }
}
