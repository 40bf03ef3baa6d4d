//! A browser with an authenticator, in software, whose values can be changed; and the mutations.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::email::mailbox::LOGIN_FIELDS;
use super::super::service::Service;

pub const FLAGS: &str = "--issuer https://auth.example.com";

const UP: u8 = 0x01;
const UV: u8 = 0x04;
pub const BE: u8 = 0x08;
const BS: u8 = 0x10;
const AT: u8 = 0x40;

pub struct Browser {
    pub key: EcdsaKeyPair,
    pub id: Vec<u8>,
    pub origin: &'static str,
    pub flags: u8,
    /// The counter of the next response.
    pub counter: u32,
    pub user_handle: Value,
}

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

fn cbor_bytes(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap();
    [if length < 24 { vec![0x40 | length] } else { vec![0x58, length] }, bytes.to_vec()].concat()
}

impl Browser {
    /// An authenticator that synchronizes its passkeys and does not count.
    pub fn new() -> Self {
        Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            id: sallyport::entropy::random::<20>(&sallyport::entropy::SystemEntropy).to_vec(),
            origin: "https://auth.example.com",
            flags: UP | UV | BE | BS,
            counter: 0,
            user_handle: Value::Null,
        }
    }

    /// One whose passkeys stay on it, and that counts.
    pub fn counting() -> Self {
        Self { flags: UP | UV, counter: 1, ..Self::new() }
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = &options["challenge"];
        let data = json!({ "type": kind, "challenge": challenge, "origin": self.origin,
            "crossOrigin": false });
        serde_json::to_vec(&data).unwrap()
    }

    fn data(&self, rp_id: &str, more: u8) -> Vec<u8> {
        let mut data = sha256(rp_id.as_bytes());
        data.push(self.flags | more);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// `navigator.credentials.create`.
    pub fn create(&mut self, options: &Value) -> Value {
        self.user_handle = options["user"]["id"].clone();
        let point = self.key.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        let start = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21].to_vec();
        let key = [start, cbor_bytes(x), vec![0x22], cbor_bytes(y)].concat();
        let mut data = self.data(options["rp"]["id"].as_str().unwrap(), AT);
        data.extend([0xaa; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend([&self.id[..], &key].concat());
        let object =
            [b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData".to_vec(), cbor_bytes(&data)]
                .concat();
        let id = base64url(&self.id);
        json!({
            "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": base64url(self.client_data("webauthn.create", options)),
                "attestationObject": base64url(object),
                "transports": ["internal", "hybrid"],
            },
        })
    }

    /// `navigator.credentials.get`.
    pub fn get(&mut self, options: &Value) -> Value {
        let client_data = self.client_data("webauthn.get", options);
        if self.counter > 0 {
            self.counter += 1;
        }
        let data = self.data(options["rpId"].as_str().unwrap(), 0);
        let signed = [&data[..], &sha256(&client_data)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        let id = base64url(&self.id);
        json!({
            "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": base64url(client_data),
                "authenticatorData": base64url(data),
                "signature": base64url(signature.as_ref()),
                "userHandle": self.user_handle,
            },
        })
    }
}

pub async fn begin_registration(
    service: &Service,
    bearer: Option<&str>,
    token: Option<&str>,
) -> Value {
    const BEGIN: &str = "mutation($t: String) { beginPasskeyRegistration(challengeToken: $t) {
        challengeToken options errors { code path } } }";
    service.send(bearer, BEGIN, json!({ "t": token })).await
}

pub async fn register(
    service: &Service,
    bearer: Option<&str>,
    begun: &Value,
    response: Value,
) -> Value {
    let text = format!(
        "mutation($t: String, $c: WebAuthnJson!) {{
            registerPasskey(input: {{ challengeToken: $t, credential: $c, name: \"Phone\" }}) {{
                passkey {{ id name aaguid isSynced transports createdAt lastUsedAt credentialId }}
                recoveryCodes login {{ {LOGIN_FIELDS} }} errors {{ code path }} }} }}"
    );
    let sent = json!({ "t": begun["challengeToken"], "c": response });
    let answer = service.send(bearer, &text, sent).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["registerPasskey"].clone()
}

/// Adds a passkey in a session; returns its ID and the recovery codes.
pub async fn enroll(service: &Service, access: &str, browser: &mut Browser) -> (String, Value) {
    let begun = begin_registration(service, Some(access), None).await;
    let begun = &begun["data"]["beginPasskeyRegistration"];
    assert!(begun["options"].is_object(), "{begun}");
    let done = register(service, Some(access), begun, browser.create(&begun["options"])).await;
    assert_eq!(done["errors"], json!([]), "{done}");
    (done["passkey"]["id"].as_str().unwrap().to_owned(), done["recoveryCodes"].clone())
}

pub async fn begin_login(service: &Service) -> Value {
    const BEGIN: &str = "mutation { beginPasskeyLogin { challengeToken options errors { code } } }";
    let answer = service.send(None, BEGIN, Value::Null).await;
    answer["data"]["beginPasskeyLogin"].clone()
}

pub async fn finish_login(service: &Service, token: &Value, response: Value) -> Value {
    let text = format!(
        "mutation($t: String, $c: WebAuthnJson!) {{
            loginWithPasskey(input: {{ challengeToken: $t, credential: $c, sessionName: \"Phone\" }}) {{
                {LOGIN_FIELDS} }} }}"
    );
    let answer = service.send(None, &text, json!({ "t": token, "c": response })).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["loginWithPasskey"].clone()
}

/// Logs in with the passkey alone.
pub async fn login(service: &Service, browser: &mut Browser) -> Value {
    let begun = begin_login(service).await;
    let response = browser.get(&begun["options"]);
    finish_login(service, &begun["challengeToken"], response).await
}
