//! Fields that require a fresh login, and the mutation that renews the proof of the user.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use futures_util::future::join_all;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{PASSWORD, Service, code, tokens};
use crate::databases::{Database, on_both};

on_both!(
    a_field_that_requires_a_fresh_login_is_refused_after_five_minutes,
    a_refresh_keeps_the_time_of_the_proof,
    a_wrong_password_renews_nothing_and_is_limited,
    a_session_that_has_ended_is_not_reauthenticated,
    exactly_one_proof_is_given,
    of_a_change_of_the_password_and_a_proof_by_the_old_one_at_once_no_session_stays_fresh_wrongly,
);

const EXPORT: &str = "mutation { exportAccount { document errors { code } } }";

pub async fn reauthenticate(service: &Service, access: &str, password: &str) -> Value {
    const REAUTHENTICATE: &str = "mutation($p: String!) {
        reauthenticate(input: { proof: { password: $p } }) {
            tokens { accessToken refreshToken } session { sid authenticatedAt }
            errors { code path retryAfterSeconds } } }";
    let answer = service.send(Some(access), REAUTHENTICATE, json!({ "p": password })).await;
    answer["data"]["reauthenticate"].clone()
}

fn access_token(payload: &Value) -> String {
    payload["tokens"]["accessToken"].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
}

async fn a_field_that_requires_a_fresh_login_is_refused_after_five_minutes(database: Database) {
    let mut service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let export = async |service: &Service, access: &str| {
        service.send(Some(access), EXPORT, Value::Null).await
    };
    service.pass(Duration::from_secs(298)).await;
    assert!(export(&service, &ada.access).await["data"]["exportAccount"]["document"].is_object());
    service.pass(Duration::from_secs(3)).await;
    let body = json!({ "query": EXPORT }).to_string();
    let request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {}", ada.access))
        .body(Body::from(body));
    let response = service.answer(request.unwrap()).await;
    let challenge = response.headers()[header::WWW_AUTHENTICATE].to_str().unwrap().to_owned();
    assert_eq!(challenge, r#"Bearer error="insufficient_user_authentication", max_age=300"#);
    let refused = export(&service, &ada.access).await;
    let extensions = &refused["errors"][0]["extensions"];
    assert_eq!(extensions["code"], "UNAUTHENTICATED");
    assert_eq!(extensions["reason"], "REAUTHENTICATION_REQUIRED");
    assert_eq!(extensions["maxAge"], 300);
    assert!(extensions["assurance"].is_null() && refused["data"]["exportAccount"].is_null());
    // Other fields need no proof, and the session stays the same.
    assert_eq!(service.refusal(&ada.access).await, None);
    let renewed = reauthenticate(&service, &ada.access, PASSWORD).await;
    assert!(renewed["tokens"]["refreshToken"].is_null());
    let fresh = access_token(&renewed);
    assert!(export(&service, &fresh).await["data"]["exportAccount"]["document"].is_object());
    // The old access token has the old time.
    let refused = export(&service, &ada.access).await;
    assert_eq!(refused["errors"][0]["extensions"]["reason"], "REAUTHENTICATION_REQUIRED");
    assert!(tokens(&service.refresh(&ada.refresh, None).await).is_some());
}

async fn a_refresh_keeps_the_time_of_the_proof(database: Database) {
    let mut service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    const AUTHENTICATED_AT: &str = "{ viewerSession { authenticatedAt createdAt } }";
    let times = async |service: &Service, access: &str| {
        let answer = service.send(Some(access), AUTHENTICATED_AT, Value::Null).await;
        answer["data"]["viewerSession"].clone()
    };
    let first = times(&service, &ada.access).await;
    assert_eq!(first["authenticatedAt"], first["createdAt"]);
    service.pass(Duration::from_mins(6)).await;
    let refreshed = tokens(&service.refresh(&ada.refresh, None).await).unwrap();
    assert_eq!(times(&service, &refreshed.access).await, first);
    let refused = service.send(Some(&refreshed.access), EXPORT, Value::Null).await;
    assert_eq!(refused["errors"][0]["extensions"]["reason"], "REAUTHENTICATION_REQUIRED");

    let renewed = reauthenticate(&service, &refreshed.access, PASSWORD).await;
    let at = renewed["session"]["authenticatedAt"].clone();
    assert_ne!(at, first["createdAt"]);
    service.pass(Duration::from_mins(2)).await;
    let again = tokens(&service.refresh(&refreshed.refresh, None).await).unwrap();
    let after = times(&service, &again.access).await;
    assert_eq!((&after["authenticatedAt"], &after["createdAt"]), (&at, &first["createdAt"]));
    let exported = service.send(Some(&again.access), EXPORT, Value::Null).await;
    assert!(exported["data"]["exportAccount"]["document"].is_object(), "{exported}");
}

async fn a_wrong_password_renews_nothing_and_is_limited(database: Database) {
    let mut service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    service.pass(Duration::from_mins(6)).await;
    for _ in 0..5 {
        let refused = reauthenticate(&service, &ada.access, "wrong").await;
        assert_eq!(code(&refused), "INVALID_PROOF");
        assert_eq!(refused["errors"][0]["path"], json!(["input", "proof"]));
    }
    let limited = reauthenticate(&service, &ada.access, PASSWORD).await;
    assert_eq!(code(&limited), "RATE_LIMITED");
    let refused = service.send(Some(&ada.access), EXPORT, Value::Null).await;
    assert_eq!(refused["errors"][0]["extensions"]["reason"], "REAUTHENTICATION_REQUIRED");
    const EVENTS: &str = "{ viewer { auditEvents(filter: { kinds: [PROOF_FAILED] }) {
        nodes { detail actor { username } session { isCurrent } } } } }";
    let events = service.send(Some(&ada.access), EVENTS, Value::Null).await;
    let events = events["data"]["viewer"]["auditEvents"]["nodes"].as_array().unwrap().clone();
    assert_eq!(events.len(), 5, "{events:?}");
    let expected = json!({ "detail": "password", "actor": { "username": "ada" },
        "session": { "isCurrent": true } });
    assert!(events.iter().all(|event| *event == expected), "{events:?}");
    // A right one resets the count.
    service.pass(Duration::from_secs(2)).await;
    access_token(&reauthenticate(&service, &ada.access, PASSWORD).await);
    assert_eq!(code(&reauthenticate(&service, &ada.access, "wrong").await), "INVALID_PROOF");
}

