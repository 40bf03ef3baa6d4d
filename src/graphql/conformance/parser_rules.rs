//! Rules of the grammar and of literals that the parser does not hold.
//!
//! Specification: GraphQL (September 2025), section 5.6.3: a field is in an input object once. Section
//! 2.6 and 2.10: the parentheses of arguments and of variable definitions are not empty.
//! The parser of async-graphql 7.2 keeps the last field of a name and drops the others, and it accepts
//! empty parentheses. The syntax tree shows neither.
//! Upstream: no upstream issue found (2026-11).
//! Remove when: `parse_query` refuses `{ f(a: { b: 1, b: 2 }) }` and `{ f() }`.
//!
//! The check is one pass over the tokens of a text that the parser accepted.

use std::collections::HashSet;

use crate::graphql::refusal::Refusal;
use crate::graphql::syntax::tokens::{is_name, next_token, position};

/// A bracket that is not closed yet.
enum OpenBracket<'a> {
    /// An input object, with the names of its fields: every `{` within parentheses.
    Object(HashSet<&'a str>),
    Parenthesis,
    Other,
}

pub(in crate::graphql) fn check(text: &str) -> Result<(), Refusal> {
    let bytes = text.as_bytes();
    let mut open: Vec<OpenBracket<'_>> = Vec::new();
    let mut parentheses: usize = 0;
    // The token before this one, if it is a name; and whether it is an opening parenthesis.
    let (mut name, mut follows_parenthesis) = (None, false);
    let mut at = 0;
    while let Some(token) = next_token(text, at)? {
        let (start, byte) = (token.start, bytes[token.start]);
        at = token.end;
        match byte {
            b'(' => {
                parentheses += 1;
                open.push(OpenBracket::Parenthesis);
            }
            b'{' if parentheses > 0 => open.push(OpenBracket::Object(HashSet::new())),
            b'{' | b'[' => open.push(OpenBracket::Other),
            b')' if follows_parenthesis => {
                let expected = "expected a name, but the parentheses are empty".to_owned();
                return Err(Refusal::Syntax(expected, Some(position(text, start))));
            }
            b')' | b']' | b'}' => {
                if let Some(OpenBracket::Parenthesis) = open.pop() {
                    parentheses -= 1;
                }
            }
            b':' => {
                if let (Some(OpenBracket::Object(names)), Some((name, at))) =
                    (open.last_mut(), name)
                    && !names.insert(name)
                {
                    let message = format!("The object has the field \"{name}\" twice.");
                    return Err(Refusal::invalid(message, position(text, at)));
                }
            }
            _ => {}
        }
        name = is_name(byte).then(|| (&text[start..at], start));
        follows_parenthesis = byte == b'(';
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::graphql::document::{Limits, prepare};

    #[test]
    fn a_field_is_in_its_input_object_once() {
        for (text, is_good) in [
            ("{ f(a: { b: 1, c: 2 }) }", true),
            ("{ f(a: { b: 1, b: 2 }) }", false),
            ("{ f(a: [{ b: { c: 1 } }, { b: { c: 1, d: 1, c: 1 } }]) }", false),
            ("{ f(a: [{ b: 1 }, { b: 1 }], c: { b: { b: 1 } }) }", true),
            ("query($v: I = { b: 1, b: 2 }) { f }", false),
            ("query @d(a: { b: 1, b: 2 }) { f }", false),
            // Responses may have a name twice.
            ("{ a: f a: f b { a: f(x: { a: 1 }) a: f(x: { a: 1 }) } }", true),
            ("{ f(a: { b: \"b: 1, b: 2\", c: \"\"\"b: {\"\"\" # b: 1\n }) }", true),
            ("{ f(a: { b: $b, c: b, d: 1 }) }", true),
        ] {
            assert_eq!(prepare(text, None, &Limits::default()).is_ok(), is_good, "{text}");
        }
    }

    #[test]
    fn parentheses_are_not_empty() {
        for text in ["query() { f }", "query Q( # none\n ) { f }", "{ f() }", "{ f @d() }"] {
            assert!(prepare(text, None, &Limits::default()).is_err(), "{text}");
        }
    }
}
