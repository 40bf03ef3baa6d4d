//! The language of a mail: the request's, else the account's, else the browser's, else English.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use super::super::service::{PASSWORD, Service, code, tokens};
use super::mailbox::newest;
use crate::databases::{Database, on_both};

on_both!(a_mail_is_in_the_language_of_the_request_the_account_or_the_browser);

async fn send(service: &Service, accepted: &str, query: &str, variables: Value) -> Value {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT_LANGUAGE, accepted)
        .body(Body::from(body))
        .unwrap();
    service.call(request).await.1
}

async fn a_mail_is_in_the_language_of_the_request_the_account_or_the_browser(database: Database) {
    const REGISTER: &str = "mutation($u: String!, $e: String!, $p: String!, $l: String) {
        register(input: { username: $u, email: $e, password: $p, locale: $l }) {
            tokens { accessToken refreshToken } user { locale } errors { code path } } }";
    const REQUEST: &str = "mutation($u: String!, $l: String) {
        requestEmailLogin(input: { username: $u, locale: $l }) { errors { code path } } }";
    let service = Service::start(&database, "--registration open").await;
    for (name, chosen) in [("ada", None), ("bob", Some("ko-KR"))] {
        let sent =
            json!({ "u": name, "e": format!("{name}@example.com"), "p": PASSWORD, "l": chosen });
        let answer = send(&service, "fr, en;q=0.5", REGISTER, sent).await;
        let registered = &answer["data"]["register"];
        assert!(tokens(registered).is_some(), "{answer}");
        assert_eq!(registered["user"]["locale"].as_str(), chosen);
    }
    for (name, asked, accepted, language) in [
        ("ada", None, "", "en"),
        ("ada", None, "ko-KR, en;q=0.8", "ko"),
        ("ada", Some("en-GB"), "ko", "en"),
        ("bob", None, "en", "ko"),
        ("bob", Some("en"), "ko", "en"),
        ("bob", Some("fr"), "", "ko"),
    ] {
        let answer = send(&service, accepted, REQUEST, json!({ "u": name, "l": asked })).await;
        assert_eq!(answer["data"]["requestEmailLogin"]["errors"], json!([]), "{answer}");
        let mail = newest(&service, "login").await;
        assert_eq!(
            (mail.to.as_str(), mail.language.as_str()),
            (&*format!("{name}@example.com"), language)
        );
        service.clock.advance(std::time::Duration::from_mins(11));
    }
    let answer = send(&service, "", REQUEST, json!({ "u": "ada", "l": "no language" })).await;
    let refused = &answer["data"]["requestEmailLogin"];
    assert_eq!(
        (code(refused), &refused["errors"][0]["path"]),
        ("INVALID_INPUT", &json!(["input", "locale"]))
    );
}
