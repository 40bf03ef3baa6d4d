//! Documents that requests name instead of sending their text: trusted documents by id, and automatic
//! persisted queries (APQ) by the SHA-256 hash of a text that was sent before.
//!
//! A document found here is checked like one that was sent; for example, a mutation runs by POST only.
//! Any client may store persisted queries, so their cache is bounded and holds only documents that
//! passed the checks.

use std::sync::Arc;

use super::rejection::Rejection;
use super::trusted_documents::TrustedDocuments;
use crate::bounded_cache::BoundedCache;
use crate::crypto::digest::sha256;
use crate::graphql::document::Refusal;

const MAX_CACHED: usize = 1000;

/// Bytes of all cached texts.
const MAX_CACHED_BYTES: usize = 4 * 1024 * 1024;

/// Names a document in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DocumentKey {
    /// The id of a trusted document.
    Id(String),
    /// `extensions.persistedQuery.sha256Hash`: a hash, or the id of a trusted document.
    Hash(String),
}

/// The text of the document of a request.
#[derive(Debug)]
pub(super) struct ResolvedDocument {
    pub(super) text: Arc<str>,
    /// The hash under which to store the text once it has passed the checks.
    hash: Option<[u8; 32]>,
}

#[derive(Debug)]
pub struct PersistedDocuments {
    trusted: TrustedDocuments,
    trusted_only: bool,
    /// Texts by their SHA-256.
    cache: BoundedCache<[u8; 32], Arc<str>>,
}

impl Default for PersistedDocuments {
    fn default() -> Self {
        Self::new(TrustedDocuments::default(), false)
    }
}

impl PersistedDocuments {
    /// With `trusted_only`, only trusted documents may be executed, and no persisted query is stored.
    #[must_use]
    pub fn new(trusted: TrustedDocuments, trusted_only: bool) -> Self {
        let weigh = |_: &[u8; 32], text: &Arc<str>| text.len();
        let cache = BoundedCache::weighted(MAX_CACHED, MAX_CACHED_BYTES, weigh);
        Self { trusted, trusted_only, cache }
    }

    /// The document of a request with this text, this key, or both.
    pub(super) fn resolve(
        &self,
        text: Option<String>,
        key: Option<DocumentKey>,
    ) -> Result<ResolvedDocument, Rejection> {
        let Some(text) = text else {
            let key = key.ok_or_else(|| Rejection::Malformed("`query` is missing.".to_owned()))?;
            let text = self.find(&key).ok_or(Refusal::DocumentNotFound)?;
            return Ok(ResolvedDocument { text, hash: None });
        };
        if self.trusted_only && !self.trusted.contains(&text) {
            return Err(Refusal::DocumentNotTrusted.into());
        }
        let hash = match key {
            Some(DocumentKey::Hash(hash)) if self.trusted.get(&hash).as_deref() != Some(&*text) => {
                let actual = sha256(text.as_bytes());
                if parse_hash(&hash) != Some(actual) {
                    return Err(Refusal::HashOfAnother.into());
                }
                Some(actual)
            }
            _ => None,
        };
        Ok(ResolvedDocument { text: text.into(), hash })
    }

    fn find(&self, key: &DocumentKey) -> Option<Arc<str>> {
        let (DocumentKey::Id(name) | DocumentKey::Hash(name)) = key;
        self.trusted.get(name).or_else(|| match key {
            DocumentKey::Hash(hash) if !self.trusted_only => {
                let hash = parse_hash(hash)?;
                self.cache.get(&hash)
            }
            _ => None,
        })
    }

    /// Stores a document that has passed the checks, if the request had its hash.
    pub(super) fn store(&self, document: &ResolvedDocument) {
        let Some(hash) = document.hash.filter(|_| !self.trusted_only) else { return };
        self.cache.insert(hash, Arc::clone(&document.text));
    }
}

/// Parses a SHA-256 hash in hexadecimal digits.
fn parse_hash(text: &str) -> Option<[u8; 32]> {
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

    fn hash(text: &str) -> DocumentKey {
        use std::fmt::Write;
        let mut digits = String::new();
        for byte in sha256(text.as_bytes()) {
            write!(digits, "{byte:02x}").unwrap();
        }
        DocumentKey::Hash(digits)
    }

    fn store(documents: &PersistedDocuments, text: &str) {
        documents.store(&documents.resolve(Some(text.to_owned()), Some(hash(text))).unwrap());
    }

    #[test]
    fn the_texts_used_longest_ago_make_room() {
        let documents = PersistedDocuments::default();
        store(&documents, "first");
        for number in 0..MAX_CACHED {
            assert!(documents.find(&hash("first")).is_some(), "{number}");
            store(&documents, &number.to_string());
        }
        assert!(documents.find(&hash("first")).is_some());
        assert!(documents.find(&hash("0")).is_none());
        assert_eq!(documents.cache.len(), MAX_CACHED);
    }

    #[test]
    fn texts_are_bounded_by_their_bytes_and_counted_once() {
        let documents = PersistedDocuments::default();
        for number in 0..=8 {
            for _ in 0..2 {
                store(&documents, &number.to_string().repeat(MAX_CACHED_BYTES / 8));
            }
        }
        assert_eq!(documents.cache.len(), 8);
        assert_eq!(documents.cache.weight(), MAX_CACHED_BYTES);
    }
}
