//! Requests that a foreign page makes the browser of a user send (CSRF).

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::browser::{Answer, Browser, COOKIE, LOGIN, LOGOUT, OWN_PAGE, REFRESH, answer, send};
use crate::api::service::{PASSWORD, Service, code};
use crate::databases::Database;

/// Headers of requests that no allowed page sent.
const FOREIGN_PAGES: &[&[(&str, &str)]] = &[
    &[],
    &[("origin", "http://127.0.0.1:8000")],
    &[("sec-fetch-site", "same-origin")],
    &[("x-sallyport-csrf", ""), ("sec-fetch-site", "same-origin")],
    &[("x-sallyport-csrf", "1"), ("sec-fetch-site", "cross-site")],
    &[
        ("x-sallyport-csrf", "1"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://app.example"),
    ],
    &[
        ("x-sallyport-csrf", "1"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
    ],
    &[("x-sallyport-csrf", "1"), ("origin", "https://evil.example")],
    &[("x-sallyport-csrf", "1"), ("origin", "null")],
    &[("apollo-require-preflight", "1"), ("origin", "http://127.0.0.1:8000.evil.example")],
];

async fn started(database: &Database) -> Service {
    let service = Service::start(database, "--cors-origin https://app.example").await;
    service.make("ann", Role::User).await;
    service
}

fn operations(service: &Service) -> u64 {
    service.core.store.operations()
}

fn is_refused(answer: &Answer) {
    assert_eq!(code(answer.payload()), "FORBIDDEN", "{answer:?}");
    assert_eq!(answer.set_cookie(), None);
}

#[tokio::test]
async fn a_strangers_page_does_nothing_with_a_cookie() {
    let database = Database::sqlite();
    let service = started(&database).await;
    let browser = Browser::default();
    let login = browser.login(&service, "ann").await;
    let cookie = format!("{COOKIE}={}", browser.cookie().unwrap());
    let before = operations(&service);
    for headers in FOREIGN_PAGES {
        let headers = [*headers, &[("cookie", cookie.as_str())]].concat();
        is_refused(&send(&service, &headers, REFRESH, Value::Null).await);
        is_refused(&send(&service, &headers, LOGOUT, Value::Null).await);
        let variables = json!({ "u": "ann", "p": PASSWORD });
        is_refused(&send(&service, &headers, LOGIN, variables).await);
    }
    assert_eq!(operations(&service), before, "nobody asked the database");
    assert_eq!(service.refusal(login.access()).await, None);
    let next = browser.send(&service, None, REFRESH).await;
    assert_eq!(next.payload()["session"]["generation"], 1);
}

#[tokio::test]
async fn a_strangers_page_logs_nobody_in() {
    let database = Database::sqlite();
    let service = started(&database).await;
    let tokens = service.login("ann").await;
    for headers in FOREIGN_PAGES {
        let variables = json!({ "u": "ann", "p": PASSWORD });
        is_refused(&send(&service, headers, LOGIN, variables).await);
        let planting = format!(
            "mutation {{ refresh(input: {{ refreshToken: \"{}\", transport: COOKIE }}) {{
                errors {{ code }} }} }}",
            tokens.refresh
        );
        is_refused(&send(&service, headers, &planting, Value::Null).await);
    }
}

#[tokio::test]
async fn pages_that_are_listed_or_of_this_origin_do() {
    let database = Database::sqlite();
    let service = started(&database).await;
    for headers in [
        OWN_PAGE,
        &[("apollo-require-preflight", "true"), ("origin", "http://127.0.0.1:8000")],
        &[
            ("x-sallyport-csrf", "1"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://app.example"),
        ],
        &[("x-sallyport-csrf", "1"), ("origin", "http://10.1.1.1:80"), ("host", "10.1.1.1")],
        &[("x-sallyport-csrf", "1"), ("origin", "https://app.example")],
        &[("x-sallyport-csrf", "1")],
    ] {
        let variables = json!({ "u": "ann", "p": PASSWORD });
        let login = send(&service, headers, LOGIN, variables).await;
        // An origin with the default port is invalid.
        let expected = !headers.contains(&("origin", "http://10.1.1.1:80"));
        assert_eq!(login.cookie().is_some(), expected, "{headers:?}");
    }
}

#[tokio::test]
async fn no_form_reaches_a_mutation() {
    let database = Database::sqlite();
    let service = started(&database).await;
    let login = Browser::default().login(&service, "ann").await;
    let cookie = format!("{COOKIE}={}", login.cookie().unwrap());
    let before = operations(&service);
    let body = json!({ "query": LOGOUT }).to_string();
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/graphql"),
        Some("text/plain; application/json"),
    ] {
        for headers in [OWN_PAGE, &[("origin", "https://evil.example")], &[("origin", "null")], &[]]
        {
            let mut request = Request::post("/graphql").header(header::COOKIE, &cookie);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            if let Some(content_type) = content_type {
                request = request.header(header::CONTENT_TYPE, content_type);
            }
            let refused = answer(&service, request.body(Body::from(body.clone())).unwrap()).await;
            assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type:?}");
        }
    }
    let by_get = Request::get("/graphql?query=mutation%7Blogout%7BendedCount%7D%7D")
        .header(header::COOKIE, &cookie)
        .header("x-sallyport-csrf", "1");
    let refused = answer(&service, by_get.body(Body::empty()).unwrap()).await;
    assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.headers[header::ALLOW], "POST");
    assert_eq!(operations(&service), before, "nobody asked the database");
}

#[tokio::test]
async fn a_cookie_opens_no_query() {
    let database = Database::sqlite();
    let service = started(&database).await;
    let browser = Browser::default();
    let login = browser.login(&service, "ann").await;
    let answer = browser.send(&service, None, "{ viewer { id } }").await;
    assert_eq!(answer.body["errors"][0]["extensions"]["reason"], "NO_TOKEN");
    let refresh = browser.cookie().unwrap();
    let answer = browser.send(&service, Some(&refresh), "{ viewer { id } }").await;
    assert_eq!(answer.body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    // Nor an access token in place of the refresh token.
    let wrong = Browser::with(login.access());
    assert_eq!(code(wrong.send(&service, None, REFRESH).await.payload()), "REFRESH_TOKEN_INVALID");
}
