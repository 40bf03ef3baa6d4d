//! A browser with a cookie store and a page of the own origin of the service.

use std::cell::RefCell;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::api::service::{PASSWORD, Service};

pub const COOKIE: &str = "__Host-sallyport-refresh";

/// Headers of a page of the own origin.
pub const OWN_PAGE: &[(&str, &str)] = &[
    ("x-sallyport-csrf", "1"),
    ("sec-fetch-site", "same-origin"),
    ("origin", "http://127.0.0.1:8000"),
];

pub const LOGIN: &str = "mutation($u: String!, $p: String!) {
    login(input: { username: $u, password: $p, transport: COOKIE }) {
        tokens { accessToken refreshToken refreshTokenExpiresAt } session { sid }
        errors { code path }
    }
}";

pub const REFRESH: &str = "mutation { refresh {
    tokens { accessToken refreshToken } session { sid generation } errors { code path }
} }";

pub const LOGOUT: &str = "mutation { logout { endedCount errors { code path } } }";

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The payload of the document's only field.
    pub fn payload(&self) -> &Value {
        let fields = self.body["data"].as_object().unwrap_or_else(|| panic!("{self:?}"));
        fields.values().next().unwrap()
    }

    /// The `Set-Cookie` header, if any.
    pub fn set_cookie(&self) -> Option<&str> {
        let mut lines = self.headers.get_all(header::SET_COOKIE).iter();
        let line = lines.next()?.to_str().unwrap();
        assert!(lines.next().is_none(), "one is enough: {self:?}");
        Some(line)
    }

    /// The new value of the cookie; empty where the cookie is removed.
    pub fn cookie(&self) -> Option<&str> {
        let (pair, _) = self.set_cookie()?.split_once(';').unwrap();
        Some(pair.strip_prefix(COOKIE)?.strip_prefix('=').unwrap())
    }

    pub fn access(&self) -> &str {
        self.payload()["tokens"]["accessToken"].as_str().unwrap_or_else(|| panic!("{self:?}"))
    }
}

/// Sends a document with these headers.
pub async fn send(
    service: &Service,
    headers: &[(&str, &str)],
    query: &str,
    variables: Value,
) -> Answer {
    let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = json!({ "query": query, "variables": variables }).to_string();
    answer(service, request.body(Body::from(body)).unwrap()).await
}

/// Sends any request.
pub async fn answer(service: &Service, request: Request<Body>) -> Answer {
    let (parts, body) = service.answer(request).await.into_parts();
    let bytes = to_bytes(body, 1 << 20).await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer { status: parts.status, headers: parts.headers, body }
}

/// The cookie store of one browser.
#[derive(Default)]
pub struct Browser(RefCell<Option<String>>);

impl Browser {
    pub fn with(cookie: &str) -> Self {
        Self(RefCell::new(Some(cookie.to_owned())))
    }

    pub fn cookie(&self) -> Option<String> {
        self.0.borrow().clone()
    }

    /// Sends a document from a page of the own origin, without applying the cookie of the response.
    pub async fn request(
        &self,
        service: &Service,
        bearer: Option<&str>,
        query: &str,
        variables: Value,
    ) -> Answer {
        let cookie = self.cookie().map(|cookie| format!("theme=dark; {COOKIE}={cookie}"));
        let bearer = bearer.map(|token| format!("Bearer {token}"));
        let mut headers = OWN_PAGE.to_vec();
        headers.extend(cookie.as_ref().map(|cookie| ("cookie", cookie.as_str())));
        headers.extend(bearer.as_ref().map(|bearer| ("authorization", bearer.as_str())));
        send(service, &headers, query, variables).await
    }

    /// Applies the `Set-Cookie` header of a response.
    pub fn apply(&self, answer: &Answer) {
        match answer.cookie() {
            Some("") => *self.0.borrow_mut() = None,
            Some(value) => *self.0.borrow_mut() = Some(value.to_owned()),
            None => {}
        }
    }

    pub async fn send(&self, service: &Service, bearer: Option<&str>, query: &str) -> Answer {
        let answer = self.request(service, bearer, query, Value::Null).await;
        self.apply(&answer);
        answer
    }

    /// Logs in with the password of the tests.
    pub async fn login(&self, service: &Service, username: &str) -> Answer {
        let variables = json!({ "u": username, "p": PASSWORD });
        let answer = self.request(service, None, LOGIN, variables).await;
        self.apply(&answer);
        answer
    }
}
