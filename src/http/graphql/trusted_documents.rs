//! Trusted documents, from a manifest file that the build of a front end writes.
//!
//! Two formats are read: that of Relay, an object from ids to texts, and that of Apollo, an object with
//! the name of its format and a list of operations. Every document is checked when the file is read, so
//! that a document that cannot be executed fails the start of the service and not a request of a user.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Deserialize;

use crate::graphql::document::{Limits, Refusal, one_line, prepare};

#[derive(Clone, Debug, Default)]
pub struct TrustedDocuments {
    by_id: HashMap<String, Arc<str>>,
    texts: HashSet<Arc<str>>,
}

/// Error of a manifest file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Neither of the two formats.
    #[error("expected an object of ids and documents (Relay) or an Apollo manifest: {0}")]
    Form(String),
    /// The format of Apollo in an unknown version.
    #[error("version {0} of the Apollo manifest is not supported; version 1 is")]
    Version(u64),
    #[error("the manifest has no documents")]
    Empty,
    /// Id of a document that would be refused, and the reason.
    #[error("the document {0} is invalid: {1}")]
    Document(String, String),
    /// Two different documents have this id.
    #[error("two documents have the id {0}")]
    Ambiguous(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Manifest {
    Apollo { format: Format, version: u64, operations: Vec<TrustedDocument> },
    Relay(HashMap<String, String>),
}

#[derive(Deserialize)]
enum Format {
    #[serde(rename = "apollo-persisted-query-manifest")]
    Apollo,
}

#[derive(Deserialize)]
struct TrustedDocument {
    id: String,
    body: String,
}

impl TrustedDocuments {
    /// Parses a manifest of either format.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, ManifestError> {
        let format_error =
            |error: serde_json::Error| ManifestError::Form(one_line(&error.to_string()));
        // First as JSON alone, whose errors have a position.
        let value: serde_json::Value = serde_json::from_str(text).map_err(format_error)?;
        let listed: Vec<_> = match serde_json::from_value(value).map_err(format_error)? {
            Manifest::Apollo { format: Format::Apollo, version: 1, operations } => {
                operations.into_iter().map(|operation| (operation.id, operation.body)).collect()
            }
            Manifest::Apollo { version, .. } => return Err(ManifestError::Version(version)),
            Manifest::Relay(documents) => documents.into_iter().collect(),
        };
        let mut trusted = Self::default();
        for (id, text) in listed {
            trusted.add(id, text, limits)?;
        }
        if trusted.by_id.is_empty() { Err(ManifestError::Empty) } else { Ok(trusted) }
    }

    fn add(&mut self, id: String, text: String, limits: &Limits) -> Result<(), ManifestError> {
        match prepare(&text, None, limits) {
            // A document with several operations is valid: a request names one of them.
            Ok(_) | Err(Refusal::OperationNameNeeded) => {}
            Err(refusal) => return Err(ManifestError::Document(id, refusal.to_string())),
        }
        let text: Arc<str> = text.into();
        match self.by_id.insert(id.clone(), Arc::clone(&text)) {
            Some(other) if other != text => return Err(ManifestError::Ambiguous(id)),
            _ => self.texts.insert(text),
        };
        Ok(())
    }

    /// Adds the documents of a page of this service, which have no ids.
    #[must_use]
    pub fn with_texts(mut self, texts: impl IntoIterator<Item = String>) -> Self {
        self.texts.extend(texts.into_iter().map(Arc::from));
        self
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<str>> {
        self.by_id.get(id).cloned()
    }

    /// Whether a document has exactly this text.
    pub(super) fn contains(&self, text: &str) -> bool {
        self.texts.contains(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APOLLO: &str = "apollo-persisted-query-manifest";

    fn read(text: &str) -> Result<TrustedDocuments, ManifestError> {
        TrustedDocuments::parse(text, &Limits::default())
    }

    #[test]
    fn both_forms_are_read() {
        let relay = read(r#"{ "abc": "query A { a }", "def": "{ b }" }"#).unwrap();
        assert_eq!(relay.get("abc").as_deref(), Some("query A { a }"));
        assert!(relay.contains("{ b }") && !relay.contains("{ c }") && relay.by_id.len() == 2);
        let apollo = format!(
            r#"{{ "format": "{APOLLO}", "version": 1, "operations": [
                {{ "id": "abc", "name": "A", "type": "query", "body": "query A {{ a }}" }} ] }}"#
        );
        assert_eq!(read(&apollo).unwrap().get("abc").as_deref(), Some("query A { a }"));
    }

    #[test]
    fn what_cannot_be_used_is_told_in_a_line() {
        for (text, told) in [
            ("", "expected an object"),
            ("[]", "expected an object"),
            (r#"{ "a": 1 }"#, "expected an object"),
            (r#"{ "format": "other", "version": 1, "operations": [] }"#, "expected an object"),
            (
                r#"{ "format": "apollo-persisted-query-manifest", "version": 2, "operations": [] }"#,
                "version 2",
            ),
            ("{}", "no documents"),
            (r#"{ "abc": "{ a" }"#, "the document abc is invalid: Syntax error"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains('\n'), "{text}: {error}");
        }
        let twice = read(&format!(
            r#"{{ "format": "{APOLLO}", "version": 1, "operations": [
                {{ "id": "a", "body": "{{ a }}" }}, {{ "id": "a", "body": "{{ b }}" }} ] }}"#
        ));
        assert_eq!(twice.unwrap_err(), ManifestError::Ambiguous("a".to_owned()));
    }
}
