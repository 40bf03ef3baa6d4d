//! What browsers are told of who may call.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};

use crate::api::service::Service;
use crate::databases::Database;

const LISTED: &str = "--cors-origin https://app.example --cors-origin http://localhost:3000";

async fn asked(
    service: &Service,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, HeaderMap) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = service.answer(request.body(Body::empty()).unwrap()).await;
    (response.status(), response.headers().clone())
}

fn says_nothing(headers: &HeaderMap) {
    let said = headers.keys().filter(|name| {
        name.as_str().starts_with("access-control-allow-origin")
            || name.as_str().starts_with("access-control-allow-credentials")
    });
    assert_eq!(said.count(), 0, "{headers:?}");
}

#[tokio::test]
async fn listed_origins_may_call_with_credentials() {
    let database = Database::sqlite();
    let service = Service::start(&database, LISTED).await;
    for origin in ["https://app.example", "http://localhost:3000"] {
        let preflight = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type,x-sallyport-csrf"),
        ];
        let (status, headers) = asked(&service, Method::OPTIONS, "/graphql", &preflight).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], origin);
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_METHODS], "GET,POST");
        assert_eq!(
            headers[header::ACCESS_CONTROL_ALLOW_HEADERS],
            "authorization,content-type,x-sallyport-csrf,apollo-require-preflight"
        );
        for path in ["/graphql?query=%7B__typename%7D", "/graphql"] {
            let (_, headers) = asked(&service, Method::GET, path, &[("origin", origin)]).await;
            assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], origin);
            assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
            assert!(headers[header::VARY].to_str().unwrap().contains("origin"), "{headers:?}");
        }
    }
}

#[tokio::test]
async fn no_other_origin_is_told_that_it_may() {
    let database = Database::sqlite();
    let service = Service::start(&database, LISTED).await;
    for origin in [
        "https://evil.example",
        "https://app.example.evil.example",
        "https://evil-app.example",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example/",
        "HTTPS://APP.EXAMPLE",
        "null",
        "*",
        "",
    ] {
        let preflight = [("origin", origin), ("access-control-request-method", "POST")];
        says_nothing(&asked(&service, Method::OPTIONS, "/graphql", &preflight).await.1);
        let (_, headers) = asked(&service, Method::GET, "/graphql", &[("origin", origin)]).await;
        says_nothing(&headers);
        assert!(headers[header::VARY].to_str().unwrap().contains("origin"), "{headers:?}");
    }
}

#[tokio::test]
async fn where_nobody_is_listed_nobody_is_told_anything() {
    let database = Database::sqlite();
    let service = Service::start(&database, "").await;
    let preflight = [("origin", "https://app.example"), ("access-control-request-method", "POST")];
    let (status, headers) = asked(&service, Method::OPTIONS, "/graphql", &preflight).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    says_nothing(&headers);
    for path in ["/healthz", "/readyz", "/nothing"] {
        says_nothing(&asked(&service, Method::GET, path, &preflight[..1]).await.1);
    }
}

#[tokio::test]
async fn public_keys_are_everybodys_to_read() {
    let database = Database::sqlite();
    let service = Service::start(&database, LISTED).await;
    for path in ["/.well-known/jwks.json", "/.well-known/oauth-authorization-server"] {
        let (status, headers) =
            asked(&service, Method::GET, path, &[("origin", "https://evil.example")]).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        assert_eq!(headers["cross-origin-resource-policy"], "cross-origin");
    }
}
