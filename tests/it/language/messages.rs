//! Messages of errors and of the log, read from the sources.

use super::{is_sentence, riddle, words};
use crate::architecture::source::crate_sources;
use crate::architecture::tokens::{Token, split_tests, tokens};

/// Folders whose messages are checked.
const ROOMS: [&str; 3] = ["auth", "domain", "graphql"];

/// Calls and attributes whose texts reach a client or an operator as they are.
const MESSAGES: [&str; 7] =
    ["bad_input", "custom", "error", "forbidden", "invalid", "new", "not_now"];

#[test]
fn messages_are_plain() {
    let (mut faults, mut count) = (Vec::new(), 0);
    for source in &crate_sources() {
        let is_test = source.path.ends_with("_tests.rs") || source.path.contains("/tests/");
        if is_test || source.path.ends_with("test_fixtures.rs") {
            continue;
        }
        let all = tokens(&source.text);
        for (literal, is_message) in texts(&split_tests(&all).0) {
            let text = unescaped(literal.text);
            count += 1;
            let place = || format!("{}:{}: {text:?}", source.path, literal.line);
            if let Some(form) = riddle(&text) {
                faults.push(format!("{} has {form:?}", place()));
            } else if is_message && ROOMS.contains(&source.room()) && !is_sentence(&text) {
                faults.push(format!("{} is no sentence", place()));
            }
        }
    }
    assert!(count > 100, "{count}");
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// The string literals of at least three words, and whether each is a whole message.
fn texts<'a>(code: &[Token<'a>]) -> Vec<(Token<'a>, bool)> {
    let mut found = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for (at, token) in code.iter().enumerate() {
        let before = |n: usize| at.checked_sub(n).map_or("", |at| code[at].text);
        match token.text {
            "(" => open.push(match (before(2), before(1)) {
                (name @ ("format" | "panic" | "unreachable"), "!") => name,
                // A line of the log.
                (_, "!") => "log",
                (_, name) => name,
            }),
            ")" => _ = open.pop(),
            text if text.starts_with('"') && words(text).len() > 2 => {
                // Panics and lints are for developers; the schema's test reads descriptions.
                let is_for_developers =
                    ["expect", "panic", "unreachable"].iter().any(|name| open.contains(name))
                        || before(1) == "=" && ["desc", "reason"].contains(&before(2));
                // `const MESSAGE: &str = "…"`.
                let is_constant = before(5) == "MESSAGE";
                let call = open.iter().rev().find(|name| **name != "format");
                let is_message = is_constant || call.is_some_and(|name| MESSAGES.contains(name));
                if !is_for_developers {
                    found.push((*token, is_message));
                }
            }
            _ => {}
        }
    }
    found
}

/// The value of a string literal, as far as riddles go: on one line, without escapes of quotes.
fn unescaped(literal: &str) -> String {
    let text = literal.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let lines = text.unwrap_or(literal).split("\\\n").map(str::trim_start);
    lines.collect::<String>().replace("\\\"", "\"")
}

#[test]
fn messages_are_found_in_a_source() {
    let source = r#"
        const MESSAGE: &str = "This is a message.";
        fn f() -> Result<(), Error> {
            values.expect("values for the test");
            log!("somebody read a key", "with two words");
            Err(UserError::new(code, "There is none with this id"))
        }
    "#;
    let all = tokens(source);
    let found = texts(&all);
    let found: Vec<_> = found.iter().map(|(token, whole)| (token.text, *whole)).collect();
    let expected = [
        ("\"This is a message.\"", true),
        ("\"somebody read a key\"", false),
        ("\"with two words\"", false),
        ("\"There is none with this id\"", true),
    ];
    assert_eq!(found, expected);
}
