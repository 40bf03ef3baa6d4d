//! Options of ceremonies: the JSON that pages pass to `parseCreationOptionsFromJSON` and
//! `parseRequestOptionsFromJSON` of `PublicKeyCredential`.

use std::time::Duration;

use serde_json::{Value, json};

use super::challenge::PasskeyChallenge;
use super::relying_party::RelyingParty;
use crate::crypto::encoding::base64url;
use crate::domain::passkey::{Passkey, PasskeyAlgorithm, PasskeyTransport, UserHandle};

/// How long the dialog of a browser may stay open, as WebAuthn, section 15.1, recommends where users are
/// verified. Passkeys that are offered in an input have no dialog and no limit.
pub const CEREMONY_TIMEOUT: Duration = Duration::from_mins(5);

/// The account that a passkey is made for.
#[derive(Clone, Copy, Debug)]
pub struct PasskeyAccount<'a> {
    pub user_handle: &'a UserHandle,
    /// The name by which the user logs in.
    pub name: &'a str,
    pub display_name: &'a str,
}

impl RelyingParty {
    /// `PublicKeyCredentialCreationOptionsJSON`. `existing` are the account's passkeys: an authenticator that
    /// has one of them makes no second one.
    #[must_use]
    pub fn registration_options(
        &self,
        account: PasskeyAccount<'_>,
        challenge: &PasskeyChallenge,
        existing: &[Passkey],
    ) -> Value {
        let algorithm = |it: PasskeyAlgorithm| json!({ "type": "public-key", "alg": it.cose() });
        json!({
            // The name is deprecated but required; the ID is the default that WebAuthn, section 5.4.1, has.
            "rp": { "id": self.id().as_str(), "name": self.id().as_str() },
            "user": {
                "id": base64url(account.user_handle.as_bytes()),
                "name": account.name,
                "displayName": account.display_name,
            },
            "challenge": base64url(challenge.as_bytes()),
            "pubKeyCredParams": PasskeyAlgorithm::ALL.map(algorithm),
            "timeout": timeout(),
            "excludeCredentials": descriptors(existing),
            "authenticatorSelection": {
                "residentKey": "required",
                // For browsers of Level 1, which do not know `residentKey`.
                "requireResidentKey": true,
                "userVerification": "required",
            },
            "attestation": "none",
        })
    }

    /// `PublicKeyCredentialRequestOptionsJSON`. With `allowed`, the passkeys of an account, the browser asks
    /// for one of them; without, it offers all that it has for the relying party.
    #[must_use]
    pub fn login_options(&self, challenge: &PasskeyChallenge, allowed: &[Passkey]) -> Value {
        json!({
            "challenge": base64url(challenge.as_bytes()),
            "timeout": timeout(),
            "rpId": self.id().as_str(),
            "allowCredentials": descriptors(allowed),
            "userVerification": "required",
        })
    }
}

fn timeout() -> u64 {
    CEREMONY_TIMEOUT.as_secs() * 1_000
}

/// `PublicKeyCredentialDescriptorJSON` of each passkey. Without transports the member is left out: an empty
/// list would say that there is no way to the authenticator.
fn descriptors(passkeys: &[Passkey]) -> Vec<Value> {
    let descriptor = |passkey: &Passkey| {
        let id = base64url(passkey.credential_id.as_bytes());
        let mut descriptor = json!({ "type": "public-key", "id": id });
        let transports: Vec<_> = passkey.transports.iter().map(PasskeyTransport::as_str).collect();
        if !transports.is_empty() {
            descriptor["transports"] = transports.into();
        }
        descriptor
    };
    passkeys.iter().map(descriptor).collect()
}
