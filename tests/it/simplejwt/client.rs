//! A client of the endpoints, and the answers that it may expect.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, header};
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use crate::api::service::{PASSWORD, Service, Tokens};

/// The flag of a service with the endpoints.
pub const ENDPOINTS: &str = "--simplejwt-endpoints /api/token";

pub const OBTAIN: &str = "/api/token/";
pub const REFRESH: &str = "/api/token/refresh/";
pub const VERIFY: &str = "/api/token/verify/";
pub const BLACKLIST: &str = "/api/token/blacklist/";

pub const VIEWS: [&str; 4] = [OBTAIN, REFRESH, VERIFY, BLACKLIST];

pub const JSON: &str = "application/json";
pub const FORM: &str = "application/x-www-form-urlencoded";

/// Status and body of an answer.
pub type Expected = (u16, &'static str);

pub const DONE: Expected = (200, "{}");
pub const NO_ACCOUNT: Expected =
    (401, r#"{"detail":"No active account found with the given credentials"}"#);
pub const INVALID: Expected = (401, r#"{"detail":"Token is invalid","code":"token_not_valid"}"#);
pub const EXPIRED: Expected = (401, r#"{"detail":"Token is expired","code":"token_not_valid"}"#);
pub const WRONG_TYPE: Expected =
    (401, r#"{"detail":"Token has wrong type","code":"token_not_valid"}"#);
pub const BLACKLISTED: Expected =
    (401, r#"{"detail":"Token is blacklisted","code":"token_not_valid"}"#);
/// Of the view that verifies.
pub const VERIFIED_BLACKLISTED: Expected =
    (400, r#"{"non_field_errors":["Token is blacklisted"]}"#);

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}", self.body))
    }

    /// The text of a member.
    #[track_caller]
    pub fn text(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.body)).to_owned()
    }

    /// Checks the answer, and the headers that Django REST framework sends with each.
    #[track_caller]
    pub fn is(&self, (status, body): Expected) {
        assert_eq!((self.status, self.body.as_str()), (status, body));
        self.has_headers();
    }

    #[track_caller]
    pub fn has_headers(&self) {
        assert_eq!(self.header("content-type"), JSON);
        assert_eq!(self.header("allow"), "POST, OPTIONS");
        assert!(self.header("vary").contains("Accept"), "{:?}", self.headers);
        let challenge = if self.status == 401 { r#"Bearer realm="api""# } else { "" };
        assert_eq!(self.header("www-authenticate"), challenge);
        assert!(!self.headers.contains_key(header::SET_COOKIE));
    }
}

pub async fn send(service: &Service, request: Request<Body>) -> Answer {
    let response = service.answer(request).await;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = to_bytes(response.into_body(), 100_000).await.unwrap();
    Answer { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

/// Sends a body with these headers.
pub async fn ask(
    service: &Service,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Answer {
    let mut request = Request::builder().method(method.parse::<Method>().unwrap()).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(service, request.body(body.into()).unwrap()).await
}

pub async fn post_as(service: &Service, path: &str, media_type: &str, body: &str) -> Answer {
    ask(service, "POST", path, &[("content-type", media_type)], body.to_owned()).await
}

pub async fn post(service: &Service, path: &str, body: Value) -> Answer {
    post_as(service, path, JSON, &body.to_string()).await
}

pub async fn refresh(service: &Service, token: &str) -> Answer {
    post(service, REFRESH, json!({ "refresh": token })).await
}

pub async fn verify(service: &Service, token: &str) -> Answer {
    post(service, VERIFY, json!({ "token": token })).await
}

pub async fn blacklist(service: &Service, token: &str) -> Answer {
    post(service, BLACKLIST, json!({ "refresh": token })).await
}

pub async fn log_in(service: &Service, username: &str) -> Tokens {
    let answer = post(service, OBTAIN, json!({ "username": username, "password": PASSWORD })).await;
    pair(&answer)
}

/// Deactivates the account with this global ID.
pub async fn deactivate(service: &Service, user: &str) {
    const DEACTIVATE: &str =
        "mutation($id: ID!) { setUserActive(input: { userId: $id, active: false }) {
        user { isActive } errors { code } } }";
    service.make("keeper", Role::Admin).await;
    let keeper = service.login("keeper").await;
    let done = service.send(Some(&keeper.access), DEACTIVATE, json!({ "id": user })).await;
    assert_eq!(done["data"]["setUserActive"]["user"]["isActive"], false, "{done}");
}

/// The tokens of an answer.
#[track_caller]
pub fn pair(answer: &Answer) -> Tokens {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.has_headers();
    Tokens { access: answer.text("access"), refresh: answer.text("refresh") }
}
