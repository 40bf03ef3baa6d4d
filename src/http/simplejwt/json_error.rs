//! Errors of JSON in the words of Python, which Django REST framework repeats.
//!
//! The usual errors have Python's text and position. Inside of a string, or where a text ends early, the position
//! may be another one.

use serde_json::Error;
use serde_json::error::Category;

const VALUE: &str = "Expecting value";
const NAME: &str = "Expecting property name enclosed in double quotes";
const COMMA: &str = "Expecting ',' delimiter";

/// Beginnings of the messages of `serde_json`, and Python's messages.
const MESSAGES: [(&str, &str); 10] = [
    ("trailing characters", "Extra data"),
    ("key must be a string", NAME),
    ("expected `:`", "Expecting ':' delimiter"),
    ("expected `,`", COMMA),
    ("invalid number", COMMA),
    ("EOF while parsing a string", "Unterminated string starting at"),
    ("control character", "Invalid control character at"),
    ("invalid escape", "Invalid \\escape"),
    ("lone leading surrogate", "Invalid \\escape"),
    ("unexpected end of hex escape", "Invalid \\escape"),
];

/// Describes the error of a body, without anything of its content.
pub(super) fn describe(error: &Error, body: &[u8]) -> String {
    let text = match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            let byte = body.get(at).copied().unwrap_or_default();
            return format!("'utf-8' codec can't decode byte 0x{byte:02x} in position {at}");
        }
    };
    // serde_json names the last byte of a text that ends early, Python the place after it.
    let offset = match error.classify() {
        Category::Eof => text.len(),
        _ => offset(error, text),
    };
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let (lines, column) = before.split_at(line_start);
    let line = lines.matches('\n').count() + 1;
    let column = column.chars().count() + 1;
    let reason = reason(error, before, text.as_bytes().get(offset).copied());
    format!("{reason}: line {line} column {column} (char {})", before.chars().count())
}

/// Place of an error in bytes, from its line and column.
fn offset(error: &Error, text: &str) -> usize {
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    let line_start: usize = lines.map(str::len).sum();
    line_start + error.column().saturating_sub(1)
}

/// `before`: the text before the error; `found`: the byte there.
fn reason(error: &Error, before: &str, found: Option<u8>) -> &'static str {
    let message = error.to_string();
    let is = |start: &str| message.starts_with(start);
    if let Some((_, reason)) = MESSAGES.iter().find(|(start, _)| is(start)) {
        return reason;
    }
    let last = before.trim_ascii_end().bytes().next_back();
    if is("trailing comma") && found == Some(b'}') || is("EOF") && last == Some(b'{') {
        NAME
    } else if is("EOF while parsing an object")
        || is("EOF while parsing a list") && last != Some(b'[')
    {
        COMMA
    } else {
        VALUE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn described(body: &[u8]) -> String {
        describe(&serde_json::from_slice::<Value>(body).unwrap_err(), body)
    }

    /// Texts and what Python 3.11 says about each.
    #[test]
    fn usual_errors_are_told_as_python_tells_them() {
        for (text, expected) in [
            ("broken", "Expecting value: line 1 column 1 (char 0)"),
            ("username=ada", "Expecting value: line 1 column 1 (char 0)"),
            (" ", "Expecting value: line 1 column 2 (char 1)"),
            ("[1,]", "Expecting value: line 1 column 4 (char 3)"),
            ("[,1]", "Expecting value: line 1 column 2 (char 1)"),
            ("[", "Expecting value: line 1 column 2 (char 1)"),
            ("[1\n,", "Expecting value: line 2 column 2 (char 4)"),
            ("{\"a\":", "Expecting value: line 1 column 6 (char 5)"),
            ("{\"a\":\n}", "Expecting value: line 2 column 1 (char 6)"),
            ("{\"\u{e9}\": x}", "Expecting value: line 1 column 7 (char 6)"),
            (
                "{\"username\":\"a\",\n \"password\": oops}",
                "Expecting value: line 2 column 14 (char 30)",
            ),
            ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
            (
                "{\n\n",
                "Expecting property name enclosed in double quotes: line 3 column 1 (char 3)",
            ),
            (
                "{a:1}",
                "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            ),
            (
                "{'a':1}",
                "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            ),
            (
                "{\"a\":1,}",
                "Expecting property name enclosed in double quotes: line 1 column 8 (char 7)",
            ),
            ("{\"a\" 1}", "Expecting ':' delimiter: line 1 column 6 (char 5)"),
            ("{\"a\":1", "Expecting ',' delimiter: line 1 column 7 (char 6)"),
            ("{\"a\":1 \"b\":2}", "Expecting ',' delimiter: line 1 column 8 (char 7)"),
            ("{\"a\":1]", "Expecting ',' delimiter: line 1 column 7 (char 6)"),
            ("{\"a\":01}", "Expecting ',' delimiter: line 1 column 7 (char 6)"),
            ("[1 2]", "Expecting ',' delimiter: line 1 column 4 (char 3)"),
            ("{\"a\":1} x", "Extra data: line 1 column 9 (char 8)"),
            ("{\"a\":1}\n\n}", "Extra data: line 3 column 1 (char 9)"),
        ] {
            assert_eq!(described(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn every_other_error_is_told_without_the_text() {
        for text in [
            "{\"secret\":\"secret",
            "{\"secret\":\"\\x\"}",
            "{\"secret\":\"\n\"}",
            "{\"secret\": secrat}",
            "{\"secret\":\"\\u12\"}",
            "{\"secret\":\"\\ud800\"}",
            "\u{feff}{\"secret\":1}",
            "nul",
            "-",
            "1e",
            "{\"secret\":1e999}",
            &"[".repeat(200),
            &"{\"secret\":".repeat(200),
        ] {
            let told = described(text.as_bytes());
            assert!(!told.contains("secr") && told.contains(": line "), "{text}: {told}");
        }
        let invalid = described(b"{\"username\":\"\xff\"}");
        assert_eq!(invalid, "'utf-8' codec can't decode byte 0xff in position 13");
    }
}
