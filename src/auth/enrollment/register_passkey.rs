//! Registration of a passkey.

use serde_json::Value;

use super::Enrollments;
use super::add::{Enrolled, NewlyAdded};
use super::permission::MayEnroll;
use crate::auth::caller::Viewer;
use crate::auth::challenges::challenge_expired;
use crate::auth::error::{Denial, Error};
use crate::auth::factors::BegunPasskey;
use crate::auth::input_field::Field;
use crate::auth::transport::Cookies;
use crate::auth::user_error::UserError;
use crate::domain::authentication::FactorUsed;
use crate::domain::id::PasskeyId;
use crate::domain::origin::Origin;
use crate::domain::second_factor::FactorKind;
use crate::domain::session::SessionName;
use crate::redacted::redacted_debug;

/// Name of a passkey that is given none.
const UNNAMED: &str = "Passkey";

#[derive(Clone, Copy)]
pub struct RegisterPasskey<'a> {
    /// The token of the registration.
    pub token: Option<&'a str>,
    /// The browser's response.
    pub response: &'a Value,
    pub name: Option<&'a str>,
}

redacted_debug!(RegisterPasskey<'_>);

impl Enrollments {
    /// Begins a registration. Nothing is stored.
    ///
    /// # Errors
    /// As [`begin_totp`](Self::begin_totp); `INVALID_INPUT` where the account has twenty.
    pub async fn begin_passkey_registration(
        &self,
        viewer: Result<Viewer, Denial>,
        challenge_token: Option<&str>,
        cookie: &Cookies,
    ) -> Result<BegunPasskey, Error> {
        self.require_on()?;
        let MayEnroll { user, factors, enrolled_in } =
            self.may_enroll(viewer, challenge_token, cookie).await?;
        self.factors.begin_registration(&user, enrolled_in, &factors).await
    }

    /// Adds the passkey that the browser made. In a login this is the second step.
    ///
    /// # Errors
    /// As [`confirm_totp`](Self::confirm_totp); `INVALID_INPUT` for the name.
    pub async fn register_passkey(
        &self,
        register: RegisterPasskey<'_>,
        viewer: Result<Viewer, Denial>,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<(Enrolled, PasskeyId), Error> {
        self.require_on()?;
        let name = parse_name(register.name.unwrap_or(UNNAMED))?;
        let token = register.token.ok_or_else(challenge_expired)?;
        let registered = self.factors.verify_registration(token, register.response).await?;
        let factors = self.store.factors(registered.user).await?;
        if factors.mark != registered.factors {
            return Err(challenge_expired().into());
        }
        let recovery_codes = self.first_recovery_codes(&factors);
        let enrolled_in = registered.enrolled_in;
        let kind = FactorUsed::Passkey { is_backup_eligible: registered.is_backup_eligible() };
        let (id, order) =
            self.factors.add_passkey(registered, name, &factors, recovery_codes.digests())?;
        let added = NewlyAdded { order, kind, told_as: FactorKind::Passkey, enrolled_in };
        let (user, login) = self.add(added, viewer, cookie, origin).await?;
        Ok((Enrolled { user, recovery_codes, login }, id))
    }
}

/// The name of a passkey, of which the same is true as of a session's.
pub(super) fn parse_name(text: &str) -> Result<String, UserError> {
    let name = SessionName::parse(text);
    let name = name.map_err(|error| UserError::invalid(Field::Name, error))?;
    Ok(name.as_str().to_owned())
}
