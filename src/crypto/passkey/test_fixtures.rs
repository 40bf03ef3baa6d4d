//! A browser with an authenticator in it, in software: each of their values can be changed.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Value, json};

use super::{
    DomainName, ExpectedUser, PasskeyAccount, PasskeyChallenge, PasskeyOrigin, PasskeyRefusal,
    RelyingParty,
};
use crate::crypto::digest::sha256;
use crate::crypto::encoding::base64url;
use crate::domain::passkey::{Passkey, PasskeyUse, UserHandle};

pub(super) const ORIGIN: &str = "https://example.org";
pub(super) const WITH_PORT: &str = "https://example.org:8443";
pub(super) const RELATED: &str = "https://example.de";
pub(super) const ANDROID: &str = "android:apk-key-hash:pNiP5iKyQ8JwgGOaKA1zGPUPJIS-0H1xKCQcfIoGLck";

pub(super) const UP: u8 = 0x01;
pub(super) const UV: u8 = 0x04;
pub(super) const BE: u8 = 0x08;
pub(super) const BS: u8 = 0x10;
const AT: u8 = 0x40;
const ED: u8 = 0x80;

pub(super) fn relying_party() -> RelyingParty {
    let origins = [ORIGIN, WITH_PORT, ANDROID, RELATED];
    let origins = origins.map(|origin| PasskeyOrigin::parse(origin).unwrap());
    RelyingParty::new(DomainName::parse("example.org").unwrap(), origins.into()).unwrap()
}

pub(super) fn challenge() -> PasskeyChallenge {
    PasskeyChallenge::from_bytes([7; 32])
}

pub(super) fn handle() -> UserHandle {
    UserHandle::parse(vec![42; 32]).unwrap()
}

pub(super) fn account(user_handle: &UserHandle) -> PasskeyAccount<'_> {
    PasskeyAccount { user_handle, name: "ada", display_name: "Ada" }
}

pub(super) enum Key {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

impl Key {
    pub(super) fn es256() -> Self {
        Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    /// The `COSE_Key`.
    pub(super) fn public(&self) -> Vec<u8> {
        match self {
            Self::Es256(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at(32);
                let start = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21].to_vec();
                [start, cbor_bytes(x), vec![0x22], cbor_bytes(y)].concat()
            }
            Self::EdDsa(pair) => {
                let start = [0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21].to_vec();
                [start, cbor_bytes(pair.public_key().as_ref())].concat()
            }
            Self::Rs256(pair) => {
                let key = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                rsa_key(&key.n, &key.e)
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(pair) => {
                pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
            }
            Self::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let random = SystemRandom::new();
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }
}

pub(super) fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let start = [0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20].to_vec();
    [start, cbor_bytes(modulus), vec![0x21], cbor_bytes(exponent)].concat()
}

pub(super) fn cbor_bytes(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    let head = match bytes.len() {
        0..24 => vec![0x40 | length[1]],
        24..256 => vec![0x58, length[1]],
        _ => vec![0x59, length[0], length[1]],
    };
    [head, bytes.to_vec()].concat()
}

pub(super) struct Browser {
    pub key: Key,
    pub public_key: Vec<u8>,
    pub id: Vec<u8>,
    pub rp_id: &'static str,
    pub flags: u8,
    pub counter: u32,
    pub extensions: &'static [u8],
    /// Overrides members that are otherwise right.
    pub client_data: Value,
    pub user_handle: Option<Vec<u8>>,
}

impl Browser {
    pub(super) fn new(key: Key) -> Self {
        Self {
            public_key: key.public(),
            key,
            id: vec![9; 20],
            rp_id: "example.org",
            flags: UP | UV | BE | BS,
            counter: 0,
            extensions: &[],
            client_data: json!({ "origin": ORIGIN, "crossOrigin": false, "future": [1] }),
            user_handle: Some(handle().as_bytes().to_vec()),
        }
    }

    fn client_data(&self, kind: &str) -> Vec<u8> {
        let mut client_data = self.client_data.clone();
        let defaults = json!({ "type": kind, "challenge": base64url(challenge().as_bytes()) });
        for (name, value) in defaults.as_object().unwrap() {
            if client_data.get(name).is_none() {
                client_data[name] = value.clone();
            }
        }
        serde_json::to_vec(&client_data).unwrap()
    }

    pub(super) fn authenticator_data(&self, more: u8) -> Vec<u8> {
        let mut data = sha256(self.rp_id.as_bytes()).to_vec();
        data.push(self.flags | more | if self.extensions.is_empty() { 0 } else { ED });
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// A `RegistrationResponseJSON` as browsers write it.
    pub(super) fn create(&self) -> Value {
        let mut data = self.authenticator_data(AT);
        data.extend([0xaa; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend([&self.id, &self.public_key, self.extensions].concat());
        let start = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData".to_vec();
        let object = [start, cbor_bytes(&data)].concat();
        let id = base64url(&self.id);
        json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "implant",
            "clientExtensionResults": { "credProps": { "rk": true }, "credBlob": 1 },
            "response": {
                "clientDataJSON": base64url(self.client_data("webauthn.create")),
                "attestationObject": base64url(object),
                "authenticatorData": base64url(data),
                "publicKey": "",
                "publicKeyAlgorithm": -7,
                "transports": ["internal", "hybrid", "telepathy", 7],
            },
        })
    }

    /// An `AuthenticationResponseJSON`, likewise.
    pub(super) fn get(&self) -> Value {
        let client_data = self.client_data("webauthn.get");
        let mut data = self.authenticator_data(0);
        data.extend(self.extensions);
        let signed = [&data[..], &sha256(&client_data)].concat();
        let mut response = assertion(&self.id, &client_data, &data, &self.key.sign(&signed));
        if let Some(handle) = &self.user_handle {
            response["response"]["userHandle"] = base64url(handle).into();
        }
        response
    }

    pub(super) fn register(&self) -> Result<Passkey, PasskeyRefusal> {
        relying_party().verify_registration(&self.create(), &challenge(), &handle())
    }

    pub(super) fn log_in(&self, passkey: &Passkey) -> Result<PasskeyUse, PasskeyRefusal> {
        relying_party().verify_login(&self.get(), &challenge(), passkey, ExpectedUser::Owner)
    }
}

pub(super) fn assertion(id: &[u8], client_data: &[u8], data: &[u8], signature: &[u8]) -> Value {
    let id = base64url(id);
    json!({
        "id": id,
        "rawId": id,
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
        "response": {
            "clientDataJSON": base64url(client_data),
            "authenticatorData": base64url(data),
            "signature": base64url(signature),
            "userHandle": null,
        },
    })
}

/// A passkey, and the browser that has it.
pub(super) fn registered() -> (Browser, Passkey) {
    let browser = Browser::new(Key::es256());
    let passkey = browser.register().unwrap();
    (browser, passkey)
}
