//! Tests of responses that both ceremonies refuse.

use serde_json::{Value, json};

use super::test_fixtures::{
    ANDROID, Browser, ORIGIN, RELATED, UP, UV, WITH_PORT, challenge, handle, registered,
    relying_party,
};
use super::{ExpectedUser, PasskeyRefusal, credential_id};
use crate::crypto::encoding::base64url;

/// Changes the browser for both ceremonies.
#[track_caller]
fn both_refuse(refusal: &PasskeyRefusal, change: impl Fn(&mut Browser)) {
    let (mut browser, passkey) = registered();
    change(&mut browser);
    assert_eq!(browser.register().as_ref(), Err(refusal), "registration");
    assert_eq!(browser.log_in(&passkey).as_ref(), Err(refusal), "login");
}

#[test]
fn origins_are_compared_exactly() {
    for origin in [ORIGIN, WITH_PORT, ANDROID, RELATED] {
        let (mut browser, passkey) = registered();
        browser.client_data["origin"] = origin.into();
        browser.register().unwrap();
        browser.log_in(&passkey).unwrap();
    }
    for origin in [
        "https://example.org:443",
        "https://example.org:8444",
        "https://example.org/",
        "https://EXAMPLE.org",
        "https://login.example.org",
        "https://notexample.org",
        "https://example.org.evil.example",
        "http://example.org",
        "android:apk-key-hash:pNiP5iKyQ8JwgGOaKA1zGPUPJIS-0H1xKCQcfIoGLcc",
        "null",
    ] {
        both_refuse(&PasskeyRefusal::Origin(origin.into()), |browser| {
            browser.client_data["origin"] = origin.into();
        });
    }
}

#[test]
fn a_refused_origin_is_shortened_and_printed_on_one_line() {
    let (mut browser, passkey) = registered();
    browser.client_data["origin"] = format!("https://a\n{}", "b".repeat(1_000)).into();
    let text = browser.log_in(&passkey).unwrap_err().to_string();
    assert!(text.contains(r"https://a\nbbb") && text.len() < 300, "{text}");
}

#[test]
fn ceremonies_in_frames_of_other_origins_are_refused() {
    for (member, value) in [
        ("crossOrigin", json!(true)),
        ("crossOrigin", json!("true")),
        ("crossOrigin", json!(1)),
        ("topOrigin", json!(ORIGIN)),
        ("topOrigin", json!(["https://evil.example"])),
    ] {
        both_refuse(&PasskeyRefusal::CrossOrigin, |browser| {
            browser.client_data[member] = value.clone();
        });
    }
    let (mut browser, passkey) = registered();
    browser.client_data.as_object_mut().unwrap().remove("crossOrigin");
    assert!(browser.register().is_ok() && browser.log_in(&passkey).is_ok());
}

#[test]
fn other_ceremonies_are_refused() {
    both_refuse(&PasskeyRefusal::OtherChallenge, |browser| {
        browser.client_data["challenge"] = base64url([8; 32]).into();
    });
    both_refuse(&PasskeyRefusal::OtherChallenge, |browser| {
        browser.client_data["challenge"] = "".into();
    });
    both_refuse(&PasskeyRefusal::OtherCeremony, |browser| {
        browser.client_data["type"] = "payment.get".into();
    });
    both_refuse(&PasskeyRefusal::OtherRelyingParty, |browser| browser.rp_id = "example.com");

    let (mut browser, passkey) = registered();
    browser.client_data["type"] = "webauthn.create".into();
    assert_eq!(browser.log_in(&passkey), Err(PasskeyRefusal::OtherCeremony));
    browser.client_data["type"] = "webauthn.get".into();
    assert_eq!(browser.register(), Err(PasskeyRefusal::OtherCeremony));
}

#[test]
fn the_user_must_be_present_and_verified() {
    both_refuse(&PasskeyRefusal::UserNotPresent, |browser| browser.flags &= !UP);
    both_refuse(&PasskeyRefusal::UserNotVerified, |browser| browser.flags &= !UV);
}

fn responses_are_malformed(create: &Value, get: &Value) {
    let (_, passkey) = registered();
    let registered = relying_party().verify_registration(create, &challenge(), &handle());
    assert!(matches!(registered, Err(PasskeyRefusal::Malformed(_))), "{registered:?}");
    let used = relying_party().verify_login(get, &challenge(), &passkey, ExpectedUser::Owner);
    assert!(matches!(used, Err(PasskeyRefusal::Malformed(_))), "{used:?}");
}

#[test]
fn responses_are_whole() {
    let (browser, passkey) = registered();
    let (create, get) = (browser.create(), browser.get());
    assert_eq!(credential_id(&get), Ok(passkey.credential_id));
    let without = |response: &Value, name| {
        let mut response = response.clone();
        response.as_object_mut().unwrap().remove(name);
        response
    };
    for name in ["id", "rawId", "type", "response"] {
        responses_are_malformed(&without(&create, name), &without(&get, name));
    }
    let changed = |response: &Value, pointer, value: Value| {
        let mut response = response.clone();
        *response.pointer_mut(pointer).unwrap() = value;
        response
    };
    for (pointer, value) in [
        ("/id", json!("AAAA")),
        ("/type", json!("password")),
        ("/response", json!([])),
        ("/response/clientDataJSON", json!("e30")),
        ("/response/clientDataJSON", json!("bnVsbA")),
        ("/response/clientDataJSON", json!("e30=")),
        ("/response/clientDataJSON", json!(7)),
    ] {
        let [create, get] = [&create, &get].map(|it| changed(it, pointer, value.clone()));
        responses_are_malformed(&create, &get);
    }
    responses_are_malformed(
        &changed(&create, "/response/attestationObject", json!("oA")),
        &changed(&get, "/response/authenticatorData", json!("AAAA")),
    );
    responses_are_malformed(
        &changed(&create, "/response/attestationObject", json!({})),
        &changed(&get, "/response/userHandle", json!("AAA=")),
    );
    responses_are_malformed(&Value::Null, &json!([]));
}

#[test]
fn responses_have_a_largest_size() {
    let (browser, passkey) = registered();
    for (bytes, is_refused) in [(14_000, false), (17_000, true)] {
        let (mut create, mut get) = (browser.create(), browser.get());
        for response in [&mut create, &mut get] {
            response["clientExtensionResults"]["largeBlob"] = "A".repeat(bytes).into();
        }
        let created = relying_party().verify_registration(&create, &challenge(), &handle());
        let used = relying_party().verify_login(&get, &challenge(), &passkey, ExpectedUser::Owner);
        assert_eq!(created == Err(PasskeyRefusal::TooLarge), is_refused, "{created:?}");
        assert_eq!(used == Err(PasskeyRefusal::TooLarge), is_refused, "{used:?}");
        assert_eq!(credential_id(&get).is_err(), is_refused);
    }
}
