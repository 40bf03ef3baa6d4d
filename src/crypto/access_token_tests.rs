//! Tests of access tokens that must be refused. Most are signed with the service's key, so that only the
//! header or the claims are wrong.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::TokenError::{self, Expired, Invalid, Malformed, WrongType};
use super::access_token::{self, AccessToken};
use super::encoding::from_base64url;
use super::key_pair::KeyPair;
use super::key_ring::KeyRing;
use super::test_fixtures::{self, hmac, message, now, read, with, wrong_types};
use crate::domain::assurance::Assurance;
use crate::domain::authentication::Methods;
use crate::domain::user::Role;

fn ring() -> KeyRing {
    let [ring, ..] = test_fixtures::rings();
    ring
}

fn key() -> &'static KeyPair {
    let [key, ..] = test_fixtures::keys();
    key
}

fn access(token: &str) -> Result<AccessToken, TokenError> {
    access_token::verify(&ring(), &test_fixtures::issuer(), token, now())
}

fn good_access() -> String {
    access_token::sign(&ring(), &test_fixtures::issuer(), &test_fixtures::access_token()).unwrap()
}

/// Signed with the service's own access-token key, whatever the header says.
fn signed(header: &str, claims: &str) -> String {
    let message = message(header, claims);
    let signature = key().pair().signature(&message).unwrap();
    format!("{message}.{signature}")
}

#[test]
fn every_claim_of_an_access_token_is_required_and_has_its_type() {
    let (header, claims) = read(&good_access());
    assert!(access(&signed(&header.to_string(), &claims.to_string())).is_ok());
    for name in claims.as_object().unwrap().keys().filter(|name| !OPTIONAL.contains(&&***name)) {
        let refused = access(&signed(&header.to_string(), &with(&claims, name, None)));
        assert_eq!(refused, Err(Invalid), "without {name}");
        for value in wrong_types() {
            let token = signed(&header.to_string(), &with(&claims, name, Some(value.clone())));
            let expected =
                if name == "token_type" && value.is_string() { WrongType } else { Invalid };
            assert_eq!(access(&token), Err(expected), "{name} = {value}");
        }
    }
}

/// Claims that a version without second factors does not write.
const OPTIONAL: [&str; 3] = ["amr", "acr", "factor_time"];

#[test]
fn without_the_claims_of_a_second_factor_a_token_is_of_one_factor() {
    let (header, mut claims) = read(&good_access());
    for name in OPTIONAL {
        for value in [json!(true), json!({}), json!(5.5), json!(-1)] {
            let token = signed(&header.to_string(), &with(&claims, name, Some(value.clone())));
            assert_eq!(access(&token), Err(Invalid), "{name} = {value}");
        }
    }
    for name in OPTIONAL {
        claims.as_object_mut().unwrap().remove(name);
    }
    let token = access(&signed(&header.to_string(), &claims.to_string())).unwrap();
    assert_eq!((token.assurance, token.factor_time), (Assurance::SingleFactor, None));
    assert_eq!(token.methods, Methods::default());
}

#[test]
fn every_claim_of_an_access_token_has_our_value() {
    let (header, claims) = read(&good_access());
    let year = 365 * 24 * 3_600;
    let at = now().as_seconds();
    let table = [
        ("iss", json!("https://auth.example.com/"), Invalid),
        ("iss", json!(["https://auth.example.com"]), Invalid),
        ("aud", json!("API"), Invalid),
        ("aud", json!(["other", "apis"]), Invalid),
        ("aud", json!(["api", 5]), Invalid),
        ("client_id", json!("other"), Invalid),
        ("sub", json!("admin"), Invalid),
        ("sub", json!("0199B4A8-2000-7000-8000-00000000000A"), Invalid),
        ("sid", json!("0199b4a820007000800000000000000a"), Invalid),
        ("jti", json!("{0199b4a8-2000-7000-8000-000000000003}"), Invalid),
        ("iat", json!(at + 3), Invalid),
        ("iat", json!(at + year), Invalid),
        ("iat", json!(-1), Invalid),
        ("iat", json!(u64::MAX), Invalid),
        ("exp", json!(-1), Invalid),
        ("exp", json!(u64::MAX), Invalid),
        ("exp", json!(1e12), Invalid),
        ("exp", json!(0), Expired),
        ("exp", json!(at - 2), Expired),
        ("auth_time", json!(-1), Invalid),
        ("factor_time", json!(-1), Invalid),
        ("token_type", json!("refresh"), WrongType),
        ("token_type", json!("Access"), WrongType),
        ("role", json!("admin"), Invalid),
        ("role", json!("ROOT"), Invalid),
        ("role", json!("USER"), Invalid),
        ("scope", json!("USER"), Invalid),
        ("cnf", json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }), Invalid),
        ("cnf", json!(null), Invalid),
        ("nbf", json!(at - 5), Invalid),
    ];
    for (name, value, expected) in table {
        let token = signed(&header.to_string(), &with(&claims, name, Some(value.clone())));
        assert_eq!(access(&token), Err(expected), "{name} = {value}");
    }
    let welcome = [
        ("aud", json!(["other", "api"])),
        ("iat", json!(at + 2)),
        ("exp", json!(at - 1)),
        ("a_claim", json!("something of tomorrow")),
    ];
    for (name, value) in welcome {
        let token = signed(&header.to_string(), &with(&claims, name, Some(value.clone())));
        assert!(access(&token).is_ok(), "{name} = {value}");
    }
}

