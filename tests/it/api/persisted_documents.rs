//! Documents that requests need not send: by hash, or by the ID in a file of trusted documents.

use std::fmt::Write as _;
use std::io::Write as _;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use sallyport::domain::user::Role;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::service::Service;
use crate::databases::{Database, on_both};

on_both!(
    a_hash_stands_for_a_document_that_was_sent_with_it,
    a_mutation_does_not_run_by_get_with_its_hash,
    trusted_documents_run_by_their_ids,
    nothing_else_runs_where_only_trusted_documents_may,
    the_console_runs_where_only_trusted_documents_may,
    the_pages_of_links_run_where_only_trusted_documents_may,
    a_value_of_another_kind_is_refused_after_a_good_one,
);

const QUERY: &str = "query Type { __typename }";

fn hash(text: &str) -> String {
    let mut digits = String::new();
    for byte in sallyport::crypto::digest::sha256(text.as_bytes()) {
        write!(digits, "{byte:02x}").unwrap();
    }
    digits
}

fn persisted(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

async fn post(service: &Service, body: &Value) -> (StatusCode, Value) {
    let request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/graphql-response+json")
        .body(Body::from(body.to_string()));
    service.call(request.unwrap()).await
}

fn code(body: &Value) -> &str {
    body["errors"][0]["extensions"]["code"].as_str().unwrap_or("none")
}

async fn a_hash_stands_for_a_document_that_was_sent_with_it(database: Database) {
    let service = Service::start(&database, "").await;
    let alone = json!({ "extensions": persisted(&hash(QUERY)) });
    let (status, body) = post(&service, &alone).await;
    assert_eq!((status, code(&body)), (StatusCode::OK, "PERSISTED_QUERY_NOT_FOUND"));
    assert_eq!(body["errors"][0]["message"], "PersistedQueryNotFound");

    let wrong = json!({ "query": QUERY, "extensions": persisted(&hash("other")) });
    let (status, body) = post(&service, &wrong).await;
    assert_eq!((status, code(&body)), (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"));
    let unknown = json!({ "query": QUERY, "extensions": { "persistedQuery": { "version": 2 } } });
    assert_eq!(post(&service, &unknown).await.0, StatusCode::BAD_REQUEST);

    let both = json!({ "query": QUERY, "extensions": persisted(&hash(QUERY)) });
    for request in [&both, &alone, &alone] {
        let (status, body) = post(&service, request).await;
        assert_eq!((status, &body["data"]["__typename"]), (StatusCode::OK, &json!("Query")));
    }
    let extensions = persisted(&hash(QUERY)).to_string().replace('"', "%22");
    let extensions = extensions.replace('{', "%7B").replace('}', "%7D");
    let by_get = Request::get(format!("/graphql?extensions={extensions}")).body(Body::empty());
    let (status, body) = service.call(by_get.unwrap()).await;
    assert_eq!((status, &body["data"]["__typename"]), (StatusCode::OK, &json!("Query")));

    // What does not pass the checks is not stored.
    let broken = json!({ "query": "{ a", "extensions": persisted(&hash("{ a")) });
    assert_eq!(code(&post(&service, &broken).await.1), "GRAPHQL_PARSE_FAILED");
    let alone = json!({ "extensions": persisted(&hash("{ a")) });
    assert_eq!(code(&post(&service, &alone).await.1), "PERSISTED_QUERY_NOT_FOUND");
}

async fn a_mutation_does_not_run_by_get_with_its_hash(database: Database) {
    const LOGOUT: &str = "mutation { logout { endedCount } }";
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let both = json!({ "query": LOGOUT, "extensions": persisted(&hash(LOGOUT)) });
    assert_eq!(code(&post(&service, &both).await.1), "UNAUTHENTICATED");
    let extensions = persisted(&hash(LOGOUT)).to_string().replace('"', "%22");
    let extensions = extensions.replace('{', "%7B").replace('}', "%7D");
    let by_get = Request::get(format!("/graphql?extensions={extensions}"))
        .header(header::AUTHORIZATION, format!("Bearer {}", ada.access))
        .body(Body::empty());
    assert_eq!(service.call(by_get.unwrap()).await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(service.refusal(&ada.access).await, None);
}

/// A file with these documents, and the flags that name it.
fn manifest(text: &Value) -> (NamedTempFile, String) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.to_string().as_bytes()).unwrap();
    let flags = format!("--trusted-documents {}", file.path().display());
    (file, flags)
}

async fn trusted_documents_run_by_their_ids(database: Database) {
    let apollo = json!({ "format": "apollo-persisted-query-manifest", "version": 1,
        "operations": [{ "id": "abc", "name": "Type", "type": "query", "body": QUERY }] });
    for documents in [json!({ "abc": QUERY }), apollo] {
        let (_file, flags) = manifest(&documents);
        let service = Service::start(&database, &flags).await;
        for request in [
            json!({ "documentId": "abc" }),
            json!({ "doc_id": "abc", "variables": {} }),
            json!({ "id": "abc", "query": "" }),
            json!({ "extensions": persisted("abc") }),
            json!({ "query": QUERY, "extensions": persisted("abc") }),
            json!({ "query": "{ __typename }" }),
        ] {
            let (status, body) = post(&service, &request).await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(body["data"]["__typename"], "Query", "{request}: {body}");
        }
        let by_get = Request::get("/graphql?documentId=abc").body(Body::empty()).unwrap();
        assert_eq!(service.call(by_get).await.1["data"]["__typename"], "Query");
        let (status, body) = post(&service, &json!({ "documentId": "other" })).await;
        assert_eq!((status, code(&body)), (StatusCode::OK, "PERSISTED_QUERY_NOT_FOUND"));
    }
}

async fn nothing_else_runs_where_only_trusted_documents_may(database: Database) {
    let (_file, flags) = manifest(&json!({ "abc": QUERY }));
    let service = Service::start(&database, &format!("{flags} --trusted-documents-only")).await;
    for (request, expected) in [
        (json!({ "documentId": "abc" }), "none"),
        (json!({ "query": QUERY }), "none"),
        (json!({ "query": "{ __typename }" }), "FORBIDDEN"),
        (
            json!({ "query": "{ __typename }", "extensions": persisted(&hash("{ __typename }")) }),
            "FORBIDDEN",
        ),
        (json!({ "extensions": persisted(&hash("{ __typename }")) }), "PERSISTED_QUERY_NOT_FOUND"),
    ] {
        let (_, body) = post(&service, &request).await;
        assert_eq!(code(&body), expected, "{request}");
    }
}

async fn the_console_runs_where_only_trusted_documents_may(database: Database) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/console/dist/documents.json");
    let texts: Vec<String> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(texts.iter().any(|text| text.contains("mutation LogIn")));
    let (_file, flags) = manifest(&json!({ "abc": QUERY }));
    let flags = format!("{flags} --trusted-documents-only");
    let service = Service::start(&database, &flags).await;
    for text in &texts {
        let (_, body) = post(&service, &json!({ "query": text })).await;
        let refused = ["FORBIDDEN", "GRAPHQL_PARSE_FAILED", "QUERY_TOO_COMPLEX"];
        assert!(!refused.contains(&code(&body)), "{text}: {body}");
    }
    let without = Service::start(&database, &format!("{flags} --console false")).await;
    let (_, body) = post(&without, &json!({ "query": texts[0] })).await;
    assert_eq!(code(&body), "FORBIDDEN");
}

async fn the_pages_of_links_run_where_only_trusted_documents_may(database: Database) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/console/dist/account-documents.json");
    let texts: Vec<String> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(texts.iter().any(|text| text.contains("mutation ResetPassword")));
    let (_file, flags) = manifest(&json!({ "abc": QUERY }));
    let flags = format!("{flags} --trusted-documents-only --console false");
    let service = Service::start(&database, &flags).await;
    for text in &texts {
        let (_, body) = post(&service, &json!({ "query": text })).await;
        let refused = ["FORBIDDEN", "GRAPHQL_PARSE_FAILED", "QUERY_TOO_COMPLEX"];
        assert!(!refused.contains(&code(&body)), "{text}: {body}");
    }
}

async fn a_value_of_another_kind_is_refused_after_a_good_one(database: Database) {
    let service = Service::start(&database, "").await;
    const REFRESH: &str =
        "mutation($t: String!) { refresh(input: { refreshToken: $t }) { errors { code } } }";
    for (value, good) in
        [(json!("x"), true), (json!(5), false), (json!("y"), true), (json!(null), false)]
    {
        let body = json!({ "query": REFRESH, "variables": { "t": value } });
        let (status, answer) = post(&service, &body).await;
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_eq!(status == StatusCode::OK, good, "{answer}");
        assert_eq!(*code, if good { Value::Null } else { json!("BAD_USER_INPUT") }, "{answer}");
    }
}
