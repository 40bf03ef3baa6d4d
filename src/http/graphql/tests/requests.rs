//! Well formed and malformed requests.

use super::*;
use axum::http::Method;
use axum::http::header::CONTENT_ENCODING;
use futures_util::stream;

use crate::http::server::ResponseTurn;

#[track_caller]
fn assert_hello(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, json!({ "data": { "hello": "hello Ada" } }));
}

#[track_caller]
fn assert_rejected(answer: &Answer, status: StatusCode) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.code(), "BAD_USER_INPUT");
    assert_eq!(answer.body.get("data"), None);
}

#[tokio::test]
async fn a_post_runs_the_named_operation_with_its_variables() {
    let body = json!({
        "query": "query A($n: String!) { hello(name: $n) } query B { caller }",
        "operationName": "A",
        "variables": { "n": "Ada" },
        "extensions": { "anything": 1 },
        "id": "unknown members are passed over",
    });
    assert_hello(&send(post(body.to_string())).await);
}

#[tokio::test]
async fn a_get_runs_the_named_operation_with_its_variables() {
    let request = get("query=query+A(%24n:String!)%7Bhello(name:%24n)%7Dquery%20B%7Bcaller%7D\
                       &operationName=A&variables=%7B%22n%22:%22Ada%22%7D&extensions=&other=1");
    assert_hello(&send(request).await);
}

#[tokio::test]
async fn null_and_an_empty_name_are_as_good_as_nothing() {
    let body = json!({
        "query": "{ hello(name: \"Ada\") }",
        "operationName": "",
        "variables": null,
        "extensions": null,
    });
    assert_hello(&send(post(body.to_string())).await);
    let request = get("query=%7Bhello(name:%22Ada%22)%7D&operationName=&variables=");
    assert_hello(&send(request).await);
}

#[tokio::test]
async fn what_the_caller_attaches_is_in_the_context() {
    let answer = ask(JSON, "{ caller }", json!({})).await;
    assert_eq!(answer.body["data"]["caller"], "somebody");
}

