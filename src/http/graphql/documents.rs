//! Where the text of an operation comes from: the request, a hash that it was sent with before, or
//! the id of a trusted document.
//!
//! Rule: a text that is found here is checked like one that was sent, on every transport: by its hash
//! a mutation runs by POST only. What anybody may store is bounded, and only what passed the checks
//! is stored.

use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;

use super::rejection::Rejection;
use super::trusted::TrustedDocuments;
use crate::crypto::digest::sha256;
use crate::graphql::document::Refusal;

/// The most texts that are stored by their hashes.
const MAX_STORED: usize = 1000;

/// The most bytes of such texts.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What stands for a document in a request, or beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// The id of a trusted document.
    Id(String),
    /// `extensions.persistedQuery.sha256Hash`: a hash, or the id of a trusted document.
    Hash(String),
}

/// A document that may run.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) text: Arc<str>,
    /// The hash to store it by, once it has passed the checks.
    hash: Option<[u8; 32]>,
}

/// The documents that requests need not send.
#[derive(Debug, Default)]
pub struct Documents {
    trusted: TrustedDocuments,
    trusted_only: bool,
    stored: Mutex<Stored>,
}

/// What was used longest ago goes first.
#[derive(Debug)]
struct Stored {
    texts: LruCache<[u8; 32], Arc<str>>,
    bytes: usize,
}

impl Default for Stored {
    fn default() -> Self {
        Self { texts: LruCache::unbounded(), bytes: 0 }
    }
}

impl Documents {
    /// These trusted documents; and, unless `only` they may run, any others.
    #[must_use]
    pub fn new(trusted: TrustedDocuments, only: bool) -> Self {
        Self { trusted, trusted_only: only, stored: Mutex::default() }
    }

    /// The document that a request asks for.
    pub(super) fn find(&self, text: Option<String>, key: Option<Key>) -> Result<Found, Rejection> {
        let Some(text) = text else {
            let key = key.ok_or_else(|| Rejection::Malformed("`query` is missing".to_owned()))?;
            let text = self.named(&key).ok_or(Refusal::DocumentNotFound)?;
            return Ok(Found { text, hash: None });
        };
        if self.trusted_only && !self.trusted.holds(&text) {
            return Err(Refusal::DocumentNotTrusted.into());
        }
        let hash = match key {
            Some(Key::Hash(hash)) if self.trusted.get(&hash).as_deref() != Some(&*text) => {
                let own = sha256(text.as_bytes());
                if read_hash(&hash) != Some(own) {
                    return Err(Refusal::HashOfAnother.into());
                }
                Some(own)
            }
            _ => None,
        };
        Ok(Found { text: text.into(), hash })
    }

    fn named(&self, key: &Key) -> Option<Arc<str>> {
        let (Key::Id(name) | Key::Hash(name)) = key;
        self.trusted.get(name).or_else(|| match key {
            Key::Hash(hash) if !self.trusted_only => {
                let hash = read_hash(hash)?;
                self.lock().texts.get(&hash).cloned()
            }
            _ => None,
        })
    }

    /// Stores a document that has passed the checks, where it came with its hash.
    pub(super) fn keep(&self, found: &Found) {
        let Some(hash) = found.hash.filter(|_| !self.trusted_only) else { return };
        let mut stored = self.lock();
        if stored.texts.put(hash, Arc::clone(&found.text)).is_none() {
            stored.bytes += found.text.len();
        }
        while stored.texts.len() > MAX_STORED || stored.bytes > MAX_BYTES {
            let Some((_, text)) = stored.texts.pop_lru() else { break };
            stored.bytes -= text.len();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// SHA-256 in hexadecimal digits.
fn read_hash(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> Key {
        use std::fmt::Write;
        let mut digits = String::new();
        for byte in sha256(text.as_bytes()) {
            write!(digits, "{byte:02x}").unwrap();
        }
        Key::Hash(digits)
    }

    fn store(documents: &Documents, text: &str) {
        documents.keep(&documents.find(Some(text.to_owned()), Some(hash(text))).unwrap());
    }

    #[test]
    fn the_texts_used_longest_ago_make_room() {
        let documents = Documents::default();
        store(&documents, "first");
        for number in 0..MAX_STORED {
            assert!(documents.named(&hash("first")).is_some(), "{number}");
            store(&documents, &number.to_string());
        }
        assert!(documents.named(&hash("first")).is_some());
        assert!(documents.named(&hash("0")).is_none());
        assert_eq!(documents.lock().texts.len(), MAX_STORED);
    }

    #[test]
    fn texts_are_bounded_by_their_bytes_and_counted_once() {
        let documents = Documents::default();
        for number in 0..=8 {
            for _ in 0..2 {
                store(&documents, &number.to_string().repeat(MAX_BYTES / 8));
            }
        }
        assert_eq!(documents.lock().texts.len(), 8);
        assert_eq!(documents.lock().bytes, MAX_BYTES);
    }
}
