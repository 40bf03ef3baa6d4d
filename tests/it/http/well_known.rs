//! The list of related origins, which browsers read before they use a passkey on a page of another domain.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};

use crate::api::service::Service;
use crate::databases::Database;

const PATH: &str = "/.well-known/webauthn";

async fn answer(service: &Service, method: Method) -> (StatusCode, HeaderMap, String) {
    let request = Request::builder().method(method).uri(PATH).body(Body::empty()).unwrap();
    let response = service.answer(request).await;
    let (head, body) = response.into_parts();
    let body = to_bytes(body, 10_000).await.unwrap();
    (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn origins_of_other_domains_are_listed_and_may_be_cached() {
    let database = Database::sqlite();
    let flags = "--passkey-rp-id example.com --passkey-origins https://app.example.com \
                 --passkey-origins https://example.de,https://notexample.com:8443 \
                 --passkey-origins android:apk-key-hash:pNiP5iKyQ8JwgGOaKA1zGPUPJIS-0H1xKCQcfIoGLck";
    let service = Service::start(&database, flags).await;
    let (status, headers, body) = answer(&service, Method::GET).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=300");
    assert_eq!(body, r#"{"origins":["https://example.de","https://notexample.com:8443"]}"#);
    let (status, of_head, none) = answer(&service, Method::HEAD).await;
    assert_eq!((status, none.as_str()), (StatusCode::OK, ""));
    assert_eq!(of_head[header::CACHE_CONTROL], headers[header::CACHE_CONTROL]);
}

#[tokio::test]
async fn without_origins_of_other_domains_there_is_no_list() {
    for flags in [
        "",
        "--issuer https://auth.example.com",
        "--passkey-rp-id example.com --passkey-origins https://example.com,https://a.example.com",
    ] {
        let service = Service::start(&Database::sqlite(), flags).await;
        for method in [Method::GET, Method::HEAD] {
            let (status, headers, _) = answer(&service, method).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{flags}");
            assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        }
    }
}
