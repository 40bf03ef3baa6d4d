//! Tokens of other systems: which are accepted, and every way in which one is not.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, KeyPair as _};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::encoding::base64url;
use super::error::TokenError;
use super::foreign_key::{ForeignAlgorithm, ForeignKey, ForeignKeyError};
use super::foreign_token::{ForeignClaims, ForeignTokens};
use crate::clock::Timestamp;
use crate::domain::foreign_token::{ForeignToken, PasswordFingerprint};

const SECRET: &[u8] = b"django-insecure-0123456789abcdefghijklmnopqrstuv";
const NOW: i64 = 1_800_000_000;

fn now() -> Timestamp {
    Timestamp::from_seconds(NOW)
}

fn claims() -> ForeignClaims {
    ForeignClaims {
        user_id: "user_id".into(),
        jti: "jti".into(),
        token_type: "token_type".into(),
        password: "hash_password".into(),
        issuer: None,
        audience: Vec::new(),
        leeway: Duration::ZERO,
    }
}

fn tokens(claims: ForeignClaims) -> ForeignTokens {
    ForeignTokens::new(vec![ForeignKey::parse(ForeignAlgorithm::Hs256, SECRET).unwrap()], claims)
}

/// The payload of SimpleJWT 5.5.1.
fn payload() -> Value {
    json!({
        "token_type": "refresh", "exp": NOW + 3600, "iat": NOW - 60,
        "jti": "0f3c8a5ad4e84a1f9d3b0a4c1b2d3e4f", "user_id": "42",
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut payload = payload();
    payload[name] = value;
    payload
}

fn without(name: &str) -> Value {
    let mut payload = payload();
    payload.as_object_mut().unwrap().remove(name);
    payload
}

fn signed_by(header: &Value, payload: &Value, secret: &[u8], algorithm: Algorithm) -> String {
    let message = format!("{}.{}", base64url(header.to_string()), base64url(payload.to_string()));
    let key = EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn signed(payload: &Value) -> String {
    signed_by(&json!({"alg": "HS256", "typ": "JWT"}), payload, SECRET, Algorithm::HS256)
}

fn verify(payload: &Value) -> Result<ForeignToken, TokenError> {
    tokens(claims()).verify(&signed(payload), now()).unwrap()
}

#[test]
fn a_refresh_token_of_every_version_is_read() {
    let token = verify(&payload()).unwrap();
    assert_eq!(
        (token.id.as_str(), token.external_id.as_str()),
        ("0f3c8a5ad4e84a1f9d3b0a4c1b2d3e4f", "42")
    );
    assert_eq!(token.issued_at, Some(Timestamp::from_seconds(NOW - 60)));
    assert_eq!(token.expires_at, Timestamp::from_seconds(NOW + 3600));
    assert_eq!(token.password, None);
    // Before 5.5.1 a number is a number, and before 5.0 there is no iat.
    assert_eq!(verify(&with("user_id", json!(42))).unwrap(), token);
    assert_eq!(verify(&without("iat")).unwrap().issued_at, None);
    let fingerprint = verify(&with("hash_password", json!("0F0E0D0C0B0A09080706050403020100")));
    let expected = [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0];
    assert_eq!(fingerprint.unwrap().password, Some(PasswordFingerprint(expected)));
}

#[test]
fn a_token_that_lacks_what_it_needs_is_refused() {
    let invalid = [
        without("jti"),
        without("exp"),
        without("user_id"),
        with("jti", json!("")),
        with("jti", json!("a".repeat(256))),
        with("jti", json!(7)),
        with("jti", json!("a\0b")),
        with("user_id", json!("")),
        with("user_id", json!(null)),
        with("user_id", json!(4.2)),
        with("user_id", json!(true)),
        with("user_id", json!("4\n2")),
        with("exp", json!("1800003600")),
        with("exp", json!(-1)),
        with("exp", json!(i64::MAX)),
        with("exp", json!(1e300)),
        with("iat", json!(NOW + 1)),
        with("nbf", json!(NOW + 1)),
        with("hash_password", json!("")),
        with("hash_password", json!("+f0E0D0C0B0A09080706050403020100")),
    ];
    for payload in &invalid {
        assert_eq!(verify(payload), Err(TokenError::Invalid), "{payload}");
    }
    let other_types = [
        without("token_type"),
        with("token_type", json!("access")),
        with("token_type", json!("sliding")),
    ];
    for payload in &other_types {
        assert_eq!(verify(payload), Err(TokenError::WrongType), "{payload}");
    }
    for expired in [NOW, NOW - 1] {
        assert_eq!(verify(&with("exp", json!(expired))), Err(TokenError::Expired));
    }
}

#[test]
fn the_leeway_counts_both_ways() {
    let tokens = tokens(ForeignClaims { leeway: Duration::from_secs(10), ..claims() });
    let verify = |payload: &Value| tokens.verify(&signed(payload), now()).unwrap().map(drop);
    assert_eq!(verify(&with("exp", json!(NOW - 9))), Ok(()));
    assert_eq!(verify(&with("exp", json!(NOW - 10))), Err(TokenError::Expired));
    assert_eq!(verify(&with("iat", json!(NOW + 10))), Ok(()));
    assert_eq!(verify(&with("iat", json!(NOW + 11))), Err(TokenError::Invalid));
}

#[test]
fn issuer_and_audience_are_demanded_where_they_are_set() {
    let demanding = tokens(ForeignClaims {
        issuer: Some("https://old.example.com".into()),
        audience: vec!["web".into(), "app".into()],
        ..claims()
    });
    let verify = |issuer: Value, audience: Value| {
        let mut payload = with("iss", issuer);
        payload["aud"] = audience;
        demanding.verify(&signed(&payload), now()).unwrap().map(drop)
    };
    let issuer = json!("https://old.example.com");
    for audience in [json!("web"), json!(["other", "app"])] {
        assert_eq!(verify(issuer.clone(), audience), Ok(()));
    }
    for audience in [json!("other"), json!([]), json!(null), json!([7])] {
        assert_eq!(verify(issuer.clone(), audience), Err(TokenError::Invalid));
    }
    assert_eq!(verify(json!("https://evil.example.com"), json!("web")), Err(TokenError::Invalid));
    assert_eq!(demanding.verify(&signed(&payload()), now()).unwrap(), Err(TokenError::Invalid));
}

#[test]
fn nobody_chooses_another_algorithm_or_key() {
    let tokens = tokens(claims());
    let refused = |token: &str| {
        assert_eq!(tokens.verify(token, now()), Some(Err(TokenError::Invalid)), "{token}");
        assert!(!tokens.has_signed(token));
    };
    let (header, body) = (json!({"alg": "HS256", "typ": "JWT"}), payload());
    refused(&signed_by(&header, &body, b"another secret of 32 characters..", Algorithm::HS256));
    refused(&signed_by(&json!({"alg": "HS512", "typ": "JWT"}), &body, SECRET, Algorithm::HS512));
    refused(&signed_by(&json!({"alg": "HS384", "typ": "JWT"}), &body, SECRET, Algorithm::HS256));
    refused(&signed_by(&json!({"alg": "none", "typ": "JWT"}), &body, SECRET, Algorithm::HS256));
    refused(&signed_by(&json!({"alg": "HS256", "crit": ["b64"]}), &body, SECRET, Algorithm::HS256));
    let unsigned = signed_by(&json!({"alg": "none"}), &body, SECRET, Algorithm::HS256);
    refused(&format!("{}.", unsigned.rsplit_once('.').unwrap().0));
    let (head, signature) =
        signed(&body).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    refused(&format!(
        "{head}.{}{}",
        if signature.starts_with('A') { 'B' } else { 'A' },
        &signature[1..]
    ));
}

#[test]
fn a_token_of_this_service_and_a_text_that_is_none_are_nobody_elses() {
    let tokens = tokens(claims());
    for typ in ["rt+jwt", "at+jwt", "application/at+jwt"] {
        let ours =
            signed_by(&json!({"alg": "HS256", "typ": typ}), &payload(), SECRET, Algorithm::HS256);
        assert_eq!(tokens.verify(&ours, now()), None);
        assert!(!tokens.has_signed(&ours));
    }
    for text in ["", "hello", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.e30"] {
        assert_eq!(tokens.verify(text, now()), None);
    }
}

#[test]
fn any_token_of_the_system_is_known_as_one() {
    let tokens = tokens(claims());
    let of_any_kind = [with("token_type", json!("access")), with("exp", json!(1)), json!({})];
    for payload in &of_any_kind {
        assert!(tokens.has_signed(&signed(payload)));
    }
}

/// A public key as `openssl` writes it.
fn pem(der: &[u8]) -> Vec<u8> {
    use base64::prelude::{BASE64_STANDARD, Engine};
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        BASE64_STANDARD.encode(der)
    )
    .into_bytes()
}

fn message(algorithm: &str) -> String {
    let header = json!({"alg": algorithm, "typ": "JWT"}).to_string();
    format!("{}.{}", base64url(header), base64url(payload().to_string()))
}

#[test]
fn tokens_of_public_keys_are_verified_and_the_key_is_no_secret() {
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    let random = SystemRandom::new();
    let rsa = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: PublicKeyX509Der<'_> = rsa.public_key().as_der().unwrap();
    let rsa_pem = pem(der.as_ref());
    let text = message("RS256");
    let mut bytes = vec![0; rsa.public_modulus_len()];
    rsa.sign(&signature::RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut bytes).unwrap();
    let by_rsa = format!("{text}.{}", base64url(&bytes));
    let verifier = |algorithm, pem: &[u8]| {
        ForeignTokens::new(vec![ForeignKey::parse(algorithm, pem).unwrap()], claims())
    };
    let rsa_tokens = verifier(ForeignAlgorithm::Rs256, &rsa_pem);
    assert!(rsa_tokens.verify(&by_rsa, now()).unwrap().is_ok() && !rsa_tokens.has_secret());
    // Whoever knows the public key signs with it as if it were a secret.
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let confused = signed_by(&header, &payload(), &rsa_pem, Algorithm::HS256);
    assert_eq!(rsa_tokens.verify(&confused, now()), Some(Err(TokenError::Invalid)));

    let kind = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    let p256 = signature::EcdsaKeyPair::generate(kind).unwrap();
    let der: PublicKeyX509Der<'_> = p256.public_key().as_der().unwrap();
    let p256_pem = pem(der.as_ref());
    let text = message("ES256");
    let by_p256 = format!("{text}.{}", base64url(p256.sign(&random, text.as_bytes()).unwrap()));
    assert!(verifier(ForeignAlgorithm::Es256, &p256_pem).verify(&by_p256, now()).unwrap().is_ok());
    assert_eq!(rsa_tokens.verify(&by_p256, now()), Some(Err(TokenError::Invalid)));

    let edwards = signature::Ed25519KeyPair::generate().unwrap();
    let der: PublicKeyX509Der<'_> = edwards.public_key().as_der().unwrap();
    let edwards_pem = pem(der.as_ref());
    let text = message("EdDSA");
    let by_edwards = format!("{text}.{}", base64url(edwards.sign(text.as_bytes())));
    assert!(
        verifier(ForeignAlgorithm::EdDsa, &edwards_pem).verify(&by_edwards, now()).unwrap().is_ok()
    );

    let mistaken = [
        (ForeignAlgorithm::Rs256, &p256_pem),
        (ForeignAlgorithm::Es256, &rsa_pem),
        (ForeignAlgorithm::Es384, &p256_pem),
        (ForeignAlgorithm::EdDsa, &rsa_pem),
    ];
    for (algorithm, pem) in mistaken {
        let refused = ForeignKey::parse(algorithm, pem).err();
        assert_eq!(refused, Some(ForeignKeyError::AnotherAlgorithm), "{algorithm:?}");
    }
}

#[test]
fn a_key_file_that_has_no_key_is_refused() {
    let parse = |algorithm, content: &[u8]| ForeignKey::parse(algorithm, content).err();
    for content in [b"".as_slice(), b"\n", b"too short\n"] {
        assert_eq!(parse(ForeignAlgorithm::Hs256, content), Some(ForeignKeyError::ShortSecret));
    }
    for content in
        [b"".as_slice(), SECRET, b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"]
    {
        assert_eq!(parse(ForeignAlgorithm::Rs256, content), Some(ForeignKeyError::NoPublicKey));
    }
    // An editor ends the file with a line end, which is not in the secret.
    let with_line_end =
        ForeignKey::parse(ForeignAlgorithm::Hs256, &[SECRET, b"\r\n"].concat()).unwrap();
    let tokens = ForeignTokens::new(vec![with_line_end], claims());
    assert!(tokens.verify(&signed(&payload()), now()).unwrap().is_ok());
    assert_eq!(format!("{tokens:?}").find("django"), None);
}
