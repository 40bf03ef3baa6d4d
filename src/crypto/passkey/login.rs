//! Verification of logins (WebAuthn, section 7.2).

use std::ops::Range;

use passki::{AuthenticationCredential, AuthenticationState, StoredPasskey};
use serde::Deserialize;
use serde_json::{Value, json};

use super::challenge::PasskeyChallenge;
use super::refusal::PasskeyRefusal;
use super::relying_party::RelyingParty;
use super::response::CeremonyResponse;
use crate::crypto::encoding::from_base64url;
use crate::domain::passkey::{Passkey, PasskeyUse, UserHandle};

/// The user whom a login is expected of.
#[derive(Clone, Copy, Debug)]
pub enum ExpectedUser<'a> {
    /// The passkey's owner, whoever that is: the browser offered all passkeys that it has. The response has to
    /// name the owner.
    Owner,
    /// The account with this user handle, as a second step.
    Account(&'a UserHandle),
}

impl RelyingParty {
    /// Verifies an `AuthenticationResponseJSON` to options with this challenge, with the passkey that has the
    /// response's [`credential_id`](super::credential_id).
    ///
    /// # Errors
    /// [`PasskeyRefusal::Counter`] only if everything else is right: it is a sign of a copied key.
    pub fn verify_login(
        &self,
        response: &Value,
        challenge: &PasskeyChallenge,
        passkey: &Passkey,
        user: ExpectedUser<'_>,
    ) -> Result<PasskeyUse, PasskeyRefusal> {
        let response = CeremonyResponse::parse(response)?;
        response.refuse_frames()?;
        check_user(response.bytes("userHandle")?.as_deref(), passkey, user)?;
        self.verifier().finish_passkey_authentication(
            &credential(&response)?,
            &state(challenge, passkey)?,
            &stored(passkey),
        )?;
        let signed = SignedState::read(response.text("authenticatorData")?)?;
        if signed.is_backup_eligible != passkey.is_backup_eligible {
            return Err(PasskeyRefusal::BackupEligibilityChanged);
        }
        let (stored, received) = (passkey.sign_count, signed.sign_count);
        // Two zeros: the authenticator does not count.
        if (stored, received) != (0, 0) && received <= stored {
            return Err(PasskeyRefusal::Counter { stored, received });
        }
        Ok(PasskeyUse { sign_count: received, is_backed_up: signed.is_backed_up })
    }
}

/// Checks that the user of the response, the owner of the passkey and the expected user are the same.
fn check_user(
    received: Option<&[u8]>,
    passkey: &Passkey,
    user: ExpectedUser<'_>,
) -> Result<(), PasskeyRefusal> {
    let owner = passkey.user_handle.as_bytes();
    let is_same = match (user, received) {
        (ExpectedUser::Owner, received) => received == Some(owner),
        // Authenticators may leave the user out where the passkeys were named.
        (ExpectedUser::Account(handle), received) => {
            handle.as_bytes() == owner && received.is_none_or(|received| received == owner)
        }
    };
    if is_same { Ok(()) } else { Err(PasskeyRefusal::OtherUser) }
}

fn credential(response: &CeremonyResponse<'_>) -> Result<AuthenticationCredential, PasskeyRefusal> {
    let credential = json!({
        "rawId": response.raw_id,
        "response": {
            "clientDataJSON": response.text("clientDataJSON")?,
            "authenticatorData": response.text("authenticatorData")?,
            "signature": response.text("signature")?,
        },
    });
    AuthenticationCredential::deserialize(credential)
        .map_err(|_| PasskeyRefusal::Malformed("response"))
}

/// The state that the library would make with options of its own.
fn state(
    challenge: &PasskeyChallenge,
    passkey: &Passkey,
) -> Result<AuthenticationState, PasskeyRefusal> {
    let state = json!({
        "challenge": challenge.as_bytes(),
        "allowed_credentials": [passkey.credential_id.as_bytes()],
        "user_verification": "required",
    });
    AuthenticationState::deserialize(state).map_err(|_| PasskeyRefusal::Malformed("challenge"))
}

/// What the library needs to verify a signature. Its counter stays 0, with which the library accepts any: it
/// compares the counter before it verifies the signature, so that a refusal would prove nothing.
fn stored(passkey: &Passkey) -> StoredPasskey {
    let mut stored = StoredPasskey::default();
    stored.credential_id = passkey.credential_id.as_bytes().to_vec();
    stored.public_key.clone_from(&passkey.public_key);
    stored.algorithm = passkey.algorithm.cose();
    stored
}

/// The part of the authenticator data (WebAuthn, section 6.1) that the library does not return.
struct SignedState {
    is_backup_eligible: bool,
    is_backed_up: bool,
    sign_count: u32,
}

impl SignedState {
    /// After the hash of the RP ID.
    const FLAGS: usize = 32;
    const SIGN_COUNT: Range<usize> = 33..37;
    const BACKUP_ELIGIBLE: u8 = 0x08;
    const BACKED_UP: u8 = 0x10;

    fn read(authenticator_data: &str) -> Result<Self, PasskeyRefusal> {
        let data = from_base64url(authenticator_data).unwrap_or_default();
        let count = data.get(Self::SIGN_COUNT).and_then(|bytes| bytes.try_into().ok());
        let (Some(flags), Some(count)) = (data.get(Self::FLAGS), count) else {
            return Err(PasskeyRefusal::Malformed("authenticator data"));
        };
        Ok(Self {
            is_backup_eligible: flags & Self::BACKUP_ELIGIBLE != 0,
            is_backed_up: flags & Self::BACKED_UP != 0,
            sign_count: u32::from_be_bytes(count),
        })
    }
}
