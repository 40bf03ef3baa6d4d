//! Test vectors of WebAuthn Level 3, section 16.

use serde_json::json;
use uuid::Uuid;

use super::test_fixtures::{assertion, handle, relying_party};
use super::{ExpectedUser, PasskeyChallenge, PasskeyRefusal, algorithm_of_key};
use crate::crypto::encoding::base64url;
use crate::domain::passkey::{CredentialId, Passkey, PasskeyTransports, PasskeyUse};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

fn challenge(text: &str) -> PasskeyChallenge {
    PasskeyChallenge::from_bytes(hex(text).try_into().unwrap())
}

/// Section 16.7, `packed.ES256`.
#[test]
fn a_published_login_is_accepted_with_an_imported_passkey() {
    let challenge = challenge("b1106fa46a57bef1781511c0557dc898a03413d5f0f17d244630c194c7e1adb5");
    let public_key = hex(
        "a50102032620012158201cf27f25da591208a4239c2e324f104f585525479a29edeedd830f48e77aeae5225820\
         59e4b7da6c0106e206ce390c93ab98a15a5ec3887e57f0cc2bece803b920c423",
    );
    let id = hex("c9a6f5b3462d02873fea0c56862234f99f081728084e511bb7760201a89054a5");
    let passkey = Passkey {
        credential_id: CredentialId::parse(id).unwrap(),
        user_handle: handle(),
        algorithm: algorithm_of_key(&public_key).unwrap(),
        public_key,
        sign_count: 0,
        is_backup_eligible: true,
        is_backed_up: true,
        aaguid: Uuid::nil(),
        transports: PasskeyTransports::default(),
    };
    let client_data = concat!(
        r#"{"type":"webauthn.get","challenge":"sRBvpGpXvvF4FRHAVX3ImKA0E9Xw8X0kRjDBlMfhrbU","#,
        r#""origin":"https://example.org","crossOrigin":false,"extraData":"clientDataJSON may be "#,
        r#"extended with additional fields in the future, such as this: AZMwyMxIbD8-uguFNp6r8Q"}"#
    );
    let response = assertion(
        passkey.credential_id.as_bytes(),
        client_data.as_bytes(),
        &hex("bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b50d00000000"),
        &hex(
            "30450220694969d3ee928de6f02ef23a9c644d7d779916451734a94b432542f498a1ebe90221008b0819c8\
             24218a97152cd099c55bfb1477b29d900a49a64018314f9bfccda163",
        ),
    );
    let handle = handle();
    let expected = ExpectedUser::Account(&handle);
    let used = relying_party().verify_login(&response, &challenge, &passkey, expected);
    assert_eq!(used, Ok(PasskeyUse { sign_count: 0, is_backed_up: false }));
}

/// Section 16.3, `packed-self.ES256`: an authenticator may attest itself though it was not asked to.
#[test]
fn a_published_registration_is_accepted() {
    let challenge = challenge("7869c2b772d4b58eba9378cf8f29e26cf935aa77df0da89fa99c0bdc0a76f7e5");
    let credential_id = hex("455ef34e2043a87db3d4afeb39bbcb6cc32df9347c789a865ecdca129cbef58c");
    let client_data = concat!(
        r#"{"type":"webauthn.create","challenge":"eGnCt3LUtY66k3jPjynibPk1qnffDaifqZwL3Ap29-U","#,
        r#""origin":"https://example.org","crossOrigin":false,"extraData":"clientDataJSON may be "#,
        r#"extended with additional fields in the future, such as this: U9hTXvKE2URkMnb_0xYHVg"}"#
    );
    let object = |signature: &str| {
        hex(&format!(
            "a363666d74667061636b65646761747453746d74a263616c67266373696758463044{signature}6861757468\
             4461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b55d00000000df85\
             0e09db6afbdfab51697791506cfc0020455ef34e2043a87db3d4afeb39bbcb6cc32df9347c789a865ecdca129c\
             bef58ca5010203262001215820eb151c8176b225cc651559fecf07af450fd85802046656b34c18f6cf193843c5\
             225820927b8aa427a2be1b8834d233a2d34f61f13bfd44119c325d5896e183fee484f2"
        ))
    };
    let id = base64url(&credential_id);
    let register = |signature| {
        let response = json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "response": {
                "clientDataJSON": base64url(client_data.as_bytes()),
                "attestationObject": base64url(object(signature)),
            },
        });
        relying_party().verify_registration(&response, &challenge, &handle())
    };
    let signature = "0220067a20754ab925005dbf378097c92120031581c73228d1fb4f5b881bcd7da9830220\
                     7fc7b147558c7c0eba3af18bd9d121fa3d3a26d17fe3f220272178f473b6006d";
    let passkey = register(signature).unwrap();
    assert_eq!(passkey.credential_id.as_bytes(), credential_id);
    assert_eq!(passkey.aaguid.as_bytes().as_slice(), hex("df850e09db6afbdfab51697791506cfc"));
    assert!(passkey.is_backup_eligible && passkey.is_backed_up);
    assert_eq!(passkey.transports, PasskeyTransports::default());
    assert_eq!(register(&signature.replace("006d", "006e")), Err(PasskeyRefusal::Signature));
}
