//! Login and registration.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, header};
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{PASSWORD, Service, code, tokens};
use crate::databases::{Database, on_both};

on_both!(
    a_login_by_username_or_address_opens_a_session,
    whatever_is_wrong_the_refusal_is_the_same,
    an_account_without_a_password_is_answered_like_a_name_that_nobody_has,
    a_hash_of_other_parameters_is_made_anew_at_login,
    a_name_that_nobody_has_takes_what_accounts_take_whatever_hashes_cost_today,
    a_session_beyond_the_limit_ends_the_oldest,
    registration_is_closed_unless_opened,
    a_name_is_taken_in_every_spelling,
    fifty_who_register_one_name_in_two_spellings_make_one_account,
);

async fn a_login_by_username_or_address_opens_a_session(database: Database) {
    let service = Service::start(&database, "--registration open").await;
    const REGISTER: &str = "mutation($p: String!) { register(input: {
        username: \"Ada\", email: \"ada@example.com\", password: $p, sessionName: \"laptop\" }) {
        tokens { accessToken refreshToken } session { name isCurrent } user { username email role }
        errors { code message } } }";
    let answer = service.send(None, REGISTER, json!({ "p": PASSWORD })).await;
    let payload = &answer["data"]["register"];
    assert_eq!(payload["session"], json!({ "name": "laptop", "isCurrent": true }), "{answer}");
    let user = json!({ "username": "Ada", "email": "ada@example.com", "role": "USER" });
    assert_eq!(payload["user"], user);
    assert_eq!(service.refusal(&tokens(payload).unwrap().access).await, None);

    // A phone's keyboard puts a space behind what it completes.
    let surrounded =
        ["ada ", " ada", "ada@example.com ", "\u{3000}ada\u{a0}", "\u{feff}ada\u{200b}"];
    for name in ["Ada", "ADA", "ada@example.com", "Ada@Example.COM"].into_iter().chain(surrounded) {
        let payload = service.try_login(name, PASSWORD).await;
        assert_eq!(payload["user"]["username"], "Ada", "{name}: {payload}");
        assert_eq!(service.refusal(&tokens(&payload).unwrap().access).await, None);
    }
}

async fn whatever_is_wrong_the_refusal_is_the_same(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    service.make("root", Role::Admin).await;
    let gone = service.make("gone", Role::User).await;
    let root = service.login("root").await;
    const DEACTIVATE: &str = "mutation($id: ID!) {
        setUserActive(input: { userId: $id, active: false }) { user { isActive } } }";
    let answer = service.send(Some(&root.access), DEACTIVATE, json!({ "id": gone })).await;
    assert_eq!(answer["data"]["setUserActive"]["user"]["isActive"], false, "{answer}");

    let refused = service.try_login("nobody", PASSWORD).await;
    assert_eq!(code(&refused), "INVALID_CREDENTIALS");
    assert!(refused["tokens"].is_null() && refused["user"].is_null());
    for (name, password) in
        [("ada", "wrong"), ("gone", PASSWORD), ("ada", ""), ("", ""), ("ada", &"x".repeat(5_000))]
    {
        assert_eq!(service.try_login(name, password).await, refused, "{name}");
    }
    // Head and body, save the request's id.
    let unknown = bytes_of_login(&service, "nobody", PASSWORD).await;
    assert!(unknown.contains("200 OK") && unknown.contains("INVALID_CREDENTIALS"), "{unknown}");
    for (name, password) in [("ada", "wrong"), ("gone", PASSWORD), ("gone", "wrong")] {
        assert_eq!(bytes_of_login(&service, name, password).await, unknown, "{name}");
    }
}

/// As one that has other credentials only.
async fn an_account_without_a_password_is_answered_like_a_name_that_nobody_has(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    const CHANGE: &str = "mutation($c: String!) {
        changePassword(input: { currentPassword: $c, newPassword: \"velvet-kayak-hyphen-77\" }) {
            errors { code message path } } }";
    let change = async |current: &str| {
        service.send(Some(&ada.access), CHANGE, json!({ "c": current })).await
    };
    let wrong = change("wrong").await;
    assert_eq!(code(&wrong["data"]["changePassword"]), "INVALID_CREDENTIALS", "{wrong}");
    let mut raw = database.raw().await;
    raw.execute("DELETE FROM password_credentials").await;
    let unknown = bytes_of_login(&service, "nobody", PASSWORD).await;
    for password in [PASSWORD, "wrong", ""] {
        assert_eq!(bytes_of_login(&service, "ada", password).await, unknown, "{password}");
    }
    assert_eq!(change(PASSWORD).await, wrong);
    let failed = "SELECT count(*) FROM audit_events WHERE kind = 'LOGIN_FAILED'";
    assert_eq!(raw.number(failed).await, 6);
    assert_eq!(raw.number("SELECT count(*) FROM password_credentials").await, 0);
    // What is there already stays.
    assert_eq!(service.refusal(&ada.access).await, None);
}

