//! Verification of registrations (WebAuthn, section 7.1).

use passki::{RegistrationCredential, RegistrationState};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::challenge::PasskeyChallenge;
use super::cose_key::algorithm_of_key;
use super::refusal::PasskeyRefusal;
use super::relying_party::RelyingParty;
use super::response::CeremonyResponse;
use crate::domain::passkey::{CredentialId, Passkey, PasskeyTransports, UserHandle};

impl RelyingParty {
    /// Verifies a `RegistrationResponseJSON` to options with this challenge and user handle. Whether another
    /// account has the passkey already, the caller has to ask the store.
    pub fn verify_registration(
        &self,
        response: &Value,
        challenge: &PasskeyChallenge,
        user_handle: &UserHandle,
    ) -> Result<Passkey, PasskeyRefusal> {
        let response = CeremonyResponse::parse(response)?;
        response.refuse_frames()?;
        let verifier = self.verifier();
        let new =
            verifier.finish_passkey_registration(&credential(&response)?, &state(challenge)?)?;
        // The library accepts keys of any algorithm and form, and IDs of any length.
        let algorithm = algorithm_of_key(&new.public_key)?;
        let credential_id = CredentialId::parse(new.credential_id);
        Ok(Passkey {
            credential_id: credential_id.ok_or(PasskeyRefusal::Malformed("credential ID"))?,
            user_handle: user_handle.clone(),
            public_key: new.public_key,
            algorithm,
            sign_count: new.counter,
            is_backup_eligible: new.be,
            is_backed_up: new.bs,
            aaguid: Uuid::from_bytes(new.aaguid),
            transports: PasskeyTransports::of_words(response.words("transports")),
        })
    }
}

fn credential(response: &CeremonyResponse<'_>) -> Result<RegistrationCredential, PasskeyRefusal> {
    let credential = json!({
        "rawId": response.raw_id,
        "response": {
            "clientDataJSON": response.text("clientDataJSON")?,
            "attestationObject": response.text("attestationObject")?,
        },
    });
    RegistrationCredential::deserialize(credential)
        .map_err(|_| PasskeyRefusal::Malformed("response"))
}

/// The state that the library would make with options of its own. It does not read the user.
fn state(challenge: &PasskeyChallenge) -> Result<RegistrationState, PasskeyRefusal> {
    let state = json!({
        "challenge": challenge.as_bytes(),
        "user": { "id": "", "name": "", "displayName": "" },
        "user_verification": "required",
    });
    RegistrationState::deserialize(state).map_err(|_| PasskeyRefusal::Malformed("challenge"))
}
