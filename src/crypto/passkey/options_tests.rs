//! Tests of the options that browsers get.

use serde_json::json;

use super::test_fixtures::{account, challenge, handle, registered, relying_party};
use crate::crypto::encoding::base64url;
use crate::domain::passkey::{Passkey, PasskeyTransports};

#[test]
fn options_have_the_form_that_browsers_parse() {
    let (_, passkey) = registered();
    let id = base64url(passkey.credential_id.as_bytes());
    let silent = Passkey { transports: PasskeyTransports::default(), ..passkey.clone() };
    let known = json!([
        { "type": "public-key", "id": id, "transports": ["hybrid", "internal"] },
        { "type": "public-key", "id": id },
    ]);
    let passkeys = [passkey, silent];
    let text = base64url(challenge().as_bytes());
    let handle = handle();
    let options = relying_party().registration_options(account(&handle), &challenge(), &passkeys);
    let expected = json!({
        "rp": { "id": "example.org", "name": "example.org" },
        "user": { "id": base64url(handle.as_bytes()), "name": "ada", "displayName": "Ada" },
        "challenge": text,
        "pubKeyCredParams": [
            { "type": "public-key", "alg": -7 },
            { "type": "public-key", "alg": -8 },
            { "type": "public-key", "alg": -257 },
        ],
        "timeout": 300_000,
        "attestation": "none",
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": true,
            "userVerification": "required",
        },
        "excludeCredentials": known,
    });
    assert_eq!(options, expected);

    let mut expected = json!({
        "challenge": text,
        "timeout": 300_000,
        "rpId": "example.org",
        "allowCredentials": [],
        "userVerification": "required",
    });
    assert_eq!(relying_party().login_options(&challenge(), &[]), expected);
    expected["allowCredentials"] = known;
    assert_eq!(relying_party().login_options(&challenge(), &passkeys), expected);
}
