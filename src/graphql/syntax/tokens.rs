//! Lexical tokens of a GraphQL document (GraphQL specification, section 2.1).
//!
//! The tokens are those of the parser's grammar: the same strings, block strings and comments. A
//! bracket must not be hidden in what only one of the two takes for a string.

use std::ops::Range;

use async_graphql::Pos;

use crate::graphql::refusal::Refusal;

/// Range of the first token from here on; not empty.
pub(in crate::graphql) fn next_token(
    text: &str,
    from: usize,
) -> Result<Option<Range<usize>>, Refusal> {
    let bytes = text.as_bytes();
    let mut start = from;
    loop {
        let Some(&byte) = bytes.get(start) else { return Ok(None) };
        let end = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                start += 1;
                continue;
            }
            b'#' => {
                start = skip_while(bytes, start, |byte| !matches!(byte, b'\n' | b'\r'));
                continue;
            }
            b'"' => string_end(text, start)?,
            b'.' if bytes[start..].starts_with(b"...") => start + 3,
            b'-' | b'0'..=b'9' => number_end(bytes, start),
            byte if is_name(byte) => skip_while(bytes, start, is_name),
            _ => start + 1,
        };
        return Ok(Some(start..end));
    }
}

/// Where the string that opens at `start` has ended. Only `\"""` is an escape in a block string;
/// `""` that no third quote follows is the empty string.
fn string_end(text: &str, start: usize) -> Result<usize, Refusal> {
    let bytes = text.as_bytes();
    if bytes[start..].starts_with(br#"""""#) {
        let mut at = start + 3;
        while at < bytes.len() {
            if bytes[at..].starts_with(br#"\""""#) {
                at += 4;
            } else if bytes[at..].starts_with(br#"""""#) {
                return Ok(at + 3);
            } else {
                at += 1;
            }
        }
        return Err(Refusal::OpenString(position(text, start)));
    }
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') if bytes[at..].starts_with(br"\u0000") => {
                return Err(Refusal::NulInText(position(text, at)));
            }
            // Which escapes there are is the parser's matter; none of them spans a line end.
            Some(b'\\') if !matches!(bytes.get(at + 1), None | Some(b'\n' | b'\r')) => at += 2,
            None | Some(b'\n' | b'\r' | b'\\') => {
                return Err(Refusal::OpenString(position(text, start)));
            }
            Some(_) => at += 1,
        }
    }
}

fn number_end(bytes: &[u8], start: usize) -> usize {
    let digits = |at| skip_while(bytes, at, |byte| byte.is_ascii_digit());
    let mut at = digits(start + 1);
    if bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
        at = digits(at + 1);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        at = digits(at + 1 + signed);
    }
    at
}

pub(in crate::graphql) fn is_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

fn skip_while(bytes: &[u8], start: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let rest = &bytes[start.min(bytes.len())..];
    start + rest.iter().position(|&byte| !belongs(byte)).unwrap_or(rest.len())
}

/// The line and column of a byte, from 1, columns in characters.
pub(in crate::graphql) fn position(text: &str, offset: usize) -> Pos {
    let before = &text[..offset];
    let line_start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let ends = before.matches('\n').count() + before.matches('\r').count()
        - before.matches("\r\n").count();
    Pos { line: ends + 1, column: before[line_start..].chars().count() + 1 }
}
