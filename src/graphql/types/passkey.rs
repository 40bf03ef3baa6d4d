//! Passkeys.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::auth::Viewer;
use crate::domain::id::PasskeyId;
use crate::domain::passkey::PasskeyTransport;
use crate::graphql::auth;
use crate::graphql::error::expose;
use crate::graphql::global_id::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::store::StoredPasskey;

/// A passkey of an account.
#[derive(Clone, Debug)]
pub struct Passkey(Arc<StoredPasskey>);

impl Passkey {
    pub(in crate::graphql) fn new(passkey: StoredPasskey) -> Self {
        Self(Arc::new(passkey))
    }

    /// The passkey, if the viewer may see it.
    pub(in crate::graphql) async fn load(
        context: &Context<'_>,
        viewer: Viewer,
        id: PasskeyId,
    ) -> Result<Option<Self>> {
        let found = auth(context).reads.passkey(viewer, id).await.map_err(expose)?;
        Ok(found.map(Self::new))
    }
}

/// Passkey (WebAuthn credential) of a user.
#[Object]
impl Passkey {
    /// Global object ID (Relay Node).
    pub(super) async fn id(&self) -> ID {
        GlobalId::Passkey(self.0.id).into()
    }

    /// Name that the user gave the passkey.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// ID of the credential in base64url, for `PublicKeyCredential.signalUnknownCredential` and
    /// `signalAllAcceptedCredentials`.
    async fn credential_id(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.passkey.credential_id.as_bytes())
    }

    /// Model of the authenticator (AAGUID, a UUID); all zeros if the authenticator does not tell.
    async fn aaguid(&self) -> String {
        self.0.passkey.aaguid.hyphenated().to_string()
    }

    /// True if the passkey is synchronized between the devices of the user.
    async fn is_synced(&self) -> bool {
        self.0.passkey.is_backed_up
    }

    /// Ways in which browsers reach the authenticator, such as `internal`, `hybrid` and `usb`.
    async fn transports(&self) -> Vec<&'static str> {
        self.0.passkey.transports.iter().map(PasskeyTransport::as_str).collect()
    }

    /// When the passkey was created.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When the passkey was last used; null if never.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.0.last_used_at.map(Into::into)
    }
}
