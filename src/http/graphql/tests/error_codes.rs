//! Codes of the errors of async-graphql, which have none and are recognized by their wording. These
//! tests fail if a new version of the library changes the wording.

use super::super::response_errors::sanitize;
use super::*;
use crate::graphql::document::prepare;

#[tokio::test]
async fn what_is_wrong_with_the_document_is_a_validation_error() {
    for query in [
        "{ nothing }",
        "{ hello { a } }",
        "{ point }",
        "{ hello(nothing: 1) }",
        "{ hello @nothing }",
        "{ small }",
        "{ hello(name: 1) }",
        "{ shift(by: { y: 1 }) }",
        "{ shift(by: { x: 1 }, color: GREEN) }",
        "{ ... on Nothing { hello } }",
        "fragment F on Query { hello } { hello }",
        "{ hello(name: $n) }",
        "query($n: String) { hello }",
        "query($n: String = 1) { hello(name: $n) }",
        "query($n: Nothing) { hello(name: $n) }",
        "{ hello hello: caller }",
    ] {
        let answer = ask(GRAPHQL_RESPONSE, query, json!({})).await;
        assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED", "{query}: {}", answer.text);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn a_bad_value_is_the_fault_of_the_variables_where_it_comes_from_one() {
    for (query, variables) in [
        ("query($n: Int!) { small(number: $n) }", json!({ "n": "1" })),
        ("query($n: Int!) { small(number: $n) }", json!({ "n": null })),
        ("query($n: Int!) { small(number: $n) }", json!({})),
        ("query($s: Shift!) { shift(by: $s) }", json!({ "s": {} })),
        ("query($s: Shift!) { shift(by: $s) }", json!({ "s": { "x": 1, "y": 1 } })),
        ("query($x: Int!) { shift(by: { x: $x }) }", json!({ "x": [1, 2] })),
        ("query($c: Color) { shift(by: { x: 1 }, color: $c) }", json!({ "c": "GREEN" })),
        ("query($b: Boolean!) { hello @skip(if: $b) }", json!({ "b": 1 })),
        (
            "query($n: String) { ...F } fragment F on Query { hello(name: $n) }",
            json!({ "n": { "a": 1 } }),
        ),
    ] {
        let answer = ask(GRAPHQL_RESPONSE, query, variables).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{query}: {}", answer.text);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn a_value_that_its_type_refuses_in_execution_is_bad_user_input() {
    for (query, message) in [
        ("{ hello even(number: 1) }", "Failed to parse \"Even\": this is odd"),
        ("{ hello even(number: \"2\") }", "Expected input type \"Even\""),
        ("{ hello small(number: 11) }", "Failed to parse \"Int\": "),
    ] {
        let answer = ask(GRAPHQL_RESPONSE, query, json!({})).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}");
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{query}: {}", answer.text);
        assert!(answer.message().starts_with(message), "{}", answer.message());
        assert_eq!(answer.body["data"]["hello"], "hello you");
    }
}

#[tokio::test]
async fn an_error_does_not_repeat_the_value_that_was_sent() {
    for (query, variables) in [
        ("{ even(number: \"canary\") }", json!({})),
        ("query($n: Even!) { even(number: $n) }", json!({ "n": ["canary"] })),
        ("query($s: Shift!) { shift(by: $s) }", json!({ "s": "canary" })),
        ("query($s: Shift!) { shift(by: $s) }", json!({ "s": [{ "x": "canary" }] })),
        ("{ shift(by: { x: 1 }, color: canary) }", json!({})),
        ("query($c: Color) { shift(by: { x: 1 }, color: $c) }", json!({ "c": "canary" })),
        ("query($n: String) { small(number: $n) }", json!({ "n": "canary" })),
        ("query($n: Int!) { small(number: $n) }", json!({ "n": "canary" })),
    ] {
        let answer = ask(GRAPHQL_RESPONSE, query, variables).await;
        assert!(answer.body["errors"].is_array(), "{query}: {}", answer.text);
        assert!(!answer.text.contains("canary"), "{query}: {}", answer.text);
    }
}

#[tokio::test]
async fn an_error_with_a_code_keeps_it_and_its_other_extensions() {
    let answer = ask(JSON, "{ refused }", json!({})).await;
    assert_eq!(answer.code(), "UNAUTHENTICATED");
    assert_eq!(answer.body["errors"][0]["extensions"]["reason"], "NO_TOKEN");
    assert!(answer.message().starts_with("axxx"));
}

/// The code of the first error where `schema` executes the text.
async fn code_of(schema: impl async_graphql::Executor, text: &str) -> async_graphql::Value {
    let prepared = prepare(text, None, &Limits::default()).unwrap();
    let mut answer = schema.execute(async_graphql::Request::new(text)).await;
    sanitize(&mut answer, &prepared, None);
    answer.errors[0].extensions.as_ref().unwrap().get("code").unwrap().clone()
}

#[tokio::test]
async fn limits_of_the_schema_itself_are_coded_like_ours() {
    let schema = || Schema::build(Query, Mutation, Ticks);
    let too_complex = code_of(schema().limit_complexity(1).finish(), "{ hello caller }").await;
    assert_eq!(too_complex, "QUERY_TOO_COMPLEX".into());
    let too_deep = code_of(schema().limit_depth(1).finish(), "{ point { x } }").await;
    assert_eq!(too_deep, "QUERY_TOO_COMPLEX".into());
}

#[tokio::test]
async fn a_mutation_is_a_validation_error_where_the_schema_has_none() {
    let schema = Schema::new(Query, async_graphql::EmptyMutation, Ticks);
    assert_eq!(code_of(schema, "mutation { login }").await, "GRAPHQL_VALIDATION_FAILED".into());
}

#[tokio::test]
async fn at_most_twenty_errors_are_told() {
    let answer = ask(JSON, "{ many { field } }", json!({})).await;
    assert_eq!(answer.body["errors"].as_array().unwrap().len(), 20);
    assert_eq!(answer.body["data"]["many"].as_array().unwrap().len(), 30);
    let unknown = "x ".repeat(30);
    let answer = ask(JSON, &format!("{{ {unknown} }}"), json!({})).await;
    assert_eq!(answer.body["errors"].as_array().unwrap().len(), 20);
    assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
}