#[test]
fn a_role_of_a_newer_version_is_unknown_and_has_no_scope_of_a_known_role() {
    let (header, claims) = read(&good_access());
    let claims: Value =
        serde_json::from_str(&with(&claims, "role", Some(json!("AUDITOR")))).unwrap();
    for (scope, expected) in [
        (None, Ok(Role::Unknown)),
        (Some(json!("AUDITOR")), Ok(Role::Unknown)),
        (Some(json!("READ AUDIT")), Ok(Role::Unknown)),
        (Some(json!("ADMIN")), Err(Invalid)),
    ] {
        let token = signed(&header.to_string(), &with(&claims, "scope", scope.clone()));
        assert_eq!(access(&token).map(|token| token.role), expected, "{scope:?}");
    }
    // What this version signs for such a user it accepts, too.
    let token = AccessToken { role: Role::Unknown, ..test_fixtures::access_token() };
    let signed = access_token::sign(&ring(), &test_fixtures::issuer(), &token).unwrap();
    assert_eq!(access(&signed), Ok(token));
}

#[test]
fn only_a_token_right_in_all_else_has_expired() {
    let (header, mut claims) = read(&good_access());
    claims["exp"] = json!(1);
    let header = header.to_string();
    assert_eq!(access(&signed(&header, &claims.to_string())), Err(Expired));
    assert_eq!(access(&signed(&header, &with(&claims, "aud", Some(json!("x"))))), Err(Invalid));
    let forged = format!("{}.AAAA", message(&header, &claims.to_string()));
    assert_eq!(access(&forged), Err(Invalid));
}

#[test]
fn the_header_of_an_access_token_is_ours() {
    let (header, claims) = read(&good_access());
    let [_, stranger, _] = test_fixtures::keys();
    let table = [
        ("typ", None, WrongType),
        ("typ", Some(json!(null)), WrongType),
        ("typ", Some(json!("JWT")), WrongType),
        ("typ", Some(json!("rt+jwt")), WrongType),
        ("typ", Some(json!("logout+jwt")), WrongType),
        ("kid", None, Invalid),
        ("kid", Some(json!("")), Invalid),
        ("kid", Some(json!(stranger.kid())), Invalid),
        ("kid", Some(json!("../../dev/null")), Invalid),
        ("alg", None, Malformed),
        ("alg", Some(json!("")), Invalid),
        ("alg", Some(json!("es256")), Invalid),
        ("alg", Some(json!("ES384")), Invalid),
        ("alg", Some(json!("EdDSA")), Invalid),
        ("crit", Some(json!(["b64"])), Invalid),
        ("crit", Some(json!([])), Invalid),
        ("crit", Some(json!(null)), Invalid),
    ];
    for (name, value, expected) in table {
        let token = signed(&with(&header, name, value.clone()), &claims.to_string());
        assert_eq!(access(&token), Err(expected), "{name} = {value:?}");
    }
    for typ in ["AT+JWT", "application/at+jwt"] {
        let token = signed(&with(&header, "typ", Some(json!(typ))), &claims.to_string());
        assert!(access(&token).is_ok(), "{typ}");
    }
}

#[test]
fn a_key_inside_the_token_is_not_used() {
    let (header, claims) = read(&good_access());
    let [_, forger, _] = test_fixtures::keys();
    let message = |header: &str| message(header, &claims.to_string());
    for (name, value) in [
        ("jwk", forger.public_jwk().clone()),
        ("jku", json!("http://127.0.0.1:1")),
        ("x5u", json!("http://127.0.0.1:1")),
        ("x5c", json!(["MIIB"])),
        ("x5t#S256", json!(forger.kid())),
    ] {
        for kid in [key().kid(), forger.kid()] {
            let mut header = header.clone();
            header[name] = value.clone();
            header["alg"] = json!("EdDSA");
            header["kid"] = json!(kid);
            let message = message(&header.to_string());
            let token = format!("{message}.{}", forger.pair().signature(&message).unwrap());
            assert_eq!(access(&token), Err(Invalid), "{name} {kid}");
        }
    }
}

