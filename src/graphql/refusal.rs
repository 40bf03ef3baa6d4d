//! Refusals of documents, as the client sees them: a code and one line.
//!
//! The parser's own message, which shows the text over five lines and names rules of its grammar, is
//! reduced to what it expected and the position.

use std::fmt;

use async_graphql::{ErrorExtensionValues, Pos, ServerError, parser};

/// Measure that has a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Bytes of the text.
    Bytes,
    /// Lexical tokens.
    Tokens,
    /// Nested brackets of any kind.
    Brackets,
    /// Nested selection sets.
    Nesting,
    /// Fields.
    Fields,
    /// Nested fields.
    Depth,
    /// Aliases.
    Aliases,
    /// Directives.
    Directives,
    /// Fields of introspection.
    IntrospectionFields,
    /// Nested fields of introspection.
    IntrospectionDepth,
    /// Nested lists of introspection.
    IntrospectionLists,
    /// Directives of introspection.
    IntrospectionDirectives,
    /// Values in the answer to introspection.
    Introspected,
    /// Nodes in the answer.
    Nodes,
    /// Lists in the answer.
    Lists,
    /// Values in the answer.
    Values,
    /// Mutations that hash a password or handle a token.
    CredentialMutations,
    /// Values in the variables.
    VariableValues,
    /// Nested lists and objects in the variables.
    VariableDepth,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "bytes",
            Self::Tokens => "tokens",
            Self::Brackets => "nested brackets",
            Self::Nesting => "nested selection sets",
            Self::Fields => "fields, with fragments expanded",
            Self::Depth => "nested fields",
            Self::Aliases => "aliases",
            Self::Directives => "directives",
            Self::IntrospectionFields => "introspection fields",
            Self::IntrospectionDepth => "nested introspection fields",
            Self::IntrospectionLists => "nested introspection lists",
            Self::IntrospectionDirectives => "introspection directives",
            Self::Introspected => "values of introspection. Query less of the schema at once",
            Self::Nodes => "nodes if every page is full. Use smaller pages (first, last)",
            Self::Lists => {
                "lists, counted once for each parent node. Use smaller pages (first, last)"
            }
            Self::Values => {
                "values if every page is full. Use smaller pages or select fewer fields"
            }
            Self::CredentialMutations => "mutation of passwords or tokens",
            Self::VariableValues => "values in the variables",
            Self::VariableDepth => "nested lists and objects in the variables",
        })
    }
}

/// Reason for which a request is not executed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More of something than its limit.
    #[error("The operation is too complex. The limit is {1} {0}.")]
    TooMuch(Measure, usize),
    /// A string that opens here is not closed.
    #[error("Syntax error: the string is not closed.")]
    OpenString(Pos),
    /// U+0000 in the text, or written as an escape: the database holds no such text.
    #[error("Syntax error: the character U+0000 is not allowed.")]
    NulInText(Pos),
    /// Not a GraphQL document.
    #[error("Syntax error: {0}.")]
    Syntax(String, Option<Pos>),
    /// Well formed, but not valid.
    #[error("{0}")]
    Invalid(String, Option<Pos>),
    /// A fragment that spreads itself, directly or through others.
    #[error("Fragment {0:?} spreads itself, directly or through other fragments.")]
    FragmentCycle(String, Pos),
    /// A spread of a fragment that is not defined.
    #[error("Unknown fragment {0:?}.")]
    NoSuchFragment(String, Pos),
    /// Several operations and no name to select one by.
    #[error("The document has several operations. Select one by operationName.")]
    OperationNameNeeded,
    /// No operation of the given name.
    #[error("The document has no operation named {0:?}.")]
    NoSuchOperation(String),
    /// A subscription over a transport that has one response only.
    #[error(
        "Subscriptions need a WebSocket (graphql-transport-ws) or the header Accept: text/event-stream."
    )]
    SubscriptionNotStreamed,
    /// A query or a mutation where only subscriptions run.
    #[error("The WebSocket executes only subscriptions. Send this operation by POST.")]
    SubscriptionsOnly,
    /// A hash or an ID of no known document. Clients recognize the message, and send the text with the
    /// hash.
    #[error("PersistedQueryNotFound")]
    DocumentNotFound,
    /// A document with the hash of another one.
    #[error("`extensions.persistedQuery` does not have the SHA-256 of this query.")]
    HashOfAnother,
    /// A document that is not trusted, where only trusted documents run.
    #[error("Only trusted documents are executed. Send the ID of a trusted document.")]
    DocumentNotTrusted,
    /// U+0000 in a variable.
    #[error("Variables must not contain the character U+0000.")]
    NulInVariables,
    /// A Non-Null variable that is null or not given: its name and its type.
    #[error("Variable \"${0}\" of type \"{1}\" requires a value.")]
    VariableNeeded(String, String),
}

impl Refusal {
    /// A rule of validation that is broken at this position.
    pub(super) fn invalid(message: impl Into<String>, at: Pos) -> Self {
        Self::Invalid(message.into(), Some(at))
    }

