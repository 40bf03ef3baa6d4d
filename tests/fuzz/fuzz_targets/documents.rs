//! Limits of texts, the parser and the limits of complexity, with any text.
//!
//! A text within the limits must not overflow the stack of the parser, of the complexity walk or of
//! async-graphql's validation. A text that the parser accepts must not be refused for its syntax, and
//! its brackets must be counted as deep as the parser sees them nest.

#![no_main]

use std::sync::{Arc, LazyLock};

use async_graphql::parser::parse_query;
use async_graphql::{EmptyMutation, EmptySubscription, Json, Object, Schema, Variables};
use libfuzzer_sys::fuzz_target;
use sallyport::graphql::document::{Limits, Measure, Refusal, prepare};
use sallyport_fuzz::{depth, on_a_small_stack};
use serde_json::Value;

struct Query;

#[Object]
impl Query {
    async fn a(&self, a: Option<Json<Value>>) -> Query {
        drop(a);
        Query
    }

    async fn b(&self) -> i32 {
        1
    }
}

static SCHEMA: LazyLock<Schema<Query, EmptyMutation, EmptySubscription>> =
    LazyLock::new(|| Schema::new(Query, EmptyMutation, EmptySubscription));

/// Brackets that are no problem for the parser, however they nest.
const MAX_PARSED_BRACKETS: usize = 60;

fuzz_target!(|text: &str| {
    LazyLock::force(&SCHEMA);
    on_a_small_stack(|| {
        survives(text);
        if text.matches(['(', '[', '{']).count() <= MAX_PARSED_BRACKETS {
            agrees(text);
        }
    });
});

fn survives(text: &str) {
    if let Ok(prepared) = prepare(text, None, &Limits::default()) {
        let prepared = Arc::new(prepared);
        let request = prepared.request(Variables::default());
        let mut response = futures_executor::block_on(SCHEMA.execute(request));
        prepared.complete(&mut response);
        let _ = prepared.arguments_with_variables();
    }
}

fn agrees(text: &str) {
    let Ok(document) = parse_query(text) else { return };
    let unlimited =
        Limits { bytes: usize::MAX, tokens: usize::MAX, brackets: usize::MAX, ..Limits::default() };
    match prepare(text, None, &unlimited) {
        // The parser takes a block string that is not closed for an empty one and a string.
        Err(Refusal::OpenString(_)) => return assert!(text.contains("\"\"\""), "{text:?}"),
        Err(Refusal::NulInText(_)) => {
            return assert!(text.contains('\0') || text.contains("\\u0000"), "{text:?}");
        }
        // It also accepts empty parentheses.
        Err(Refusal::Syntax(why, _)) if why.contains("parentheses are empty") => {}
        Err(Refusal::TooMuch(Measure::Bytes | Measure::Tokens | Measure::Brackets, _))
        | Err(Refusal::Syntax(..)) => panic!("the parser takes this: {text:?}"),
        Ok(_) | Err(_) => {}
    }
    let depth = depth::of_document(&document);
    let tighter = Limits { brackets: depth.saturating_sub(1), ..unlimited };
    let refusal = prepare(text, None, &tighter).err();
    let counted = matches!(refusal, Some(Refusal::TooMuch(Measure::Brackets, _)));
    assert!(counted || depth == 0, "the parser sees {depth} brackets nest: {text:?}: {refusal:?}");
}
