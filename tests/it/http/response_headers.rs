//! Headers of every response.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};

use super::raw_client::{Server, without_idle_timeouts};
use crate::api::service::Service;
use crate::databases::Database;

const PAGE: &str = "text/html";
const JSON: &str = "application/json";

type Case = (&'static str, &'static str, &'static str, &'static str, u16);

/// One request for each kind of response: method, path, `Accept`, body, and the status.
const CASES: &[Case] = &[
    ("GET", "/graphql?query=%7B__typename%7D", JSON, "", 200),
    ("GET", "/graphql", PAGE, "", 200),
    ("GET", "/graphql", JSON, "", 400),
    ("GET", "/graphql", "image/png", "", 406),
    ("GET", "/graphql?query=mutation%7Blogout%7BendedCount%7D%7D", JSON, "", 405),
    ("PUT", "/graphql", JSON, "", 405),
    ("OPTIONS", "/graphql", JSON, "", 405),
    ("POST", "/graphql", JSON, r#"{"query":"{ viewer { id } }"}"#, 200),
    ("POST", "/graphql", JSON, r#"{"query":"{ no"}"#, 200),
    ("POST", "/graphql", "application/graphql-response+json", r#"{"query":"{ no"}"#, 400),
    ("POST", "/graphql", JSON, "broken", 400),
    ("GET", "/graphiql/licenses.txt", JSON, "", 200),
    ("GET", "/graphiql/none", JSON, "", 404),
    ("GET", "/console", PAGE, "", 200),
    ("GET", "/console/sessions/1", PAGE, "", 200),
    ("POST", "/console", JSON, "", 405),
    ("GET", "/console/assets/licenses.txt", JSON, "", 200),
    ("GET", "/console/assets/none", JSON, "", 404),
    ("GET", "/account/reset", PAGE, "", 200),
    ("HEAD", "/account/verify", PAGE, "", 200),
    ("POST", "/account/reset", JSON, "", 405),
    ("GET", "/account/assets/account-licenses.txt", JSON, "", 200),
    ("GET", "/account/assets/none", JSON, "", 404),
    ("GET", "/.well-known/jwks.json", JSON, "", 200),
    ("GET", "/.well-known/oauth-authorization-server", JSON, "", 200),
    ("POST", "/.well-known/jwks.json", JSON, "", 405),
    ("GET", "/.well-known/webauthn", JSON, "", 200),
    ("HEAD", "/.well-known/webauthn", JSON, "", 200),
    ("POST", "/.well-known/webauthn", JSON, "", 405),
    ("POST", "/api/token/", JSON, "{}", 400),
    ("GET", "/api/token/refresh", JSON, "", 405),
    ("GET", "/healthz", JSON, "", 200),
    ("HEAD", "/healthz", JSON, "", 200),
    ("DELETE", "/healthz", JSON, "", 405),
    ("GET", "/readyz", JSON, "", 200),
    ("GET", "/", JSON, "", 404),
    ("GET", "/../../etc/passwd", JSON, "", 404),
    ("TRACE", "/nothing", JSON, "", 404),
];

/// Flags of everything that is off by default: a list of related origins of passkeys, and other endpoints.
const ALL: &str = "--passkey-rp-id example.com --passkey-origins https://example.de \
                   --simplejwt-endpoints /api/token";

async fn headers(service: &Service, way: &Case) -> HeaderMap {
    let (method, path, accept, body, status) = *way;
    let request = Request::builder()
        .method(method.parse::<Method>().unwrap())
        .uri(path)
        .header(header::ACCEPT, accept)
        .header(header::CONTENT_TYPE, JSON);
    let response = service.answer(request.body(Body::from(body)).unwrap()).await;
    assert_eq!(response.status(), StatusCode::from_u16(status).unwrap(), "{method} {path}");
    response.headers().clone()
}

#[tokio::test]
async fn every_answer_says_what_may_be_done_with_it() {
    let database = Database::sqlite();
    let service = Service::start(&database, ALL).await;
    for way in CASES {
        let said = headers(&service, way).await;
        let value = |name: &str| said.get(name).map_or("", |value| value.to_str().unwrap());
        let (path, status) = (way.1, way.4);
        assert_eq!(value("x-content-type-options"), "nosniff", "{way:?}");
        assert_eq!(value("x-frame-options"), "DENY", "{way:?}");
        assert_eq!(value("referrer-policy"), "no-referrer", "{way:?}");
        assert_eq!(value("x-request-id").len(), 32, "{way:?}");
        assert!(!said.contains_key(header::SERVER), "{way:?}");
        assert!(!said.contains_key(header::STRICT_TRANSPORT_SECURITY), "{way:?}");

        let policy = value("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; "), "{way:?}: {policy}");
        assert!(policy.ends_with("frame-ancestors 'none'"), "{way:?}: {policy}");
        let is_page = way.2 == PAGE;
        assert_eq!(policy.contains("script-src"), is_page, "{way:?}: {policy}");

        let is_public = path.starts_with("/.well-known/") && status == 200;
        let embedding = if is_public { "cross-origin" } else { "same-origin" };
        assert_eq!(value("cross-origin-resource-policy"), embedding, "{way:?}");
        let kept = match path {
            _ if is_public => "public, max-age=300",
            _ if is_page => "no-cache",
            "/graphiql/licenses.txt"
            | "/console/assets/licenses.txt"
            | "/account/assets/account-licenses.txt" => "public, max-age=31536000, immutable",
            _ => "no-store",
        };
        assert_eq!(value("cache-control"), kept, "{way:?}");
    }
}

#[tokio::test]
async fn where_clients_come_by_tls_they_always_shall() {
    let database = Database::sqlite();
    let flags = format!("--issuer https://auth.example.com {ALL}");
    let service = Service::start(&database, &flags).await;
    for way in CASES {
        let said = headers(&service, way).await;
        assert_eq!(said[header::STRICT_TRANSPORT_SECURITY], "max-age=63072000", "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_is_answered_with_names_in_title_case_for_who_compares_them_so() {
    let server = Server::start("", without_idle_timeouts()).await;
    let mut client = server.connect().await;
    let upgrade = "GET /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n\
                   upgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                   sec-websocket-protocol: graphql-transport-ws\r\n\r\n";
    client.write(upgrade).await;
    let mut head = String::new();
    while !head.contains("\r\n\r\n") {
        head.push_str(&String::from_utf8_lossy(&client.read_some().await));
    }
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    for name in ["Connection", "Upgrade", "Sec-Websocket-Accept", "Sec-Websocket-Protocol"] {
        assert!(head.contains(&format!("\r\n{name}: ")), "{name}: {head}");
    }
}
