//! Responses: status, media type, members and their order.

use super::*;

/// Documents and variables that are refused before execution, with the error code.
fn request_errors() -> [(&'static str, Value, &'static str); 9] {
    [
        ("{", json!({}), "GRAPHQL_PARSE_FAILED"),
        ("", json!({}), "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("query A { hello } query B { hello }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...F }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { ticks }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("mutation { login ... { login } }", json!({}), "QUERY_TOO_COMPLEX"),
        ("query($n: Int!) { small(number: $n) }", json!({}), "BAD_USER_INPUT"),
        ("query($n: String) { hello(name: $n) }", json!({ "n": "\0" }), "BAD_USER_INPUT"),
    ]
}

#[tokio::test]
async fn a_request_error_has_no_data_and_is_400_under_graphql_response_json() {
    for (query, variables, code) in request_errors() {
        let answer = ask(GRAPHQL_RESPONSE, query, variables).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.code(), code, "{query}: {}", answer.text);
        assert_eq!(answer.body.get("data"), None, "{query}");
    }
}

#[tokio::test]
async fn a_request_error_has_no_data_and_is_200_under_application_json() {
    for (query, variables, code) in request_errors() {
        let answer = ask(JSON, query, variables).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}");
        assert_eq!(answer.code(), code, "{query}: {}", answer.text);
        assert_eq!(answer.body.get("data"), None, "{query}");
    }
}

#[tokio::test]
async fn what_ran_is_200_with_data_even_where_data_is_null() {
    for accept in [JSON, GRAPHQL_RESPONSE] {
        let partial = ask(accept, "{ hello refused }", json!({})).await;
        assert_eq!(partial.status, StatusCode::OK);
        assert_eq!(partial.body["data"], json!({ "hello": "hello you", "refused": null }));
        assert_eq!(partial.body["errors"][0]["path"], json!(["refused"]));

        let nothing = ask(accept, "{ needed }", json!({})).await;
        assert_eq!(nothing.status, StatusCode::OK);
        assert_eq!(nothing.body.get("data"), Some(&Value::Null));
    }
}

#[tokio::test]
async fn the_answer_has_the_media_type_that_was_asked_for() {
    for query in ["{ hello }", "{"] {
        let json = ask("*/*", query, json!({})).await;
        assert_eq!(json.header("content-type"), Some("application/json; charset=utf-8"));
        let graphql_response = ask(GRAPHQL_RESPONSE, query, json!({})).await;
        assert_eq!(
            graphql_response.header("content-type"),
            Some("application/graphql-response+json; charset=utf-8")
        );
    }
}

#[tokio::test]
async fn fields_stand_in_the_order_in_which_they_were_asked_for() {
    let answer = ask(JSON, "{ slow point { y x } refused b: caller a: caller }", json!({})).await;
    let data =
        r#"{"data":{"slow":1,"point":{"y":2,"x":1},"refused":null,"b":"somebody","a":"somebody"},"#;
    assert!(answer.text.starts_with(data), "{}", answer.text);
}

#[tokio::test]
async fn cookies_of_resolvers_are_sent_and_caching_is_not_theirs_to_allow() {
    let answer = ask(JSON, "{ cookie }", json!({})).await;
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    let caching: Vec<_> = answer.headers.get_all("cache-control").iter().collect();
    assert_eq!(caching, ["no-store"]);
}

#[tokio::test]
async fn the_standard_introspection_query_is_answered() {
    let query = include_str!("../../../graphql/document/introspection.graphql");
    let answer = ask(JSON, query, json!({})).await;
    assert_eq!(answer.body.get("errors"), None, "{}", answer.text);
    assert_eq!(answer.body["data"]["__schema"]["queryType"]["name"], "Query");
}
