//! Devices on which a login needs no second factor.
//!
//! A device is trusted by a second factor that is no recovery code, if the user asks for it. It saves the second
//! step, and does not replace it: the session has the assurance of one factor.

use super::Sessions;
use super::open::OpenFor;
use crate::auth::error::Error;
use crate::auth::proof::Proof;
use crate::clock::Timestamp;
use crate::crypto::secret_token::{SecretToken, TokenDigest};
use crate::domain::authentication::FactorUsed;
use crate::domain::id::TrustedDeviceId;
use crate::domain::origin::UserAgent;
use crate::domain::session::SessionName;
use crate::store::NewTrustedDevice;

/// The token of a device, and when it expires.
pub(super) type DeviceToken = (SecretToken, Timestamp);

impl Sessions {
    /// The client's device, if the account trusts it and its password and factors are still those by which it
    /// did.
    pub(super) async fn trusted_device(
        &self,
        proof: &Proof,
        client: &OpenFor<'_>,
    ) -> Result<Option<TrustedDeviceId>, Error> {
        if self.policy.trusted_device_lifetime.is_none() {
            return Ok(None);
        }
        let Some(token) = client.device.and_then(TokenDigest::of) else { return Ok(None) };
        let found = self.store.device_by_token(token).await?;
        let is_trusted = found.filter(|device| {
            device.user == proof.user_id()
                && device.expires_at > self.now()
                && Some(device.factors) == proof.factors()
                && device.password == proof.password()
        });
        Ok(is_trusted.map(|device| device.id))
    }

    /// A device that this login makes a trusted one, with its token.
    pub(super) fn new_trusted_device(
        &self,
        proof: &Proof,
        client: &OpenFor<'_>,
        now: Timestamp,
    ) -> Option<(DeviceToken, NewTrustedDevice)> {
        let lifetime = self.policy.trusted_device_lifetime.filter(|_| client.trusts_device)?;
        let Proof::SecondStep(step) = proof else { return None };
        if step.factor().kind() == FactorUsed::RecoveryCode {
            return None;
        }
        let (token, expires_at) = (SecretToken::generate(&*self.entropy), now + lifetime);
        let name = client.name.as_ref().map(SessionName::as_str).map(str::to_owned);
        let program = client.origin.user_agent.as_ref().and_then(program_name);
        let device = NewTrustedDevice {
            id: TrustedDeviceId::new(now, &*self.entropy),
            token: token.digest(),
            name: name.or(program),
            created_at: now,
            expires_at,
        };
        Some(((token, expires_at), device))
    }
}

/// The browser and the system, e.g. `Firefox, Linux`.
fn program_name(agent: &UserAgent) -> Option<String> {
    let program = agent.program();
    let names: Vec<String> = [program.browser, program.os].into_iter().flatten().collect();
    (!names.is_empty()).then(|| names.join(", "))
}
