//! Keys, tokens and forging functions for the tests of this room. Keys are shared, because RSA keys are slow
//! to generate.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::access_token::{AccessToken, Issuer};
use super::algorithm::SigningAlgorithm::{EdDsa, Es256, Rs256};
use super::encoding::{base64url, from_base64url};
use super::key_pair::KeyPair;
use super::key_ring::KeyRing;
use super::refresh_token::{RefreshKeys, RefreshToken};
use super::secret::MasterSecrets;
use crate::clock::Timestamp;
use crate::domain::assurance::Assurance;
use crate::domain::authentication::{Method, Methods};
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::user::Role;

/// One key of each algorithm: ES256, `EdDSA`, RS256.
pub(super) fn keys() -> &'static [Arc<KeyPair>; 3] {
    static KEYS: LazyLock<[Arc<KeyPair>; 3]> = LazyLock::new(|| {
        [Es256, EdDsa, Rs256].map(|algorithm| Arc::new(KeyPair::generate(algorithm).unwrap()))
    });
    &KEYS
}

/// A ring for each of the keys.
pub(super) fn rings() -> [KeyRing; 3] {
    keys().each_ref().map(|key| KeyRing::new(Arc::clone(key), []))
}

pub(super) fn issuer() -> Issuer {
    Issuer {
        issuer: "https://auth.example.com".to_owned(),
        audience: "api".to_owned(),
        client_id: "web".to_owned(),
        leeway: Duration::from_secs(2),
    }
}

pub(super) fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

pub(super) fn access_token() -> AccessToken {
    AccessToken {
        user_id: UserId::parse("0199b4a8-2000-7000-8000-000000000001").unwrap(),
        session_id: SessionId::parse("0199b4a8-2000-7000-8000-000000000002").unwrap(),
        id: TokenId::parse("0199b4a8-2000-7000-8000-000000000003").unwrap(),
        issued_at: now(),
        expires_at: now() + Duration::from_mins(15),
        auth_time: now() - Duration::from_secs(10_000),
        methods: Methods::of(&[Method::Password, Method::OneTimeCode, Method::MultiFactor]),
        assurance: Assurance::MultiFactor,
        factor_time: Some(now() - Duration::from_secs(5_000)),
        role: Role::Admin,
        external_id: None,
    }
}

pub(super) fn refresh_token() -> RefreshToken {
    let AccessToken { user_id, session_id, id, issued_at, .. } = access_token();
    let expires_at = issued_at + Duration::from_hours(7 * 24);
    RefreshToken { user_id, session_id, id, issued_at, expires_at }
}

/// The refresh-token keys of these master secrets.
pub(super) fn refresh_keys(secrets: &str) -> RefreshKeys {
    RefreshKeys::derive(&MasterSecrets::parse(secrets).unwrap()).unwrap()
}

/// The header and the claims of a token.
pub(super) fn read(token: &str) -> (Value, Value) {
    let mut segments = token.split('.').map(|segment| from_base64url(segment).unwrap());
    let mut next = || serde_json::from_slice(&segments.next().unwrap()).unwrap();
    (next(), next())
}

/// The first two segments of a token.
pub(super) fn message(header: &str, claims: &str) -> String {
    format!("{}.{}", base64url(header), base64url(claims))
}

/// Signed with HMAC and a key of the forger's choice.
pub(super) fn hmac(header: &str, claims: &str, secret: &[u8]) -> String {
    let message = message(header, claims);
    let secret = EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &secret, Algorithm::HS256);
    format!("{message}.{}", signature.unwrap())
}

/// The text of an object with one member set, or taken out where the value is `None`.
pub(super) fn with(object: &Value, name: &str, value: Option<Value>) -> String {
    let mut object = object.clone();
    match value {
        Some(value) => object[name] = value,
        None => drop(object.as_object_mut().unwrap().remove(name)),
    }
    object.to_string()
}

/// Values that no claim may have, for each JSON type.
pub(super) fn wrong_types() -> [Value; 8] {
    let longer = json!(["0199b4a8-2000-7000-8000-000000000001"]);
    [json!(null), json!(true), json!({}), json!([]), json!(""), json!("5"), json!(5.5), longer]
}
