//! Limits of the text of a document: length, tokens and nesting of brackets.
//!
//! They are checked in one pass over the tokens, without recursion, before the parser reads the text.
//! The parser recurses on every nested value: two thousand `[` are four kilobytes, and overflow the
//! stack of the process.

use super::limits::Limits;
use crate::graphql::refusal::{Measure, Refusal};
use crate::graphql::syntax::tokens::{next_token, position};

/// Refuses a text that is over a limit, holds U+0000 or has a string that is not closed.
pub(super) fn check(text: &str, limits: &Limits) -> Result<(), Refusal> {
    measure(text, limits).map(|_| ())
}

/// Measures of a text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measured {
    /// Number of tokens. A string is one.
    pub(super) tokens: usize,
    /// Greatest nesting of brackets of any kind.
    pub(super) brackets: usize,
}

pub(super) fn measure(text: &str, limits: &Limits) -> Result<Measured, Refusal> {
    if text.len() > limits.bytes {
        return Err(Refusal::TooMuch(Measure::Bytes, limits.bytes));
    }
    if let Some(at) = text.find('\0') {
        return Err(Refusal::NulInText(position(text, at)));
    }
    let bytes = text.as_bytes();
    let mut measured = Measured::default();
    let mut open: usize = 0;
    let mut at = 0;
    while let Some(token) = next_token(text, at)? {
        match bytes[token.start] {
            // Kinds are not matched: the parser stops at a bracket that another kind closes.
            b'(' | b'[' | b'{' => {
                open += 1;
                measured.brackets = measured.brackets.max(open);
            }
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        measured.tokens += 1;
        if measured.tokens > limits.tokens {
            return Err(Refusal::TooMuch(Measure::Tokens, limits.tokens));
        }
        if measured.brackets > limits.brackets {
            return Err(Refusal::TooMuch(Measure::Brackets, limits.brackets));
        }
        at = token.end;
    }
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::Pos;

    fn measured(text: &str) -> Measured {
        measure(text, &Limits::default()).unwrap()
    }

    fn refused(text: &str) -> Refusal {
        check(text, &Limits::default()).unwrap_err()
    }

    #[test]
    fn tokens_are_counted_as_the_grammar_has_them() {
        assert_eq!(measured("query Q($a: [Int!]! = -1.5e-3) { a, b ...F }").tokens, 20);
        assert_eq!(measured("").tokens, 0);
        assert_eq!(measured("# nothing { ( [\r # here either\n ,, ").tokens, 0);
        assert_eq!(measured("[1-1 0.5 2e3 a]").tokens, 7);
        assert_eq!(measured(r#"["" "a" """b""" "]"]"#).tokens, 6);
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        for text in [
            r#"{ a(b: "[[[[{{{{((((") }"#,
            r#"{ a(b: "\"[[[[") }"#,
            r#"{ a(b: "\\") }"#,
            r#"{ a(b: """[[[[ " "" \""" [[[[ """) }"#,
            "{ a(b: 1) # [[[[[[\n }",
            "{ a(b: 1) # [[[[[[\r }",
        ] {
            assert_eq!(measured(text).brackets, 2, "{text}");
        }
    }

    #[test]
    fn brackets_after_a_string_or_comment_do_count() {
        for text in [
            r#"{ a(b: ["" [""]]) }"#,
            r#"{ a(b: ["\\" ["#,
            r#"{ a(b: ["""\\\""" """ ["#,
            "{ a(b: # \" \r [[",
            "{ a(b: # \"\"\" \n [[",
        ] {
            assert_eq!(measured(text).brackets, 4, "{text}");
        }
    }

    #[test]
    fn a_string_must_be_closed_on_its_line() {
        for text in [r#"{ a(b: "c"#, "{ a(b: \"c\n\")}", "{ a(b: \"c\r\")}", r#"{ a(b: "c\"#] {
            assert_eq!(refused(text), Refusal::OpenString(Pos { line: 1, column: 8 }), "{text}");
        }
        let block = refused("{\r\n a(é: \"\"\"c\n\" \\\"\"\" ) }");
        assert_eq!(block, Refusal::OpenString(Pos { line: 2, column: 7 }));
    }

    #[test]
    fn a_nul_is_refused_raw_and_escaped() {
        assert!(matches!(refused("{ a # \0\n }"), Refusal::NulInText(_)));
        assert!(matches!(refused(r#"{ a(b: "x\u0000") }"#), Refusal::NulInText(_)));
        check(r#"{ a(b: "x\\u0000") }"#, &Limits::default()).unwrap();
    }

    #[test]
    fn each_limit_is_exact() {
        let limits = Limits { bytes: 40, tokens: 10, brackets: 3, ..Limits::default() };
        check("{a(b:[c])}", &limits).unwrap();
        let refused = |text: &str| check(text, &limits).unwrap_err();
        assert_eq!(refused("{a(b:[c d])}"), Refusal::TooMuch(Measure::Tokens, 10));
        assert_eq!(refused("{a(b:[[])}"), Refusal::TooMuch(Measure::Brackets, 3));
        assert_eq!(refused(&" ".repeat(41)), Refusal::TooMuch(Measure::Bytes, 40));
    }
}
