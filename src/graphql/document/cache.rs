//! LRU cache of prepared operations: front ends send the same few documents again and again.
//!
//! An entry holds for every request with the same text and operation name. Documents that are refused
//! are not kept. The bound is in bytes of text.

use std::borrow::Cow;
use std::sync::Arc;

use super::credential_mutations;
use super::limits::Limits;
use super::prepared_operation::{PreparedOperation, prepare};
use crate::bounded_cache::BoundedCache;
use crate::graphql::refusal::Refusal;

/// Bytes of the texts. The syntax tree of a text is about twenty times as large.
const MAX_BYTES: usize = 256 * 1024;

/// Prepares operations within the limits, and keeps them.
#[derive(Debug)]
pub struct PreparedOperations {
    limits: Limits,
    /// By the name of the operation and the text.
    cache: BoundedCache<String, Arc<PreparedOperation>>,
}

impl PreparedOperations {
    /// An empty cache.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        // Read from the schema here, and not in the first request.
        credential_mutations::load();
        let cache = BoundedCache::weighted(usize::MAX, MAX_BYTES, |key: &String, _| key.len());
        Self { limits, cache }
    }

    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The operation of this text and name, prepared now or before.
    pub fn prepare(
        &self,
        text: &str,
        name: Option<&str>,
    ) -> Result<Arc<PreparedOperation>, Refusal> {
        // A separator that no name contains keeps names and texts apart.
        let key = match name {
            Some(name) => Cow::Owned([name, "\0", text].concat()),
            None => Cow::Borrowed(text),
        };
        if let Some(prepared) = self.cache.get(&*key) {
            return Ok(prepared);
        }
        let prepared = Arc::new(prepare(text, name, &self.limits)?);
        self.cache.insert(key.into_owned(), Arc::clone(&prepared));
        Ok(prepared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents() -> PreparedOperations {
        PreparedOperations::new(Limits::default())
    }

    #[test]
    fn the_same_document_is_prepared_once() {
        let documents = documents();
        let first = documents.prepare("{ a }", None).unwrap();
        assert!(Arc::ptr_eq(&first, &documents.prepare("{ a }", None).unwrap()));
        assert!(!Arc::ptr_eq(&first, &documents.prepare("{ b }", None).unwrap()));
    }

    #[test]
    fn another_operation_of_the_same_text_is_another_entry() {
        let documents = documents();
        let text = "query A { a } mutation B { b }";
        let prepared = |name| documents.prepare(text, Some(name)).unwrap().operation_type();
        assert_ne!(prepared("A"), prepared("B"));
        assert!(documents.prepare(text, None).is_err());
        assert_ne!(prepared("A"), prepared("B"));
    }

    #[test]
    fn a_refused_document_is_not_kept() {
        let documents = documents();
        assert!(documents.prepare("{", None).is_err());
        assert!(documents.prepare("{", None).is_err());
        assert!(documents.cache.is_empty());
    }

    #[test]
    fn texts_are_bounded_by_their_bytes() {
        let documents = documents();
        for number in 0..200 {
            let text = format!("{{ a{number} }} # {}", "x".repeat(2000));
            documents.prepare(&text, None).unwrap();
            documents.prepare(&text, None).unwrap();
        }
        let bytes = documents.cache.weight();
        assert!(bytes <= MAX_BYTES && bytes > MAX_BYTES - 2500);
    }
}
