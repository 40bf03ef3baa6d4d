//! Logins.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, header};
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::client::{
    ENDPOINTS, JSON, NO_ACCOUNT, OBTAIN, ask, deactivate, log_in, pair, post, send,
};
use crate::api::second_factors::app::{claims, enroll};
use crate::api::service::{self, PASSWORD, Service};
use crate::databases::{Database, on_both};

on_both!(
    a_login_gives_a_refresh_and_an_access_token_in_this_order,
    whatever_is_wrong_the_refusal_is_that_of_simplejwt,
    a_login_opens_one_session_with_its_address_and_client,
    an_account_with_a_second_factor_is_told_where_to_log_in,
    an_account_that_has_to_add_a_second_factor_is_told_where_to_log_in,
    attempts_have_the_limits_of_the_mutation_and_are_told_when_to_try_again,
);

async fn a_login_gives_a_refresh_and_an_access_token_in_this_order(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    let id = service.make("ada", Role::User).await;
    let fields = json!({ "username": "ada", "password": PASSWORD });
    let answer = post(&service, OBTAIN, fields).await;
    let tokens = pair(&answer);
    let expected = format!(r#"{{"refresh":"{}","access":"{}"}}"#, tokens.refresh, tokens.access);
    assert_eq!(answer.body, expected);
    assert_eq!(service.refusal(&tokens.access).await, None);
    assert_eq!(claims(&tokens.access)["token_type"], "access");
    assert_eq!(format!("User:{}", claims(&tokens.access)["sub"].as_str().unwrap()), id);
    assert!(service::tokens(&service.refresh(&tokens.refresh, None).await).is_some());
}

async fn whatever_is_wrong_the_refusal_is_that_of_simplejwt(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    let bob = service.make("bob", Role::User).await;
    deactivate(&service, &bob).await;
    for (username, password) in [
        ("admin", "wrong"),
        ("nobody", PASSWORD),
        ("bob", PASSWORD),
        ("admin", &*"x".repeat(10_000)),
        (&*"x".repeat(10_000), PASSWORD),
    ] {
        let fields = json!({ "username": username, "password": password });
        post(&service, OBTAIN, fields).await.is(NO_ACCOUNT);
    }
}

async fn a_login_opens_one_session_with_its_address_and_client(database: Database) {
    const SESSIONS: &str = "{ viewer { sessions { nodes { client { lastIp userAgent } } } } }";
    let service =
        Service::start(&database, &format!("{ENDPOINTS} --trusted-proxy 192.0.2.1")).await;
    service.make("ada", Role::User).await;
    let body = json!({ "username": "ada", "password": PASSWORD }).to_string();
    let mut request = Request::post(OBTAIN)
        .header(header::CONTENT_TYPE, JSON)
        .header(header::USER_AGENT, "Shop/4.2 (Android 16)")
        .header("x-forwarded-for", "198.51.100.7")
        // Neither is for this endpoint.
        .header(header::AUTHORIZATION, "Bearer garbage")
        .header(header::COOKIE, "__Host-sallyport-refresh=garbage")
        .body(Body::from(body))
        .unwrap();
    let proxy = SocketAddr::from(([192, 0, 2, 1], 40_000));
    request.extensions_mut().insert(ConnectInfo(proxy));
    let tokens = pair(&send(&service, request).await);
    let answer = service.send(Some(&tokens.access), SESSIONS, Value::Null).await;
    let expected =
        json!([{ "client": { "lastIp": "198.51.100.7", "userAgent": "Shop/4.2 (Android 16)" } }]);
    assert_eq!(answer["data"]["viewer"]["sessions"]["nodes"], expected, "{answer}");
}

async fn an_account_with_a_second_factor_is_told_where_to_log_in(database: Database) {
    let flags = format!("{ENDPOINTS} --app-url https://app.example.com/");
    let service = Service::start(&database, &flags).await;
    service.make("ada", Role::User).await;
    let tokens = log_in(&service, "ada").await;
    enroll(&service, &tokens.access).await;
    let told = r#"{"detail":"This account needs a second step to log in. Log in at https://app.example.com","code":"second_step_required"}"#;
    post(&service, OBTAIN, json!({ "username": "ada", "password": PASSWORD }))
        .await
        .is((401, told));
    post(&service, OBTAIN, json!({ "username": "ada", "password": "wrong" })).await.is(NO_ACCOUNT);
}

async fn an_account_that_has_to_add_a_second_factor_is_told_where_to_log_in(database: Database) {
    let flags = format!("{ENDPOINTS} --second-factor required");
    let service = Service::start(&database, &flags).await;
    service.make("ada", Role::User).await;
    let told = r#"{"detail":"This account needs a second step to log in. Log in at http://127.0.0.1:8000","code":"second_step_required"}"#;
    post(&service, OBTAIN, json!({ "username": "ada", "password": PASSWORD }))
        .await
        .is((401, told));
}

async fn attempts_have_the_limits_of_the_mutation_and_are_told_when_to_try_again(
    database: Database,
) {
    let service = Service::start(&database, ENDPOINTS).await;
    service.make("ada", Role::User).await;
    let wrong = json!({ "username": "ada", "password": "wrong" });
    let mut refused = None;
    for _ in 0..50 {
        let answer = post(&service, OBTAIN, wrong.clone()).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        answer.is(NO_ACCOUNT);
    }
    let refused = refused.unwrap();
    refused.has_headers();
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    let unit = if wait == 1 { "second" } else { "seconds" };
    let expected =
        format!(r#"{{"detail":"Request was throttled. Expected available in {wait} {unit}."}}"#);
    assert_eq!(refused.body, expected);
    let payload = service.try_login("ada", PASSWORD).await;
    assert_eq!(payload["errors"][0]["code"], "RATE_LIMITED", "{payload}");
    let right = json!({ "username": "ada", "password": PASSWORD }).to_string();
    let answer = ask(&service, "POST", OBTAIN, &[("content-type", JSON)], right).await;
    assert_eq!(answer.status, 429);
}
