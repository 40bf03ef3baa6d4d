//! The documents that were prepared a moment ago: front ends send the same few again and again.
//!
//! Rule: remembered is what holds for every request with the same text and operation: what was
//! prepared of it, and how it was judged by the schema where variables do not decide. Only what could
//! be prepared is remembered, up to a bound in bytes of text.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Limits, Prepared, Refusal, prepare};
use crate::bounded_cache::BoundedCache;

/// The most bytes of texts. What a text is parsed to is about twenty times as large.
const MAX_BYTES: usize = 256 * 1024;

/// Prepares documents within its limits, each one once for as long as it is remembered.
#[derive(Debug)]
pub struct PreparedDocuments {
    limits: Limits,
    /// By the name of the operation and the text.
    cache: BoundedCache<String, Arc<Prepared>>,
}

impl PreparedDocuments {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let cache = BoundedCache::weighted(usize::MAX, MAX_BYTES, |key: &String, _| key.len());
        Self { limits, cache }
    }

    /// What documents may hold.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// See [`prepare`].
    ///
    /// # Errors
    /// See [`prepare`].
    pub fn prepare(&self, text: &str, name: Option<&str>) -> Result<Arc<Prepared>, Refusal> {
        // No name has a NUL in it, so no name and text run into those of another.
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

    fn documents() -> PreparedDocuments {
        PreparedDocuments::new(Limits::default())
    }

    #[test]
    fn the_same_document_is_prepared_once() {
        let documents = documents();
        let first = documents.prepare("{ a }", None).unwrap();
        assert!(Arc::ptr_eq(&first, &documents.prepare("{ a }", None).unwrap()));
        assert!(!Arc::ptr_eq(&first, &documents.prepare("{ b }", None).unwrap()));
    }

    #[test]
    fn another_operation_of_the_same_text_is_another_document() {
        let documents = documents();
        let text = "query A { a } mutation B { b }";
        let prepared = |name| documents.prepare(text, Some(name)).unwrap().operation_type();
        assert_ne!(prepared("A"), prepared("B"));
        assert!(documents.prepare(text, None).is_err());
        assert_ne!(prepared("A"), prepared("B"));
    }

    #[test]
    fn what_is_refused_is_not_remembered() {
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