#[test]
fn no_signature_or_one_with_a_public_key_is_no_signature() {
    let (header, claims) = read(&good_access());
    let claims = claims.to_string();
    for alg in ["none", "None", "nOnE", "NONE", "ES256"] {
        let message = message(&with(&header, "alg", Some(json!(alg))), &claims);
        for signature in ["", "AAAA", &"A".repeat(86)] {
            assert_eq!(access(&format!("{message}.{signature}")), Err(Invalid), "{alg}");
        }
    }
    let [_, _, rsa] = test_fixtures::keys();
    for key in [key(), rsa] {
        let jwk = key.public_jwk();
        let x = from_base64url(jwk["x"].as_str().or(jwk["n"].as_str()).unwrap()).unwrap();
        let (text, (der, pem)) = (jwk.to_string(), published(jwk));
        let spellings = [text.as_bytes(), &x, &der, pem.as_bytes(), key.kid().as_bytes()];
        for secret in spellings.into_iter().chain([&b""[..]]) {
            for alg in ["HS256", key.algorithm().as_str()] {
                let mut header = header.clone();
                header["alg"] = json!(alg);
                header["kid"] = json!(key.kid());
                let token = hmac(&header.to_string(), &claims, secret);
                let ring = KeyRing::new(test_fixtures::keys()[0].clone(), [rsa.clone()]);
                let refused = access_token::verify(&ring, &test_fixtures::issuer(), &token, now());
                assert_eq!(refused, Err(Invalid), "{alg}");
            }
        }
    }
}

/// A public key in the forms that files have, `SubjectPublicKeyInfo` in DER and PEM. For an RSA key only its
/// numbers, which suffice as an HMAC secret.
fn published(jwk: &Value) -> (Vec<u8>, String) {
    const P256: [u8; 27] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
        0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ];
    let numbers = ["x", "y", "n", "e"].into_iter().filter_map(|name| jwk[name].as_str());
    let numbers = numbers.flat_map(|number| from_base64url(number).unwrap());
    let der: Vec<u8> = P256.into_iter().chain(numbers).collect();
    let body = STANDARD.encode(&der);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
    (der, pem)
}

#[test]
fn a_changed_access_token_is_refused_wherever_it_was_changed() {
    let token = good_access();
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(access(std::str::from_utf8(&changed).unwrap()).is_err(), "byte {at}");
    }
    assert_eq!(access(&format!("{token}=")), Err(Malformed));
    assert_eq!(access(&format!("{token}\n")), Err(Malformed));
    assert_eq!(access(&format!("Bearer {token}")), Err(Malformed));
}

#[test]
fn a_claim_that_is_there_twice_is_there_once_too_often() {
    let (header, claims) = read(&good_access());
    for (name, value) in claims.as_object().unwrap() {
        let twice = format!("{{{:?}:{value},{}", name, &claims.to_string()[1..]);
        assert_eq!(access(&signed(&header.to_string(), &twice)), Err(Invalid), "{name}");
    }
    let twice = format!(r#"{{"alg":"none",{}"#, &header.to_string()[1..]);
    assert_eq!(access(&signed(&twice, &claims.to_string())), Err(Malformed));
}

#[test]
fn claims_that_are_no_object_are_refused() {
    let (header, claims) = read(&good_access());
    let values: Vec<_> = claims.as_object().unwrap().values().collect();
    let listed = serde_json::to_string(&values).unwrap();
    let deep = format!(r#"{{"x":{}"#, "[".repeat(4_000));
    for claims in ["", "null", "5", r#""claims""#, "[]", "{}", "{", &listed, &deep] {
        assert_eq!(access(&signed(&header.to_string(), claims)), Err(Invalid), "{claims}");
    }
}

#[test]
fn what_is_too_long_is_refused_though_it_is_signed() {
    let (header, claims) = read(&good_access());
    let padded = |length| with(&claims, "padding", Some(json!("x".repeat(length))));
    assert!(access(&signed(&header.to_string(), &padded(4_000))).is_ok());
    assert_eq!(access(&signed(&header.to_string(), &padded(8_000))), Err(Malformed));
    assert_eq!(access(&"A".repeat(5_000_000)), Err(Malformed));
}

#[test]
fn a_key_that_left_the_ring_takes_its_tokens_along() {
    let ([old, new, _], issuer, token) =
        (test_fixtures::rings(), test_fixtures::issuer(), test_fixtures::access_token());
    let text = access_token::sign(&old, &issuer, &token).unwrap();
    let verify = |ring| access_token::verify(ring, &issuer, &text, token.issued_at);
    assert_eq!(verify(&new), Err(Invalid));
    let [old_key, new_key, _] = test_fixtures::keys();
    assert!(verify(&KeyRing::new(new_key.clone(), [old_key.clone()])).is_ok());
}
