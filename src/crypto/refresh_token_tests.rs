//! Tests of refresh tokens that must be refused, and of each type of token in place of the other.

use serde_json::json;

use super::TokenError::{self, Expired, Invalid, Malformed, WrongType};
use super::access_token;
use super::refresh_token::{RefreshKeys, RefreshToken};
use super::test_fixtures::{self, hmac, message, now, read, with, wrong_types};

const SECRET: &str = "0123456789abcdefghijklmnopqrstuv";

fn refresh_keys() -> RefreshKeys {
    test_fixtures::refresh_keys(SECRET)
}

fn refresh(token: &str) -> Result<RefreshToken, TokenError> {
    let issuer = test_fixtures::issuer();
    refresh_keys().verify(&issuer.issuer, token, now())
}

fn good_refresh() -> String {
    refresh_keys().sign(&test_fixtures::issuer().issuer, &test_fixtures::refresh_token()).unwrap()
}

/// Signed with the service's own refresh-token key.
fn signed(header: &str, claims: &str) -> String {
    let message = message(header, claims);
    let signature = refresh_keys().signature(&message);
    format!("{message}.{signature}")
}

#[test]
fn neither_token_passes_for_the_other() {
    let ([ring, ..], [key, ..]) = (test_fixtures::rings(), test_fixtures::keys());
    let issuer = test_fixtures::issuer();
    let access = |token: &str| access_token::verify(&ring, &issuer, token, now()).map(drop);
    let good_access = access_token::sign(&ring, &issuer, &test_fixtures::access_token()).unwrap();
    assert_eq!(access(&good_refresh()), Err(WrongType));
    assert_eq!(refresh(&good_access), Err(WrongType));
    // Nor with the claims of one, the header of another and the key of either.
    let (tokens, mut refused) = ([read(&good_access), read(&good_refresh())], Vec::new());
    for (header, _) in &tokens {
        for (_, claims) in &tokens {
            let message = message(&header.to_string(), &claims.to_string());
            let signature = key.pair().signature(&message).unwrap();
            let by_access_key = format!("{message}.{signature}");
            let by_refresh_key = signed(&header.to_string(), &claims.to_string());
            for token in [by_access_key, by_refresh_key] {
                refused.push((access(&token).err(), refresh(&token).err()));
            }
        }
    }
    let expected = [
        // The header of an access token with its claims, then with a refresh token's.
        (None, Some(WrongType)),
        (Some(Invalid), Some(WrongType)),
        (Some(Invalid), Some(WrongType)),
        (Some(Invalid), Some(WrongType)),
        // The header of a refresh token with an access token's claims, then with its own.
        (Some(WrongType), Some(Invalid)),
        (Some(WrongType), Some(WrongType)),
        (Some(WrongType), Some(Invalid)),
        (Some(WrongType), None),
    ];
    assert_eq!(refused, expected);
}

#[test]
fn a_changed_refresh_token_is_refused_wherever_it_was_changed() {
    let token = good_refresh();
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(refresh(std::str::from_utf8(&changed).unwrap()).is_err(), "byte {at}");
    }
    assert_eq!(refresh(&format!("{token}=")), Err(Malformed));
    assert_eq!(refresh(&"A".repeat(5_000_000)), Err(Malformed));
}

#[test]
fn every_claim_of_a_refresh_token_is_required_and_has_our_value() {
    let (header, claims) = read(&good_refresh());
    let header = header.to_string();
    assert!(refresh(&signed(&header, &claims.to_string())).is_ok());
    for name in claims.as_object().unwrap().keys() {
        let refused = refresh(&signed(&header, &with(&claims, name, None)));
        assert_eq!(refused, Err(Invalid), "without {name}");
        for value in wrong_types() {
            let token = signed(&header, &with(&claims, name, Some(value.clone())));
            let expected =
                if name == "token_type" && value.is_string() { WrongType } else { Invalid };
            assert_eq!(refresh(&token), Err(expected), "{name} = {value}");
        }
        let twice = format!("{{{:?}:{},{}", name, claims[name], &claims.to_string()[1..]);
        assert_eq!(refresh(&signed(&header, &twice)), Err(Invalid), "{name} twice");
    }
    let at = now().as_seconds();
    for (name, value, expected) in [
        ("iss", json!("https://auth.example.org"), Invalid),
        ("exp", json!(at), Expired),
        ("token_type", json!("access"), WrongType),
        ("cnf", json!(null), Invalid),
        ("nbf", json!(0), Invalid),
    ] {
        let token = signed(&header, &with(&claims, name, Some(value.clone())));
        assert_eq!(refresh(&token), Err(expected), "{name} = {value}");
    }
}

#[test]
fn the_header_of_a_refresh_token_is_ours() {
    let (header, claims) = read(&good_refresh());
    for (name, value, expected) in [
        ("typ", None, WrongType),
        ("typ", Some(json!("JWT")), WrongType),
        ("kid", None, Invalid),
        ("kid", Some(json!("AAAAAAAAAAA")), Invalid),
        ("alg", Some(json!("none")), Invalid),
        ("alg", Some(json!("HS512")), Invalid),
        ("crit", Some(json!(["exp"])), Invalid),
    ] {
        let token = signed(&with(&header, name, value.clone()), &claims.to_string());
        assert_eq!(refresh(&token), Err(expected), "{name} = {value:?}");
    }
    let forged = hmac(&header.to_string(), &claims.to_string(), SECRET.as_bytes());
    assert_eq!(refresh(&forged), Err(Invalid));
}
