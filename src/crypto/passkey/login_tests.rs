//! Tests of logins.

use super::test_fixtures::{BE, BS, Browser, Key, challenge, handle, registered, relying_party};
use super::{ExpectedUser, PasskeyRefusal};
use crate::crypto::encoding::base64url;
use crate::domain::passkey::{CredentialId, Passkey, PasskeyUse, UserHandle};

#[test]
fn backup_eligibility_never_changes() {
    let (mut browser, passkey) = registered();
    browser.flags &= !BS;
    assert_eq!(browser.log_in(&passkey), Ok(PasskeyUse { sign_count: 0, is_backed_up: false }));
    browser.flags &= !BE;
    assert_eq!(browser.log_in(&passkey), Err(PasskeyRefusal::BackupEligibilityChanged));
    browser.flags |= BS;
    assert_eq!(browser.log_in(&passkey), Err(PasskeyRefusal::BackedUpIneligibly));
    browser.flags &= !BS;
    let passkey = browser.register().unwrap();
    assert!(!passkey.is_backup_eligible && browser.log_in(&passkey).is_ok());
    browser.flags |= BE;
    assert_eq!(browser.log_in(&passkey), Err(PasskeyRefusal::BackupEligibilityChanged));
}

#[test]
fn counters_grow() {
    let (mut browser, mut passkey) = registered();
    for (stored, received, is_right) in
        [(0, 0, true), (0, 5, true), (5, 6, true), (5, 5, false), (5, 4, false), (5, 0, false)]
    {
        passkey.sign_count = stored;
        browser.counter = received;
        let expected = if is_right {
            Ok(PasskeyUse { sign_count: received, is_backed_up: true })
        } else {
            Err(PasskeyRefusal::Counter { stored, received })
        };
        assert_eq!(browser.log_in(&passkey), expected);
    }
}

#[test]
fn signatures_are_verified_before_counters() {
    let (mut browser, mut passkey) = registered();
    let other = Browser::new(Key::es256());
    assert_eq!(other.log_in(&passkey), Err(PasskeyRefusal::Signature));
    passkey.sign_count = 5;
    assert_eq!(other.log_in(&passkey), Err(PasskeyRefusal::Signature));

    passkey.sign_count = 0;
    browser.counter = 1;
    let mut response = browser.get();
    let mut data = browser.authenticator_data(0);
    data[36] = 2;
    response["response"]["authenticatorData"] = base64url(&data).into();
    let result =
        relying_party().verify_login(&response, &challenge(), &passkey, ExpectedUser::Owner);
    assert_eq!(result, Err(PasskeyRefusal::Signature));
}

#[test]
fn the_signed_client_data_cannot_be_replaced() {
    let (browser, passkey) = registered();
    let mut other = Browser::new(Key::es256());
    other.client_data["future"] = 2.into();
    let mut response = browser.get();
    response["response"]["clientDataJSON"] = other.get()["response"]["clientDataJSON"].clone();
    let result =
        relying_party().verify_login(&response, &challenge(), &passkey, ExpectedUser::Owner);
    assert_eq!(result, Err(PasskeyRefusal::Signature));
}

#[test]
fn passkeys_are_used_by_their_owner() {
    let other = UserHandle::parse(vec![43; 32]).unwrap();
    let handle = handle();
    let (mut browser, mut passkey) = registered();
    let log_in = |browser: &Browser, passkey: &Passkey, user| {
        relying_party().verify_login(&browser.get(), &challenge(), passkey, user).map(drop)
    };
    let (own, others) = (ExpectedUser::Account(&handle), ExpectedUser::Account(&other));
    assert_eq!(log_in(&browser, &passkey, ExpectedUser::Owner), Ok(()));
    assert_eq!(log_in(&browser, &passkey, own), Ok(()));
    assert_eq!(log_in(&browser, &passkey, others), Err(PasskeyRefusal::OtherUser));

    browser.user_handle = None;
    let nameless = log_in(&browser, &passkey, ExpectedUser::Owner);
    assert_eq!(nameless, Err(PasskeyRefusal::OtherUser));
    assert_eq!(log_in(&browser, &passkey, own), Ok(()));
    assert_eq!(log_in(&browser, &passkey, others), Err(PasskeyRefusal::OtherUser));

    for foreign in [other.as_bytes(), &[]] {
        browser.user_handle = Some(foreign.to_vec());
        for user in [ExpectedUser::Owner, own, others] {
            assert_eq!(log_in(&browser, &passkey, user), Err(PasskeyRefusal::OtherUser));
        }
    }

    browser.user_handle = Some(handle.as_bytes().to_vec());
    passkey.credential_id = CredentialId::parse(vec![8; 20]).unwrap();
    assert_eq!(log_in(&browser, &passkey, own), Err(PasskeyRefusal::OtherPasskey));
}
