//! Sealing: authenticated encryption (AES-256-GCM) under one key.
//!
//! A sealed text is a version byte, the nonce, the ciphertext and the tag. Its context identifies the content
//! and its row; it is authenticated and not stored, so that sealed bytes that are copied to another row do not
//! open there.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::error::CryptoError;
use crate::entropy::{Entropy, random};

const VERSION: u8 = 1;

pub(super) struct SealingKey(LessSafeKey);

impl SealingKey {
    pub(super) fn new(bytes: &[u8; 32]) -> Result<Self, CryptoError> {
        let key = UnboundKey::new(&AES_256_GCM, bytes);
        let key = key.map_err(|_| CryptoError("creating the encryption key"))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    pub(super) fn seal(
        &self,
        context: &str,
        plain: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        let nonce: [u8; NONCE_LEN] = random(entropy);
        // Reserves the whole length: a reallocation would leave a copy of the plain text in memory.
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend(nonce);
        sealed.extend(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let (context, body) = (Aad::from(context.as_bytes()), &mut sealed[1 + NONCE_LEN..]);
        let tag = self.0.seal_in_place_separate_tag(nonce, context, body);
        sealed.extend(tag.map_err(|_| CryptoError("sealing"))?.as_ref());
        Ok(sealed)
    }

    /// `None` if another key or context sealed it, or the text was changed.
    pub(super) fn open(&self, context: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (&VERSION, sealed) = sealed.split_first()? else { return None };
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut plain = Zeroizing::new(ciphertext.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let context = Aad::from(context.as_bytes());
        let length = self.0.open_in_place(nonce, context, &mut plain).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }
}
