//! Reset of the factors of a user who lost them, by an administrator.

use std::time::Duration;

use sallyport::auth::Admin;
use sallyport::domain::origin::Origin;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::super::email::mailbox::{continue_login, count, newest, verified};
use super::super::service::{PASSWORD, Service, code, tokens};
use super::app::{enroll, first_step, reason};
use crate::databases::{Database, on_both};

on_both!(
    a_reset_ends_sessions_and_the_next_login_needs_a_code_by_mail,
    without_a_verified_address_the_password_is_enough_after_a_reset,
    only_an_administrator_with_a_recent_login_resets_and_never_the_own_factors,
);

const RESET: &str =
    "mutation($u: ID!) { resetUserFactors(input: { userId: $u, note: \"Lost phone\" }) {
    endedCount user { secondFactors { totpSince recoveryCodesLeft } } errors { code path } } }";

async fn a_reset_ends_sessions_and_the_next_login_needs_a_code_by_mail(database: Database) {
    let service = Service::start(&database, "").await;
    let id = verified(&service, "ada").await;
    service.make("root", Role::Admin).await;
    let root = service.login("root").await;
    let ada = service.login("ada").await;
    enroll(&service, &ada.access).await;
    let reset = service.send(Some(&root.access), RESET, json!({ "u": id })).await;
    let reset = &reset["data"]["resetUserFactors"];
    assert_eq!((&reset["endedCount"], &reset["errors"]), (&json!(1), &json!([])), "{reset}");
    let none = json!({ "totpSince": null, "recoveryCodesLeft": 0 });
    assert_eq!(reset["user"]["secondFactors"], none);
    assert_eq!(service.refusal(&ada.access).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(newest(&service, "notice-factors-reset").await.to, "ada@example.com");
    const EVENTS: &str = "query($u: ID!) { node(id: $u) { ... on User {
        blacklistEntries { nodes { reason } }
        auditEvents(filter: { kinds: [FACTOR_REMOVED, SESSION_ENDED] }) {
            nodes { kind detail actor { username } } } } } }";
    let read = service.send(Some(&root.access), EVENTS, json!({ "u": id })).await;
    assert_eq!(read["data"]["node"]["blacklistEntries"]["nodes"][0]["reason"], "FACTORS_RESET");
    let events = read["data"]["node"]["auditEvents"]["nodes"].to_string();
    assert!(events.contains("all, by an administrator") && events.contains("root"), "{events}");

    // The administrator, who may know the password, is not let in by it alone.
    for _ in 0..2 {
        let first = first_step(&service, "ada").await;
        assert_eq!(first["challenge"]["steps"], json!(["EMAIL_CODE"]), "{first}");
        assert!(first["tokens"].is_null());
        service.clock.advance(Duration::from_millis(1));
    }
    let first = first_step(&service, "ada").await;
    let mail = newest(&service, "login").await;
    let token = first["challenge"]["challengeToken"].as_str().unwrap();
    let second = continue_login(&service, token, mail.code()).await;
    assert!(tokens(&second).is_some(), "{second}");
    // Once.
    service.login("ada").await;
}

async fn without_a_verified_address_the_password_is_enough_after_a_reset(database: Database) {
    let service = Service::start(&database, "").await;
    let id = service.make("ada", Role::User).await;
    service.make("root", Role::Admin).await;
    let root = service.login("root").await;
    let ada = service.login("ada").await;
    enroll(&service, &ada.access).await;
    let reset = service.send(Some(&root.access), RESET, json!({ "u": id })).await;
    assert_eq!(reset["data"]["resetUserFactors"]["errors"], json!([]));
    let ada = service.login("ada").await;
    const EVENTS: &str = "{ viewer { auditEvents(first: 1, filter: { kinds: [LOGIN_SUCCEEDED] }) {
        nodes { detail } } } }";
    let read = service.send(Some(&ada.access), EVENTS, Value::Null).await;
    let detail = &read["data"]["viewer"]["auditEvents"]["nodes"][0]["detail"];
    assert_eq!(detail, "second factors were reset, no verified address");
    assert_eq!(count(&service, "notice-factors-reset").await, 0);
}

async fn only_an_administrator_with_a_recent_login_resets_and_never_the_own_factors(
    database: Database,
) {
    let mut service = Service::start(&database, "").await;
    let id = service.make("ada", Role::User).await;
    let own = service.make("root", Role::Admin).await;
    let (root, ada) = (service.login("root").await, service.login("ada").await);
    enroll(&service, &ada.access).await;
    let by_user = service.send(Some(&ada.access), RESET, json!({ "u": id })).await;
    assert_eq!(by_user["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let of_own = service.send(Some(&root.access), RESET, json!({ "u": own })).await;
    assert_eq!(code(&of_own["data"]["resetUserFactors"]), "FORBIDDEN");
    let nobody = "User:018f0000-0000-7000-8000-000000000000";
    let unknown = service.send(Some(&root.access), RESET, json!({ "u": nobody })).await;
    assert_eq!(code(&unknown["data"]["resetUserFactors"]), "NOT_FOUND");
    service.pass(Duration::from_mins(6)).await;
    let late = service.send(Some(&root.access), RESET, json!({ "u": id })).await;
    assert_eq!(reason(&late), "REAUTHENTICATION_REQUIRED");
    assert_eq!(code(&service.try_login("ada", PASSWORD).await), "SECOND_STEP_REQUIRED");
    // On the shell.
    let found =
        service.core.auth.reads.user_named(Admin::operator(), "ada").await.unwrap().unwrap();
    let enrollments = &service.core.auth.enrollments;
    let (by, origin) = (Admin::operator(), Origin::default());
    let (_, ended) = enrollments.reset_factors(by, found.id, None, origin).await.unwrap();
    assert_eq!(ended, 1);
    service.login("ada").await;
}
