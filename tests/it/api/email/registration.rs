//! Registration and login of accounts whose address is not verified.

use std::time::Duration;

use serde_json::json;

use super::super::service::{PASSWORD, Service, code, tokens};
use super::mailbox::{
    challenge_token, continue_login, count, newest, register, verify_by_code, verify_by_link,
};
use crate::databases::{Database, on_both};

on_both!(
    without_the_verification_there_is_no_session_where_it_is_required,
    a_right_password_before_the_verification_mails_a_code,
    where_it_is_not_required_the_session_verifies_its_address,
    an_account_without_an_address_logs_in,
);

const REFUSE: &str = "--registration open --unverified-email refuse";

async fn without_the_verification_there_is_no_session_where_it_is_required(database: Database) {
    let service = Service::start(&database, REFUSE).await;
    let missing = register(&service, "ada", None).await;
    assert_eq!(code(&missing), "INVALID_INPUT");
    assert_eq!(missing["errors"][0]["path"], json!(["input", "email"]));
    let asked = register(&service, "ada", Some("ada@example.com")).await;
    assert_eq!(code(&asked), "SECOND_STEP_REQUIRED");
    assert!(asked["tokens"].is_null() && asked["session"].is_null(), "{asked}");
    assert_eq!(asked["challenge"]["steps"], json!(["EMAIL_CODE"]));
    assert_eq!(database.raw().await.number("SELECT count(*) FROM sessions").await, 0);
    let mail = newest(&service, "verify").await;
    let done = continue_login(&service, challenge_token(&asked), mail.code()).await;
    assert!(tokens(&done).is_some(), "{done}");
    assert!(done["user"]["emailVerifiedAt"].is_string());
    assert!(tokens(&service.try_login("ada", PASSWORD).await).is_some(), "the password stays");
}

async fn a_right_password_before_the_verification_mails_a_code(database: Database) {
    let service = Service::start(&database, REFUSE).await;
    register(&service, "ada", Some("ada@example.com")).await;
    let wrong = service.try_login("ada", "wrong").await;
    assert_eq!(code(&wrong), "INVALID_CREDENTIALS");
    assert_eq!(count(&service, "login").await, 0);
    const LOGIN: &str =
        "mutation($p: String!) { login(input: { username: \"ada\", password: $p }) {
        tokens { accessToken } challenge { challengeToken sentTo } errors { code } } }";
    let answer = service.send(None, LOGIN, json!({ "p": PASSWORD })).await;
    let asked = &answer["data"]["login"];
    assert_eq!(code(asked), "SECOND_STEP_REQUIRED");
    assert_eq!(asked["challenge"]["sentTo"], "a***@example.com");
    let mail = newest(&service, "login").await;
    let done = continue_login(&service, challenge_token(asked), mail.code()).await;
    assert!(tokens(&done).is_some(), "{done}");
    assert!(tokens(&service.try_login("ada", PASSWORD).await).is_some());
}

async fn where_it_is_not_required_the_session_verifies_its_address(database: Database) {
    let service = Service::start(&database, "--registration open").await;
    let registered = register(&service, "ada", Some("ada@example.com")).await;
    let ada = tokens(&registered).unwrap_or_else(|| panic!("{registered}"));
    assert!(registered["user"]["emailVerifiedAt"].is_null() && registered["challenge"].is_null());
    const REQUEST: &str = "mutation { requestEmailVerification {
        challenge { challengeToken sentTo steps } errors { code } } }";
    service.clock.advance(Duration::from_millis(1));
    let asked = service.send(Some(&ada.access), REQUEST, json!({})).await;
    let asked = &asked["data"]["requestEmailVerification"];
    assert!(asked["challenge"]["challengeToken"].is_null(), "{asked}");
    assert_eq!(asked["challenge"]["sentTo"], "a***@example.com");
    let mail = newest(&service, "verify").await;
    let done = verify_by_code(&service, Some(&ada.access), mail.code()).await;
    assert_eq!(done["endedCount"], 0, "{done}");
    assert!(done["user"]["emailVerifiedAt"].is_string());
    assert_eq!(service.refusal(&ada.access).await, None);
    let again = service.send(Some(&ada.access), REQUEST, json!({})).await;
    assert_eq!(code(&again["data"]["requestEmailVerification"]), "INVALID_INPUT");
    let spent = verify_by_link(&service, Some(&ada.access), mail.token(), None).await;
    assert_eq!(code(&spent), "CHALLENGE_EXPIRED");
}

async fn an_account_without_an_address_logs_in(database: Database) {
    use sallyport::domain::user::Role;
    let service = Service::start(&database, REFUSE).await;
    service.make("root", Role::Admin).await;
    let root = service.login("root").await;
    const REQUEST: &str = "mutation { requestEmailVerification { errors { code } } }";
    let asked = service.send(Some(&root.access), REQUEST, json!({})).await;
    assert_eq!(code(&asked["data"]["requestEmailVerification"]), "EMAIL_NOT_CONFIGURED");
}
