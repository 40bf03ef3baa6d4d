//! Comparison of the token scan with the parser.
//!
//! Both must take the same text for strings, block strings and comments. A bracket that only the scan
//! takes for quoted would not be counted.

use async_graphql::Value;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{DocumentOperations, Selection};
use proptest::prelude::*;

use super::text_limits::measure;
use super::{Limits, Refusal};

/// How deep brackets nest in `{f(a:[…])}`, as the parser reads it; `None` where it does not.
fn parsed(text: &str) -> Option<usize> {
    let document = parse_query(text).ok()?;
    let DocumentOperations::Single(operation) = document.operations else { return None };
    let Selection::Field(field) = &operation.node.selection_set.node.items[0].node else {
        return None;
    };
    let (_, value) = field.node.arguments.first()?;
    Some(2 + depth(&value.node.clone().into_const()?))
}

fn depth(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

fn scanned(text: &str) -> Result<usize, Refusal> {
    measure(text, &Limits::default()).map(|measured| measured.brackets)
}

#[test]
fn hard_cases_have_one_depth_for_both() {
    for (items, depth) in [
        ("", 3),
        (r#""[[[""#, 3),
        (r#""" [[[1]]] """#, 6),
        (r#""\"[[" [1]"#, 4),
        (r#""\\" [1] "\\[""#, 4),
        (r#""""[[[""""#, 3),
        (r#""""[" "" [ \""" [ """ [1]"#, 4),
        (r#""""\"""""" [1]"#, 4),
        (r#""""""" [1]"#, 4),
        (r#""""" [" """ [[1]]"#, 5),
        (r#""\\\"[" [1]"#, 4),
        (r#""é[" [1]"#, 4),
        ("# [[\" \n [1]", 4),
        ("# [[\" \r [1]", 4),
        ("# \"\"\" \r\n [1] # ]", 4),
        ("\"#\" [1]", 4),
        ("\"\"\"#\"\"\" [1]", 4),
        ("\"\"\"\n#\r\"\n\"\"\" [1]", 4),
        (r#""\u005B" [1]"#, 4),
        ("{a: [{b: 1}]} \u{feff} [1]", 6),
    ] {
        // With a line end, after a comment at the end.
        let text = format!("{{f(a:[{items}\n])}}");
        assert_eq!(parsed(&text), Some(depth), "the parser on {items:?}");
        assert_eq!(scanned(&text), Ok(depth), "the scan on {items:?}");
    }
}

#[test]
fn strings_that_the_parser_refuses_hide_no_brackets() {
    for items in [r#""\" [[["#, "\"a\n[[[\"", r#""""\""" [[["#, r#""\q [[["#, r#""\"#, "\"a\u{0}\""]
    {
        let text = format!("{{f(a:[{items}])}}");
        assert!(parse_query(&text).is_err() || items.contains('\0'), "the parser on {items:?}");
        assert!(scanned(&text).is_err(), "the scan on {items:?}");
    }
}

/// Texts from pieces of strings, comments and lists, valid or not.
fn items() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "\"\"", "\"a\"", "\"[\"", "\"#\"", "\"\"\"", "\"", "\\\"", "\\\\", "\\\"\"\"", "\\n", "[",
        "[", "]", "]", "[1]", "{a:1}", "#", "\n", "\r", " ", "1", "é",
    ]);
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn texts_that_the_parser_accepts_have_one_depth_for_both(items in items(), closing in 0_usize..4) {
        let text = format!("{{f(a:[{items}\n{}])}}", "]".repeat(closing));
        if let Some(parsed) = parsed(&text) {
            match scanned(&text) {
                Ok(scanned) => prop_assert_eq!(scanned, parsed),
                // The parser takes a block string that is not closed for an empty one and a string.
                Err(Refusal::OpenString(_)) => prop_assert!(text.contains("\"\"\"")),
                Err(refusal) => prop_assert!(false, "{refusal:?}"),
            }
        }
    }
}