/// All that a login is answered.
async fn bytes_of_login(service: &Service, name: &str, password: &str) -> String {
    let document = "mutation($u: String!, $p: String!) { login(input: { username: $u, \
                    password: $p }) { tokens { accessToken } errors { code message path } } }";
    let body = json!({ "query": document, "variables": { "u": name, "p": password } });
    let request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
    let mut answer = service.answer(request.body(Body::from(body.to_string())).unwrap()).await;
    answer.headers_mut().remove("x-request-id").unwrap();
    let (head, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, 10_000).await.unwrap();
    format!("{} {:?} {}", head.status, head.headers, String::from_utf8(body.into()).unwrap())
}

async fn a_hash_of_other_parameters_is_made_anew_at_login(database: Database) {
    let weak = Service::start(&database, "").await;
    weak.make("ada", Role::User).await;
    let hash = "SELECT hash FROM password_credentials";
    let before = database.raw().await.texts(hash).await;
    let strong = Service::start_at(&database, "--hashing-memory 64", weak.clock.clone()).await;
    assert_eq!(code(&strong.try_login("ada", "wrong").await), "INVALID_CREDENTIALS");
    assert_eq!(database.raw().await.texts(hash).await, before);
    strong.login("ada").await;
    let after = database.raw().await.texts(hash).await;
    assert!(before[0].contains("m=8,t=1") && after[0].contains("m=64,t=1"), "{before:?} {after:?}");
    strong.login("ada").await;
    assert_eq!(database.raw().await.texts(hash).await, after);
    // What is asked for last counts, be it less.
    weak.login("ada").await;
    assert!(database.raw().await.texts(hash).await[0].contains("m=8,t=1"));
}

/// The time itself cannot be measured beside other tests; what decides it can, against one hash of
/// today: of 512 MiB, beside which those of 8 KiB that accounts have take no time at all.
async fn a_name_that_nobody_has_takes_what_accounts_take_whatever_hashes_cost_today(
    database: Database,
) {
    let cheap = Service::start(&database, "").await;
    for name in ["ada", "bob", "eve"] {
        cheap.make(name, Role::User).await;
    }
    let dear = Service::start(&database, "--hashing-memory 524288").await;
    let began = Instant::now();
    for n in 0..20 {
        let payload = dear.try_login(&format!("nobody{n}"), "wrong").await;
        assert_eq!(code(&payload), "INVALID_CREDENTIALS");
    }
    let nobodies = began.elapsed();
    let began = Instant::now();
    dear.make("zoe", Role::User).await;
    let one_of_today = began.elapsed();
    assert!(nobodies < 4 * one_of_today, "{nobodies:?}, {one_of_today:?}");
}

async fn a_session_beyond_the_limit_ends_the_oldest(database: Database) {
    let service = Service::start(&database, "--max-sessions-per-user 2").await;
    service.make("ada", Role::User).await;
    let mut all = Vec::new();
    for _ in 0..3 {
        service.clock.advance(Duration::from_millis(5));
        all.push(service.login("ada").await);
    }
    assert_eq!(service.refusal(&all[0].access).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(service.refusal(&all[1].access).await, None);
    assert_eq!(service.refusal(&all[2].access).await, None);
    assert_eq!(code(&service.refresh(&all[0].refresh, None).await), "SESSION_ENDED");
}

async fn registration_is_closed_unless_opened(database: Database) {
    let service = Service::start(&database, "").await;
    let payload = register(&service, "ada").await;
    assert_eq!(code(&payload), "REGISTRATION_CLOSED");
    assert_eq!(database.raw().await.number("SELECT count(*) FROM users").await, 0);
}

async fn a_name_is_taken_in_every_spelling(database: Database) {
    let service = Service::start(&database, "--registration open").await;
    assert!(tokens(&register(&service, "Jos\u{e9}").await).is_some());
    for name in ["Jos\u{e9}", "JOSE\u{301}", "jose\u{301}"] {
        assert_eq!(code(&register(&service, name).await), "USERNAME_TAKEN", "{name}");
    }
}

async fn register(service: &Service, name: &str) -> Value {
    const REGISTER: &str = "mutation($u: String!, $p: String!) {
        register(input: { username: $u, password: $p }) {
            tokens { accessToken refreshToken } errors { code } } }";
    let answer = service.send(None, REGISTER, json!({ "u": name, "p": PASSWORD })).await;
    answer["data"]["register"].clone()
}

async fn fifty_who_register_one_name_in_two_spellings_make_one_account(database: Database) {
    let service = Service::start(&database, "--registration open --throttle false").await;
    let all = (0..50).map(|n| register(&service, if n % 2 == 0 { "ada" } else { "ADA" }));
    let payloads = futures_util::future::join_all(all).await;
    let made = payloads.iter().filter(|payload| tokens(payload).is_some()).count();
    let taken = payloads.iter().filter(|payload| payload["tokens"].is_null());
    assert!(taken.into_iter().all(|payload| code(payload) == "USERNAME_TAKEN"));
    assert_eq!(made, 1);
    assert_eq!(database.raw().await.number("SELECT count(*) FROM users").await, 1);
    assert_eq!(database.raw().await.number("SELECT count(*) FROM sessions").await, 1);
}
