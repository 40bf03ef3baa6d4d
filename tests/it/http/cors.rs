//! CORS headers.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};

use crate::api::service::Service;
use crate::databases::Database;

const LISTED: &str = "--cors-origin https://app.example --cors-origin http://localhost:3000";

/// Exactly the headers that a page may send.
const ALLOWED: &str = "authorization,content-type,x-sallyport-csrf,apollo-require-preflight,\
    apollographql-client-name,apollographql-client-version,traceparent,tracestate,baggage,\
    sentry-trace,x-request-id,x-datadog-trace-id,x-datadog-parent-id,x-datadog-origin,\
    x-datadog-sampling-priority,x-datadog-sampled,x-datadog-tags";

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
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_HEADERS], ALLOWED);
        for path in ["/graphql?query=%7B__typename%7D", "/graphql", "/graphql/", "/nothing"] {
            let (status, headers) = asked(&service, Method::OPTIONS, path, &preflight).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], origin);
            let (_, headers) = asked(&service, Method::GET, path, &[("origin", origin)]).await;
            assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], origin);
            assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
            assert!(headers[header::VARY].to_str().unwrap().contains("origin"), "{headers:?}");
        }
    }
}

#[tokio::test]
async fn more_headers_are_allowed_by_name() {
    let database = Database::sqlite();
    let flags = format!("{LISTED} --cors-header x-tenant --cors-header X-Team,newrelic");
    let service = Service::start(&database, &flags).await;
    let preflight = [("origin", "https://app.example"), ("access-control-request-method", "POST")];
    let (_, headers) = asked(&service, Method::OPTIONS, "/graphql", &preflight).await;
    let allowed = format!("{ALLOWED},x-tenant,x-team,newrelic");
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_HEADERS], allowed);
}

#[tokio::test]
async fn a_page_reads_why_its_request_was_refused() {
    let database = Database::sqlite();
    let service = Service::start(&database, LISTED).await;
    let origin = ("origin", "https://app.example");
    let large = "x".repeat(17_000);
    for (method, path, headers, status) in [
        (Method::GET, "/nothing", &[origin][..], 404),
        (Method::PUT, "/graphql", &[origin], 405),
        (Method::POST, "/healthz", &[origin], 405),
        (Method::GET, "/graphql", &[origin, ("accept", "image/png")], 406),
        (Method::POST, "/graphql/", &[origin, ("content-length", "1000000")], 415),
        (Method::POST, "/graphql", &[origin, ("x", &large)], 431),
    ] {
        let (answered, headers) = asked(&service, method, path, headers).await;
        assert_eq!(answered, status, "{path}");
        let said = |name| headers.get_all(name).iter().collect::<Vec<_>>();
        assert_eq!(said(header::ACCESS_CONTROL_ALLOW_ORIGIN), [origin.1], "{path}");
        assert_eq!(said(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), ["true"], "{path}");
        let exposed = said(header::ACCESS_CONTROL_EXPOSE_HEADERS);
        assert!(exposed.iter().any(|it| it.to_str().unwrap().contains("x-request-id")), "{path}");
    }
}

#[tokio::test]
async fn a_slash_at_the_end_of_the_path_changes_nothing() {
    let database = Database::sqlite();
    let service = Service::start(&database, "").await;
    let request = Request::post("/graphql/")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(r#"{"query":"{ __typename }"}"#));
    let (status, answer) = service.call(request.unwrap()).await;
    assert_eq!((status, &answer["data"]["__typename"]), (StatusCode::OK, &"Query".into()));
    let (status, headers) =
        asked(&service, Method::GET, "/graphql/", &[("accept", "text/html")]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
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
    let related = "--passkey-rp-id example.com --passkey-origins https://example.de";
    let service = Service::start(&database, &format!("{LISTED} {related}")).await;
    for path in [
        "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server",
        "/.well-known/webauthn",
    ] {
        let (status, headers) =
            asked(&service, Method::GET, path, &[("origin", "https://evil.example")]).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        assert_eq!(headers["cross-origin-resource-policy"], "cross-origin");
    }
}
