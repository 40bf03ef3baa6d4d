//! Public keys of passkeys (`COSE_Key`, RFC 9052, section 7): whether signatures can be verified with them.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents,
};
use ciborium::Value;

use super::refusal::PasskeyRefusal;
use crate::domain::passkey::PasskeyAlgorithm;

/// Twice the size of the largest RSA key. The rest of the map would only fill rows.
const MAX_BYTES: usize = 2 * 1024;

/// Labels of a `COSE_Key` (RFC 9053, section 7; RFC 8230, section 4): two of all keys, the others by type.
const KEY_TYPE: i64 = 1;
const ALGORITHM: i64 = 3;
const CURVE: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
const MODULUS: i64 = -1;
const EXPONENT: i64 = -2;

/// Algorithm of a `COSE_Key`. A key with which no signature can be verified is refused; the library would find
/// that out at the first login. Imported passkeys need this check, too.
pub fn algorithm_of_key(key: &[u8]) -> Result<PasskeyAlgorithm, PasskeyRefusal> {
    let key = CoseKey::parse(key)?;
    let number = key.integer(ALGORITHM).ok_or(PasskeyRefusal::PublicKey("without an algorithm"))?;
    let algorithm = PasskeyAlgorithm::of_cose(number).ok_or(PasskeyRefusal::Algorithm(number))?;
    let parsed = match (algorithm, key.integer(KEY_TYPE), key.integer(CURVE)) {
        (PasskeyAlgorithm::Es256, Some(2), Some(1)) => {
            let (x, y) = (key.bytes(X)?, key.bytes(Y)?);
            // Together they could have the right length with another boundary between them.
            if (x.len(), y.len()) != (32, 32) {
                return Err(PasskeyRefusal::PublicKey("a coordinate is not of 32 bytes"));
            }
            ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, [&[0x04], x, y].concat())
        }
        (PasskeyAlgorithm::EdDsa, Some(1), Some(6)) => {
            ParsedPublicKey::new(&ED25519, key.bytes(X)?)
        }
        (PasskeyAlgorithm::Rs256, Some(3), _) => {
            let (n, e) = (key.bytes(MODULUS)?, key.bytes(EXPONENT)?);
            let unused = n.first().map_or(0, |first| first.leading_zeros() as usize);
            if !(2048..=8192).contains(&(n.len() * 8 - unused)) {
                return Err(PasskeyRefusal::PublicKey("the modulus is not of 2048 to 8192 bits"));
            }
            RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        }
        _ => return Err(PasskeyRefusal::PublicKey("type and algorithm contradict each other")),
    };
    parsed.map(|_| algorithm).map_err(|_| PasskeyRefusal::PublicKey("not a key of its algorithm"))
}

/// A CBOR map by integer labels. Of two values with one label the first counts, as for the library.
struct CoseKey(Vec<(Value, Value)>);

impl CoseKey {
    fn parse(key: &[u8]) -> Result<Self, PasskeyRefusal> {
        if key.len() > MAX_BYTES {
            return Err(PasskeyRefusal::PublicKey("too large"));
        }
        let mut rest = key;
        let Ok(Value::Map(map)) = ciborium::from_reader(&mut rest) else {
            return Err(PasskeyRefusal::PublicKey("not a map"));
        };
        // The library does not read further, so that two rows could hold one key.
        if !rest.is_empty() {
            return Err(PasskeyRefusal::PublicKey("bytes after the map"));
        }
        Ok(Self(map))
    }

    fn get(&self, label: i64) -> Option<&Value> {
        let found = self.0.iter().find(|(key, _)| key.as_integer() == Some(label.into()));
        found.map(|(_, value)| value)
    }

    fn integer(&self, label: i64) -> Option<i64> {
        self.get(label).and_then(Value::as_integer).and_then(|value| value.try_into().ok())
    }

    fn bytes(&self, label: i64) -> Result<&[u8], PasskeyRefusal> {
        let value = self.get(label).and_then(Value::as_bytes);
        value.map(Vec::as_slice).ok_or(PasskeyRefusal::PublicKey("a part is missing"))
    }
}
