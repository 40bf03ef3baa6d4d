//! Second factors of an account.

use std::sync::Arc;

use async_graphql::{Context, Object, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Passkey, TrustedDevice};
use crate::auth::Viewer;
use crate::domain::user::User;
use crate::graphql::error::expose;
use crate::graphql::scalars::DateTime;
use crate::graphql::{auth, loaders};
use crate::store::WaysIn;

/// Second factors of an account, as its viewer sees them.
#[derive(Clone, Debug)]
pub struct SecondFactors {
    account: Arc<User>,
    viewer: Viewer,
    ways_in: Arc<WaysIn>,
}

impl SecondFactors {
    /// `None` if the viewer may not see them.
    pub(super) async fn load(
        context: &Context<'_>,
        viewer: Viewer,
        account: Arc<User>,
    ) -> Result<Option<Self>> {
        if !viewer.may_see(account.id) {
            return Ok(None);
        }
        let found = loaders(context).ways_in(account.id).await?;
        Ok(found.map(|ways_in| Self { account, viewer, ways_in }))
    }
}

/// Second factors of a user.
#[Object]
impl SecondFactors {
    /// True if the service requires a second factor of this user.
    async fn is_required(&self, context: &Context<'_>) -> bool {
        auth(context).reads.requires_second_factor(self.account.role)
    }

    /// When the authenticator app (TOTP) was added; null if there is none.
    async fn totp_since(&self) -> Option<DateTime> {
        self.ways_in.factors.totp_since.map(Into::into)
    }

    /// Number of recovery codes that have not been used.
    async fn recovery_codes_left(&self) -> i32 {
        i32::try_from(self.ways_in.factors.recovery_codes_left).unwrap_or(i32::MAX)
    }

    /// Passkeys of the user, the oldest first; at most 20.
    async fn passkeys(&self, context: &Context<'_>) -> Result<Vec<Passkey>> {
        if self.ways_in.factors.passkeys == 0 {
            return Ok(Vec::new());
        }
        let found = auth(context).reads.passkeys(self.viewer, self.account.id).await;
        Ok(found.map_err(expose)?.into_iter().map(Passkey::new).collect())
    }

    /// Domain of the passkeys (RP ID), for `PublicKeyCredential.signalAllAcceptedCredentials`; null if
    /// the user has registered none.
    async fn passkey_rp_id(&self, context: &Context<'_>) -> Result<Option<String>> {
        let found = auth(context).reads.passkey_names(self.viewer, self.account.id).await;
        Ok(found.map_err(expose)?.map(|(domain, _)| domain))
    }

    /// User handle of the passkeys in base64url, for
    /// `PublicKeyCredential.signalAllAcceptedCredentials`; null if the user has registered none.
    async fn passkey_user_handle(&self, context: &Context<'_>) -> Result<Option<String>> {
        let found = auth(context).reads.passkey_names(self.viewer, self.account.id).await;
        let found = found.map_err(expose)?;
        Ok(found.map(|(_, handle)| URL_SAFE_NO_PAD.encode(handle.as_bytes())))
    }

    /// Devices on which a login needs no second factor, the newest first; at most 20.
    async fn trusted_devices(&self, context: &Context<'_>) -> Result<Vec<TrustedDevice>> {
        if !self.ways_in.factors.exist() {
            return Ok(Vec::new());
        }
        let found = auth(context).reads.trusted_devices(self.viewer, self.account.id).await;
        Ok(found.map_err(expose)?.into_iter().map(TrustedDevice::new).collect())
    }
}
