//! Hostile documents over HTTP, by POST and by GET: refused with their codes, without effect on the
//! process after ten thousand of them.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use super::corpus::{Hostile, documents};
use crate::api::service::Service;
use crate::databases::Database;
use crate::program::Process;

const MEDIA_TYPES: [(&str, StatusCode); 2] = [
    ("application/json", StatusCode::OK),
    ("application/graphql-response+json", StatusCode::BAD_REQUEST),
];

#[track_caller]
fn assert_refused(hostile: &Hostile, by: &str, answer: &Value) {
    let Hostile { name, code, .. } = hostile;
    assert_eq!(answer["errors"][0]["extensions"]["code"], *code, "{name} by {by}: {answer}");
    assert_eq!(answer.get("data"), None, "{name} by {by}: {answer}");
    assert!(answer["errors"].as_array().unwrap().len() <= 20, "{name}");
    assert!(answer.to_string().len() < 8_000, "{name}: {answer}");
}

#[tokio::test]
async fn every_hostile_document_is_refused_with_its_code_by_post_and_by_get() {
    let service = Service::start(&Database::sqlite(), "").await;
    for hostile in &documents() {
        for (media_type, status) in MEDIA_TYPES {
            let body = json!({ "query": hostile.document }).to_string();
            let post = Request::post("/graphql")
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::ACCEPT, media_type)
                .body(Body::from(body));
            let (found, answer) = service.call(post.unwrap()).await;
            assert_refused(hostile, "POST", &answer);
            assert_eq!(found, status, "{}", hostile.name);
            let address = format!("/graphql?query={}", encoded(&hostile.document));
            // A longer URL is refused for its length.
            if address.len() < 16_000 {
                let get = Request::get(address).header(header::ACCEPT, media_type);
                let (found, answer) = service.call(get.body(Body::empty()).unwrap()).await;
                assert_refused(hostile, "GET", &answer);
                assert_eq!(found, status, "{}", hostile.name);
            }
        }
    }
}

#[tokio::test]
async fn a_service_that_hides_its_schema_suggests_nothing() {
    let service = Service::start(&Database::sqlite(), "--introspection false").await;
    for document in ["{ __schema { types { name } } }", "{ __type(name: \"User\") { name } }"] {
        let (_, answer) = service.post(None, document, json!({})).await;
        assert!(!answer.to_string().contains("User"), "{answer}");
    }
    for document in ["{ viewr { id } }", "{ viewer { usernam } }", "{ node(idd: 1) { id } }"] {
        let (_, answer) = service.post(None, document, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
        let text = answer.to_string();
        for told in ["Did you mean", "viewer\\\"", "username", "viewerSession"] {
            assert!(!text.contains(told), "{told} in {text}");
        }
    }
}

/// Introspection queries of codegen and `GraphiQL` (graphql-js 16 and 17, all options on), and of
/// schemathesis (graphql-core), which selects fewer fields.
#[tokio::test]
async fn the_introspection_queries_of_the_tools_are_answered_in_full() {
    const TOOLS: &str = include_str!("../../../src/graphql/document/introspection.graphql");
    let service = Service::start(&Database::sqlite(), "").await;
    let answer = service.send(None, TOOLS, json!({})).await;
    assert!(answer["errors"].is_null(), "{answer:.500}");
    let types = answer["data"]["__schema"]["types"].as_array().unwrap();
    assert!(types.iter().any(|of| of["name"] == "LoginPayload"));
}

#[test]
fn ten_thousand_hostile_documents_leave_the_process_as_it_was() {
    let mut process = Process::start(&Database::sqlite(), "", &[]);
    let bodies: Vec<String> = documents()
        .iter()
        .map(|hostile| json!({ "query": hostile.document }).to_string())
        .collect();
    let mut connection = process.connect();
    let mut round = || {
        for body in &bodies {
            let answer = connection.post("", body);
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    };
    // Warms up the allocator and the caches.
    (0..20).for_each(|_| round());
    let before = process.resident();
    (0..10_000 / bodies.len()).for_each(|_| round());
    let after = process.resident();
    assert!(process.is_running());
    assert!(after < before + 4 * 1024, "{before} KiB before, {after} KiB after");
}

fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut all, byte| {
        if byte.is_ascii_alphanumeric() {
            all.push(byte.into());
        } else {
            write!(all, "%{byte:02X}").unwrap();
        }
        all
    })
}