#[tokio::test]
async fn a_compressed_body_is_a_415_that_says_what_is_accepted() {
    let encoded = |encodings: &[&str]| {
        let mut request = post(r#"{"query":"{ hello(name: \"Ada\") }"}"#);
        for encoding in encodings {
            request.headers_mut().append(CONTENT_ENCODING, encoding.parse().unwrap());
        }
        request
    };
    for encodings in [&["gzip"][..], &["deflate"], &["br"], &["identity, zstd"], &["", "x"]] {
        let answer = send(encoded(encodings)).await;
        assert_rejected(&answer, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert!(answer.message().contains("Content-Encoding"), "{}", answer.message());
        assert_eq!(answer.header("accept-encoding"), Some("identity"));
    }
    for encodings in [&["identity"][..], &["Identity, identity"], &[""]] {
        assert_hello(&send(encoded(encodings)).await);
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_a_400() {
    for body in [
        &b""[..],
        b"{",
        b"null",
        b"\"{ hello }\"",
        b"[]",
        b"[{\"query\":\"{ hello }\"}]",
        b"[\"{ hello }\"]",
        b"query={hello}",
        b"{\"query\":\"\xff\"}",
        b"{\"query\":\"{ hello }\"} more",
    ] {
        for accept in [JSON, GRAPHQL_RESPONSE] {
            let answer = send(accepting(accept, post(body))).await;
            assert_rejected(&answer, StatusCode::BAD_REQUEST);
        }
    }
}

#[tokio::test]
async fn parameters_of_the_wrong_type_are_a_400() {
    for body in [
        json!({}),
        json!({ "query": null }),
        json!({ "query": 1 }),
        json!({ "query": ["{ hello }"] }),
        json!({ "query": "{ hello }", "operationName": 1 }),
        json!({ "query": "{ hello }", "variables": "{}" }),
        json!({ "query": "{ hello }", "variables": [] }),
        json!({ "query": "{ hello }", "extensions": [] }),
    ] {
        assert_rejected(&send(post(body.to_string())).await, StatusCode::BAD_REQUEST);
    }
    for parameters in [
        "",
        "operationName=A",
        "query=%7Bhello%7D&variables=%5B%5D",
        "query=%7Bhello%7D&variables=%7B",
        "query=%7Bhello%7D&extensions=1",
        "query=%7Bhello%7D&query=%7Bcaller%7D",
    ] {
        assert_rejected(&send(get(parameters)).await, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn only_json_bodies_are_read() {
    let body = json!({ "query": "{ hello(name: \"Ada\") }" }).to_string();
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a",
        "application/graphql",
        "application/jsonp",
    ] {
        let mut request = post(body.clone());
        request.headers_mut().insert(CONTENT_TYPE, content_type.parse().unwrap());
        assert_rejected(&send(request).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let mut request = post(body.clone());
    request.headers_mut().remove(CONTENT_TYPE);
    assert_rejected(&send(request).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);

    let mut request = post(body);
    request.headers_mut().insert(CONTENT_TYPE, "Application/JSON; charset=UTF-8".parse().unwrap());
    assert_hello(&send(request).await);
}

#[tokio::test]
async fn a_body_of_64_kb_is_read_and_a_larger_one_is_a_413() {
    let body = |length: usize| {
        let body = json!({ "query": "{ hello(name: \"Ada\") }" }).to_string();
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    assert_hello(&send(post(body(64 * 1024))).await);
    assert_rejected(&send(post(body(64 * 1024 + 1))).await, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_body_of_unknown_length_is_cut_off_as_well() {
    let chunks = stream::iter((0..100).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1024])));
    let answer = send(post(Body::from_stream(chunks))).await;
    assert_rejected(&answer, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_400() {
    let chunks = stream::iter([Ok(vec![b'{']), Err(std::io::Error::other("gone"))]);
    let answer = send(post(Body::from_stream(chunks))).await;
    assert_rejected(&answer, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn other_methods_are_a_405() {
    for method in [Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        let mut request = post(json!({ "query": "{ hello }" }).to_string());
        *request.method_mut() = method;
        let answer = send(request).await;
        assert_rejected(&answer, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.header("allow"), Some("GET, POST"));
    }
}

#[tokio::test]
async fn a_mutation_by_get_is_refused_with_405() {
    for parameters in [
        "query=mutation%7Blogin%7D",
        "query=mutation%20A%7Blogin%7D%20query%20B%7Bhello%7D&operationName=A",
        "query=subscription%7Bticks%7D",
    ] {
        let answer = send(get(parameters)).await;
        assert_rejected(&answer, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.header("allow"), Some("POST"));
    }
    let beside = "query=mutation%20A%7Blogin%7D%20query%20B%7Bhello%7D&operationName=B";
    assert_eq!(send(get(beside)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_accept_of_something_else_is_406() {
    let answer = ask("text/html", "{ hello }", json!({})).await;
    assert_rejected(&answer, StatusCode::NOT_ACCEPTABLE);
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
}

#[tokio::test]
async fn a_hash_without_its_document_makes_clients_send_the_document() {
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": "ab" } });
    let by_post = post(json!({ "extensions": extensions }).to_string());
    let by_get = get(
        "extensions=%7B%22persistedQuery%22:%7B%22version%22:1,%22sha256Hash%22:%22ab%22%7D%7D",
    );
    for request in [by_post, by_get] {
        let answer = send(accepting(GRAPHQL_RESPONSE, request)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.code(), "PERSISTED_QUERY_NOT_FOUND");
        assert_eq!(answer.message(), "PersistedQueryNotFound");
    }
    let both = json!({ "query": "{ hello(name: \"Ada\") }", "extensions": extensions });
    assert_eq!(send(post(both.to_string())).await.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_request_behind_answers_that_nobody_reads_is_told_to_try_again() {
    let mut request = post(json!({ "query": "{ hello }" }).to_string());
    request.extensions_mut().insert(ResponseTurn::of_stalled_connection());
    let answer = send(request).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
    assert_eq!(answer.code(), "SERVICE_UNAVAILABLE");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.body.get("data"), None);
}
