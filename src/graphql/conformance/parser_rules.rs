//! What a text says and the parser forgets: members of an object that are there twice (section
//! 5.6.3), and parentheses with nothing in them.
//!
//! Rule: one pass over a text that the parser took, by the tokens of `scan`.

use std::collections::HashSet;

use crate::graphql::refusal::Refusal;
use crate::graphql::syntax::tokens::{is_name, next_token, position};

/// A bracket that is open.
enum Open<'a> {
    /// An object, with the names of its members: every `{` within parentheses.
    Object(HashSet<&'a str>),
    Parenthesis,
    Other,
}

pub(in crate::graphql) fn check(text: &str) -> Result<(), Refusal> {
    let bytes = text.as_bytes();
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut parentheses: usize = 0;
    // The name before a colon, and whether a parenthesis has just been opened.
    let (mut name, mut is_empty) = (None, false);
    let mut at = 0;
    while let Some(token) = next_token(text, at)? {
        let (start, byte) = (token.start, bytes[token.start]);
        at = token.end;
        match byte {
            b'(' => {
                parentheses += 1;
                open.push(Open::Parenthesis);
            }
            b'{' if parentheses > 0 => open.push(Open::Object(HashSet::new())),
            b'{' | b'[' => open.push(Open::Other),
            b')' if is_empty => {
                let expected = "expected a name, these parentheses are empty".to_owned();
                return Err(Refusal::Syntax(expected, Some(position(text, start))));
            }
            b')' | b']' | b'}' => {
                if let Some(Open::Parenthesis) = open.pop() {
                    parentheses -= 1;
                }
            }
            b':' => {
                if let (Some(Open::Object(names)), Some((name, at))) = (open.last_mut(), name)
                    && !names.insert(name)
                {
                    let message = format!("The field \"{name}\" is in this object twice");
                    return Err(Refusal::Invalid(message, Some(position(text, at))));
                }
            }
            _ => {}
        }
        name = is_name(byte).then(|| (&text[start..at], start));
        is_empty = byte == b'(';
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::graphql::document::{Limits, prepare};

    #[test]
    fn a_member_is_in_its_object_once() {
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
    fn parentheses_hold_something() {
        for text in ["query() { f }", "query Q( # none\n ) { f }", "{ f() }", "{ f @d() }"] {
            assert!(prepare(text, None, &Limits::default()).is_err(), "{text}");
        }
    }
}
