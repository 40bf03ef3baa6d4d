//! Key ring: the key that signs access tokens, and all keys that verify them.
//!
//! A ring is immutable. Rotating or retiring a key makes a new ring that replaces the old one, so that a
//! request uses one set of keys from start to end.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::digest::sha256;
use super::encoding::base64url;
use super::key_pair::KeyPair;

#[derive(Debug)]
pub struct KeyRing {
    signing: Option<Arc<KeyPair>>,
    verifying: BTreeMap<String, Arc<KeyPair>>,
    jwks: Jwks,
}

/// The public keys as they are published.
#[derive(Clone, Debug)]
pub struct Jwks {
    /// The JWK Set (RFC 7517, section 5), as JSON.
    pub body: String,
    /// Strong entity tag with its quotes (RFC 9110, section 8.8.3); the same for the same keys.
    pub etag: String,
}

impl KeyRing {
    /// `signing` signs and verifies. `verifying` are former keys whose tokens are still valid, and next
    /// keys, which resource servers have to know before they sign.
    #[must_use]
    pub fn new(signing: Arc<KeyPair>, verifying: impl IntoIterator<Item = Arc<KeyPair>>) -> Self {
        let keys: Vec<_> = verifying.into_iter().chain([Arc::clone(&signing)]).collect();
        Self { signing: Some(signing), ..Self::verifying_only(keys) }
    }

    /// A ring without a key that signs.
    #[must_use]
    pub fn verifying_only(keys: impl IntoIterator<Item = Arc<KeyPair>>) -> Self {
        let keys = keys.into_iter();
        let verifying: BTreeMap<_, _> = keys.map(|key| (key.kid().to_owned(), key)).collect();
        // Ordered by `kid`, so that all replicas serve the same entity tag.
        let published: Vec<_> = verifying.values().map(|key| key.public_jwk()).collect();
        let body = json!({ "keys": published }).to_string();
        let etag = format!("\"{}\"", base64url(&sha256(body.as_bytes())[..16]));
        Self { signing: None, verifying, jwks: Jwks { body, etag } }
    }

    #[must_use]
    pub fn signing(&self) -> Option<&KeyPair> {
        self.signing.as_deref()
    }

    /// The key with this `kid`, if tokens that it signed are still accepted.
    #[must_use]
    pub fn verifying(&self, kid: &str) -> Option<&KeyPair> {
        self.verifying.get(kid).map(Arc::as_ref)
    }

    #[must_use]
    pub fn jwks(&self) -> &Jwks {
        &self.jwks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::test_fixtures;

    #[test]
    fn the_signing_key_verifies_too_and_a_stranger_does_not() {
        let [one, two, three] = test_fixtures::keys();
        let ring = KeyRing::new(Arc::clone(one), [Arc::clone(two)]);
        assert_eq!(ring.signing().unwrap().kid(), one.kid());
        assert!(ring.verifying(one.kid()).is_some());
        assert!(ring.verifying(two.kid()).is_some());
        assert!(ring.verifying(three.kid()).is_none());
        assert!(ring.verifying("").is_none());
    }

    #[test]
    fn a_ring_in_which_no_key_signs_verifies_all_the_same() {
        let [one, two, _] = test_fixtures::keys();
        let ring = KeyRing::verifying_only([Arc::clone(one)]);
        assert!(ring.signing().is_none());
        assert!(ring.verifying(one.kid()).is_some() && ring.verifying(two.kid()).is_none());
        assert_eq!(KeyRing::verifying_only([]).jwks().body, r#"{"keys":[]}"#);
    }

    #[test]
    fn the_same_keys_are_published_alike_whichever_signs() {
        let [one, two, three] = test_fixtures::keys();
        let a = KeyRing::new(Arc::clone(one), [Arc::clone(two), Arc::clone(two)]);
        let b = KeyRing::new(Arc::clone(two), [Arc::clone(one)]);
        assert_eq!(a.jwks().body, b.jwks().body);
        assert_eq!(a.jwks().etag, b.jwks().etag);
        let c = KeyRing::new(Arc::clone(one), [Arc::clone(two), Arc::clone(three)]);
        assert_ne!(a.jwks().etag, c.jwks().etag);
    }

    #[test]
    fn the_published_set_has_each_key_once() {
        let [one, two, _] = test_fixtures::keys();
        let ring = KeyRing::new(Arc::clone(one), [Arc::clone(one), Arc::clone(two)]);
        let set: serde_json::Value = serde_json::from_str(&ring.jwks().body).unwrap();
        assert_eq!(set["keys"].as_array().unwrap().len(), 2);
        assert!(ring.jwks().etag.starts_with('"') && ring.jwks().etag.ends_with('"'));
    }
}