async fn a_session_that_has_ended_is_not_reauthenticated(database: Database) {
    let service = Service::start(&database, "").await;
    let other = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    // By another replica, whose end this one has not read yet.
    other.logout(None, Some(&ada.refresh), "CURRENT").await;
    const REAUTHENTICATE: &str = "mutation($p: String!) {
        reauthenticate(input: { proof: { password: $p } }) { tokens { accessToken } } }";
    let refused = service.send(Some(&ada.access), REAUTHENTICATE, json!({ "p": PASSWORD })).await;
    assert_eq!(refused["errors"][0]["extensions"]["reason"], "SESSION_ENDED", "{refused}");
}

async fn exactly_one_proof_is_given(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    for proof in [json!({}), json!({ "password": null }), json!({ "secret": "x" }), Value::Null] {
        const REAUTHENTICATE: &str = "mutation($p: ProofInput!) {
            reauthenticate(input: { proof: $p }) { errors { code } } }";
        let (_, refused) =
            service.post(Some(&ada.access), REAUTHENTICATE, json!({ "p": proof })).await;
        let code = &refused["errors"][0]["extensions"]["code"];
        assert!(["BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"].contains(&code.as_str().unwrap()));
        assert!(refused["data"].is_null(), "{refused}");
    }
}

async fn of_a_change_of_the_password_and_a_proof_by_the_old_one_at_once_no_session_stays_fresh_wrongly(
    database: Database,
) {
    const NEW: &str = "velvet-kayak-hyphen-77";
    const CHANGE: &str = "mutation($c: String!, $n: String!) {
        changePassword(input: { currentPassword: $c, newPassword: $n }) { errors { code } } }";
    let mut service = Service::start(&database, "--throttle false").await;
    service.make("ada", Role::User).await;
    let (here, there) = (service.login("ada").await, service.login("ada").await);
    service.pass(Duration::from_mins(6)).await;
    let change = service.post(Some(&here.access), CHANGE, json!({ "c": PASSWORD, "n": NEW }));
    let proofs = join_all((0..8).map(|_| async {
        const REAUTHENTICATE: &str = "mutation($p: String!) {
            reauthenticate(input: { proof: { password: $p } }) { tokens { accessToken } } }";
        let sent = json!({ "p": PASSWORD });
        service.post(Some(&there.access), REAUTHENTICATE, sent).await.1
    }));
    let ((_, changed), proofs) = tokio::join!(change, proofs);
    assert_eq!(changed["data"]["changePassword"]["errors"], json!([]), "{changed}");
    // Whichever came first: the change ended the other session, so no token of it is accepted.
    for proof in proofs {
        if let Some(token) = proof["data"]["reauthenticate"]["tokens"]["accessToken"].as_str() {
            assert_eq!(service.refusal(token).await.as_deref(), Some("SESSION_ENDED"));
        }
    }
    assert_eq!(service.refusal(&there.access).await.as_deref(), Some("SESSION_ENDED"));
}
