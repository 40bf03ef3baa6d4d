//! Tests of registrations.

use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, RsaKeyPair};
use uuid::Uuid;

use super::PasskeyRefusal;
use super::test_fixtures::{BE, Browser, Key, challenge, handle, registered, relying_party};
use crate::domain::passkey::{
    CredentialId, Passkey, PasskeyAlgorithm, PasskeyTransports, PasskeyUse,
};

#[test]
fn passkeys_of_every_algorithm_are_registered_and_used() {
    let ed25519 = Key::EdDsa(Ed25519KeyPair::generate().unwrap());
    let rsa = Key::Rs256(RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
    for (key, algorithm) in [
        (Key::es256(), PasskeyAlgorithm::Es256),
        (ed25519, PasskeyAlgorithm::EdDsa),
        (rsa, PasskeyAlgorithm::Rs256),
    ] {
        let browser = Browser::new(key);
        let passkey = browser.register().unwrap();
        let expected = Passkey {
            credential_id: CredentialId::parse(vec![9; 20]).unwrap(),
            user_handle: handle(),
            public_key: browser.public_key.clone(),
            algorithm,
            sign_count: 0,
            is_backup_eligible: true,
            is_backed_up: true,
            aaguid: Uuid::from_bytes([0xaa; 16]),
            transports: PasskeyTransports::of_words(["hybrid", "internal"]),
        };
        assert_eq!(passkey, expected);
        let stored = Passkey::of_columns(passkey.columns()).unwrap();
        assert_eq!(browser.log_in(&stored), Ok(PasskeyUse { sign_count: 0, is_backed_up: true }));
    }
}

#[test]
fn the_first_counter_is_stored() {
    let mut browser = Browser::new(Key::es256());
    browser.counter = 1;
    assert_eq!(browser.register().unwrap().sign_count, 1);
}

#[test]
fn the_id_is_the_one_that_the_authenticator_attests() {
    let (browser, _) = registered();
    let mut response = browser.create();
    for name in ["id", "rawId"] {
        response[name] = "AAAA".into();
    }
    let refused = relying_party().verify_registration(&response, &challenge(), &handle());
    assert_eq!(refused, Err(PasskeyRefusal::OtherPasskey));
}

#[test]
fn a_backup_needs_eligibility() {
    let mut browser = Browser::new(Key::es256());
    browser.flags &= !BE;
    assert_eq!(browser.register(), Err(PasskeyRefusal::BackedUpIneligibly));
}

#[test]
fn extensions_of_authenticators_are_passed_over() {
    let (mut browser, passkey) = registered();
    browser.extensions = b"\xa1\x6bcredProtect\x03";
    assert_eq!(browser.register().unwrap(), passkey);
    browser.log_in(&passkey).unwrap();
    browser.extensions = b"\xa1\x6bcredProtect";
    assert!(matches!(browser.register(), Err(PasskeyRefusal::Malformed(_))));
}

#[test]
fn credential_ids_have_a_length() {
    let mut browser = Browser::new(Key::es256());
    for (length, is_right) in [(0, false), (1, true), (1023, true), (1024, false)] {
        browser.id = vec![1; length];
        assert_eq!(browser.register().is_ok(), is_right, "{length}");
    }
}

#[test]
fn algorithms_and_keys_are_checked_at_registration() {
    let mut browser = Browser::new(Key::es256());
    browser.public_key[4] = 0x25;
    assert_eq!(browser.register(), Err(PasskeyRefusal::Algorithm(-6)));
    browser.public_key[4] = 0x27;
    assert!(matches!(browser.register(), Err(PasskeyRefusal::PublicKey(_))));
}