    /// The value of `extensions.code`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooMuch(..) => "QUERY_TOO_COMPLEX",
            Self::OpenString(_) | Self::NulInText(_) | Self::Syntax(..) => "GRAPHQL_PARSE_FAILED",
            Self::Invalid(..)
            | Self::FragmentCycle(..)
            | Self::NoSuchFragment(..)
            | Self::OperationNameNeeded
            | Self::NoSuchOperation(_)
            | Self::SubscriptionNotStreamed
            | Self::SubscriptionsOnly => "GRAPHQL_VALIDATION_FAILED",
            Self::DocumentNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::DocumentNotTrusted => "FORBIDDEN",
            Self::HashOfAnother | Self::NulInVariables | Self::VariableNeeded(..) => {
                "BAD_USER_INPUT"
            }
        }
    }

    /// Position in the document, if known.
    #[must_use]
    pub fn position(&self) -> Option<Pos> {
        match self {
            Self::OpenString(at)
            | Self::NulInText(at)
            | Self::FragmentCycle(_, at)
            | Self::NoSuchFragment(_, at) => Some(*at),
            Self::Syntax(_, at) | Self::Invalid(_, at) => *at,
            _ => None,
        }
    }
}

impl From<Refusal> for ServerError {
    fn from(refusal: Refusal) -> Self {
        let message = match refusal.position() {
            Some(at) => {
                let text = refusal.to_string();
                let text = text.trim_end_matches('.');
                format!("{text} (line {}, column {}).", at.line, at.column)
            }
            None => refusal.to_string(),
        };
        let mut error = Self::new(one_line(&message), refusal.position());
        error
            .extensions
            .get_or_insert_with(ErrorExtensionValues::default)
            .set("code", refusal.code());
        error
    }
}

impl From<parser::Error> for Refusal {
    fn from(error: parser::Error) -> Self {
        let at = error.positions().next();
        match error {
            parser::Error::Syntax { message, .. } => Self::Syntax(expectation(&message), at),
            parser::Error::RecursionLimitExceeded => Self::TooMuch(Measure::Nesting, 64),
            parser::Error::MultipleOperations { .. } => Self::Invalid(
                "An operation without a name must be the only operation.".to_owned(),
                at,
            ),
            parser::Error::OperationDuplicated { operation, .. } => {
                Self::Invalid(format!("Operation {:?} is defined twice.", operation.as_str()), at)
            }
            parser::Error::FragmentDuplicated { fragment, .. } => {
                Self::Invalid(format!("Fragment {:?} is defined twice.", fragment.as_str()), at)
            }
            _ => Self::Invalid("The document has no operation.".to_owned(), at),
        }
    }
}

/// The last line of the parser's message, with words instead of the names of grammar rules.
fn expectation(message: &str) -> String {
    match message.rsplit_once("= expected ") {
        Some((_, expected)) => {
            let words = expected.replace("EOI", "the end").replace('_', " ");
            format!("expected {words}")
        }
        // The only other message of the parser is about a number beyond 64 bits.
        None if message.starts_with("invalid number") => "the number is out of range".to_owned(),
        None => "the text is not a GraphQL document".to_owned(),
    }
}

/// Characters in a message.
const MAX_MESSAGE: usize = 300;

/// `text` on one line of at most 300 characters. Messages of parsers have several lines, and a message
/// that quotes the client may quote sixteen thousand characters.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MAX_MESSAGE));
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    for (index, word) in words.filter(|word| !word.is_empty()).enumerate() {
        if index > 0 {
            line.push(' ');
        }
        line.push_str(word);
    }
    if let Some((cut, _)) = line.char_indices().nth(MAX_MESSAGE) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::document::{Limits, prepare};

    fn code_and_message(text: &str) -> (String, String) {
        let error = ServerError::from(prepare(text, None, &Limits::default()).unwrap_err());
        let code = error.extensions.as_ref().and_then(|values| values.get("code")).cloned();
        (code.unwrap().to_string(), error.message)
    }

    #[test]
    fn a_syntax_error_is_one_line_with_its_position() {
        let (code, message) = code_and_message("{\n  a(b: }\n}");
        assert_eq!(code, "\"GRAPHQL_PARSE_FAILED\"");
        assert!(message.starts_with("Syntax error: expected "), "{message}");
        assert!(message.ends_with(" (line 2, column 8)."), "{message}");
        assert!(!message.contains('_') && !message.contains('^'), "{message}");
    }

    #[test]
    fn a_number_out_of_range_has_a_message_of_its_own() {
        let (_, message) = code_and_message("{ a(b: 1e999) }");
        assert_eq!(message, "Syntax error: the number is out of range (line 1, column 8).");
    }

    #[test]
    fn a_duplicate_definition_is_invalid_and_not_malformed() {
        for text in [
            "query A { a } query A { a }",
            "{ a } query A { a }",
            "{ ...F } fragment F on T { a } fragment F on T { b }",
            "fragment F on T { a }",
        ] {
            assert_eq!(code_and_message(text).0, "\"GRAPHQL_VALIDATION_FAILED\"", "{text}");
        }
    }

    #[test]
    fn a_name_that_the_client_gave_is_quoted_on_one_line() {
        let refusal = Refusal::NoSuchOperation("a\nb".repeat(1000));
        let message = ServerError::from(refusal).message;
        assert!(message.chars().count() <= 301);
        assert!(!message.contains('\n'));
    }

    #[test]
    fn lines_become_one_and_control_characters_are_removed() {
        assert_eq!(one_line(" a\n  b\r\n\u{1b}[31m c\u{0}d "), "a b [31m c d");
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let cut = one_line(&"é".repeat(1000));
        assert_eq!(cut.chars().count(), MAX_MESSAGE + 1);
        assert!(cut.ends_with("é…"));
        assert_eq!(one_line(&"x".repeat(MAX_MESSAGE)), "x".repeat(MAX_MESSAGE));
    }
}
