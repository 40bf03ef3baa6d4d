//! The pages: complete, without external resources, and only for requests that accept HTML.

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use serde_json::Value;

use crate::api::service::Service;
use crate::databases::Database;

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn get(service: &Service, path: &str) -> (StatusCode, HeaderMap) {
    let request = Request::get(path)
        .header(header::ACCEPT, BROWSER)
        .header(header::ACCEPT_ENCODING, "gzip, deflate, br, zstd");
    let response = service.answer(request.body(Body::empty()).expect("a request")).await;
    (response.status(), response.headers().clone())
}

#[tokio::test]
async fn a_browser_finds_graphiql_where_clients_find_graphql() {
    let database = Database::sqlite();
    let service = Service::start(&database, "").await;
    let (status, headers) = get(&service, "/graphql").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().expect("a text");
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(!policy.contains("http") && !policy.contains("unsafe-eval"), "{policy}");
    let answer = service.send(None, "{ __typename }", Value::Null).await;
    assert_eq!(answer["data"]["__typename"], "Query");
}

#[tokio::test]
async fn a_file_of_a_page_is_kept_and_one_that_is_not_there_is_not_found() {
    let database = Database::sqlite();
    let service = Service::start(&database, "").await;
    let (status, headers) = get(&service, "/graphiql/licenses.txt").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[header::CONTENT_ENCODING], "gzip");
    assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
    for path in ["/graphiql/none.js", "/graphiql/..%2f..%2fCargo.toml", "/graphiql/"] {
        assert_eq!(get(&service, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn who_does_not_accept_gzip_gets_a_file_as_it_was() {
    let database = Database::sqlite();
    let service = Service::start(&database, "").await;
    for accepted in [None, Some("identity"), Some("br, gzip;q=0")] {
        for (path, begins) in [
            ("/graphql", "<!doctype html>"),
            ("/console", "<!doctype html>"),
            ("/graphiql/licenses.txt", ""),
            ("/console/assets/licenses.txt", ""),
            ("/account/reset", "<!doctype html>"),
            ("/account/assets/account-licenses.txt", ""),
        ] {
            let mut request = Request::get(path).header(header::ACCEPT, BROWSER);
            if let Some(accepted) = accepted {
                request = request.header(header::ACCEPT_ENCODING, accepted);
            }
            let answer = service.answer(request.body(Body::empty()).expect("a request")).await;
            let (head, body) = answer.into_parts();
            assert_eq!(head.headers.get(header::CONTENT_ENCODING), None, "{path}");
            let varies = head.headers.get_all(header::VARY).iter();
            let varies: Vec<_> = varies.filter_map(|value| value.to_str().ok()).collect();
            assert!(varies.contains(&"Accept-Encoding"), "{path}: {varies:?}");
            let bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
            let text = str::from_utf8(&bytes).expect("a text").to_ascii_lowercase();
            assert!(text.len() > 100 && text.starts_with(begins), "{path}: {text}");
        }
    }
}

#[tokio::test]
async fn without_graphiql_a_browser_finds_none_of_it() {
    let database = Database::sqlite();
    let service = Service::start(&database, "--graphiql false").await;
    let (status, headers) = get(&service, "/graphql").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(headers[header::CONTENT_TYPE], "application/json; charset=utf-8");
    assert_eq!(get(&service, "/graphiql/licenses.txt").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn whatever_page_of_the_console_is_asked_for_it_is_there() {
    let database = Database::sqlite();
    let service = Service::start(&database, "").await;
    for path in ["/console", "/console/", "/console/sessions", "/console/sessions/Session:1"] {
        let (status, headers) = get(&service, path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
        assert_eq!(headers[header::CACHE_CONTROL], "no-cache", "{path}");
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().expect("a text");
        assert!(policy.contains("script-src 'self'; style-src 'self';"), "{policy}");
        assert!(!policy.contains("http") && !policy.contains("unsafe"), "{policy}");
    }
    for path in ["/console/assets/none.js", "/console/assets/a/b", "/consoles"] {
        assert_eq!(get(&service, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn without_the_console_nobody_finds_any_of_it() {
    let database = Database::sqlite();
    let service = Service::start(&database, "--console false").await;
    for path in ["/console", "/console/sessions", "/console/assets/licenses.txt"] {
        assert_eq!(get(&service, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_pages_of_links_in_mails_are_there_without_the_console() {
    let database = Database::sqlite();
    for flags in ["", "--console false --graphiql false"] {
        let service = Service::start(&database, flags).await;
        for path in ["/account/verify", "/account/reset", "/account/login", "/account/revert"] {
            let (status, headers) = get(&service, path).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
            assert_eq!(headers[header::CACHE_CONTROL], "no-cache", "{path}");
            assert_eq!(headers[header::REFERRER_POLICY], "no-referrer", "{path}");
            let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().expect("a text");
            assert!(policy.contains("script-src 'self'; style-src 'self';"), "{policy}");
            assert!(!policy.contains("http") && !policy.contains("unsafe"), "{policy}");
        }
        let (status, headers) = get(&service, "/account/assets/account-licenses.txt").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
    }
}

#[tokio::test]
async fn below_the_pages_of_links_nothing_else_is_served() {
    let database = Database::sqlite();
    let service = Service::start(&database, "--console false").await;
    for path in [
        "/account",
        "/account/",
        "/account/other",
        "/account/reset/more",
        "/account/assets/index.html",
        "/account/assets/account.html",
        "/account/assets/licenses.txt",
        "/account/assets/account-documents.json",
        "/account/assets/account-..%2f..%2fCargo.toml",
    ] {
        assert_eq!(get(&service, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}
