//! Responses of browsers in JSON, as far as both ceremonies have them in common.

use serde::Deserialize;
use serde_json::Value;

use super::refusal::PasskeyRefusal;
use crate::crypto::encoding::from_base64url;
use crate::domain::passkey::CredentialId;

/// Several times the size of a response with an RSA key and a chain of certificates.
const MAX_BYTES: usize = 16 * 1024;

/// ID of the passkey that a `RegistrationResponseJSON` or an `AuthenticationResponseJSON` is about, for the
/// lookup of its row. Nothing is verified yet.
pub fn credential_id(response: &Value) -> Result<CredentialId, PasskeyRefusal> {
    CeremonyResponse::parse(response)?.credential_id()
}

/// The members that are verified. Others are not read, so that members which a future browser adds or writes
/// in another way do not have the response refused.
pub(super) struct CeremonyResponse<'a> {
    pub raw_id: &'a str,
    parts: &'a Value,
}

impl<'a> CeremonyResponse<'a> {
    pub(super) fn parse(response: &'a Value) -> Result<Self, PasskeyRefusal> {
        if response.to_string().len() > MAX_BYTES {
            return Err(PasskeyRefusal::TooLarge);
        }
        if response["type"] != "public-key" {
            return Err(PasskeyRefusal::Malformed("type"));
        }
        match (response["id"].as_str(), response["rawId"].as_str()) {
            (Some(id), Some(raw_id)) if id == raw_id => {
                Ok(Self { raw_id, parts: &response["response"] })
            }
            _ => Err(PasskeyRefusal::Malformed("id and rawId")),
        }
    }

    pub(super) fn credential_id(&self) -> Result<CredentialId, PasskeyRefusal> {
        let bytes = from_base64url(self.raw_id);
        bytes.and_then(CredentialId::parse).ok_or(PasskeyRefusal::Malformed("credential ID"))
    }

    /// A required text of the member `response`.
    pub(super) fn text(&self, name: &'static str) -> Result<&'a str, PasskeyRefusal> {
        self.parts[name].as_str().ok_or(PasskeyRefusal::Malformed(name))
    }

    /// Optional bytes of the member `response`.
    pub(super) fn bytes(&self, name: &'static str) -> Result<Option<Vec<u8>>, PasskeyRefusal> {
        if self.parts[name].is_null() {
            return Ok(None);
        }
        let bytes = from_base64url(self.text(name)?);
        bytes.map(Some).ok_or(PasskeyRefusal::Malformed(name))
    }

    /// The words of an optional list. They are hints, so what is no word is left out.
    pub(super) fn words(&self, name: &'static str) -> impl Iterator<Item = &'a str> {
        self.parts[name].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    /// Refuses ceremonies in frames of other origins. The library compares the rest of the client data, but
    /// passes over a `crossOrigin` that is no boolean, and over a `topOrigin` without it.
    pub(super) fn refuse_frames(&self) -> Result<(), PasskeyRefusal> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Frames {
            #[serde(default)]
            cross_origin: Value,
            #[serde(default)]
            top_origin: Value,
        }
        const MALFORMED: PasskeyRefusal = PasskeyRefusal::Malformed("client data");
        let client_data = from_base64url(self.text("clientDataJSON")?).ok_or(MALFORMED)?;
        let frames: Frames = serde_json::from_slice(&client_data).map_err(|_| MALFORMED)?;
        let is_own = frames.cross_origin.is_null() || frames.cross_origin == false;
        if is_own && frames.top_origin.is_null() {
            Ok(())
        } else {
            Err(PasskeyRefusal::CrossOrigin)
        }
    }
}
