//! Removal of the app.

use std::time::Duration;

use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::super::email::mailbox::{newest, verified};
use super::super::service::{PASSWORD, Service, code};
use super::app::{access, enroll, login, reason, reauthenticate};
use crate::databases::{Database, on_both};

on_both!(
    an_app_is_removed_by_a_recent_second_factor_only,
    the_last_factor_of_an_account_that_needs_one_stays,
    where_factors_are_off_none_is_added_and_those_that_exist_are_kept,
);

const REMOVE: &str = "mutation { removeTotp {
    user { secondFactors { totpSince recoveryCodesLeft } } errors { code } } }";

async fn an_app_is_removed_by_a_recent_second_factor_only(database: Database) {
    let mut service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let single = service.login("ada").await;
    let app = enroll(&service, &single.access).await;
    let refused = service.send(Some(&single.access), REMOVE, Value::Null).await;
    assert_eq!(reason(&refused), "REAUTHENTICATION_REQUIRED");
    assert_eq!(refused["errors"][0]["extensions"]["assurance"], "MULTI_FACTOR");
    let double = login(&mut service, "ada", &app).await;
    service.pass(Duration::from_mins(6)).await;
    // The password makes the session fresh, and its factor stays old.
    let by_password =
        reauthenticate(&service, &double.access, json!({ "password": PASSWORD })).await;
    let refused = service.send(Some(&access(&by_password)), REMOVE, Value::Null).await;
    assert_eq!(refused["errors"][0]["extensions"]["assurance"], "MULTI_FACTOR");
    let code_now = app.next_code(&mut service).await;
    let by_app = reauthenticate(&service, &double.access, json!({ "totpCode": code_now })).await;
    let removed = service.send(Some(&access(&by_app)), REMOVE, Value::Null).await;
    let removed = &removed["data"]["removeTotp"];
    let factors = &removed["user"]["secondFactors"];
    assert_eq!(*factors, json!({ "totpSince": null, "recoveryCodesLeft": 0 }), "{removed}");
    newest(&service, "notice-factor-removed").await;
    service.login("ada").await;
    let again = service.send(Some(&access(&by_app)), REMOVE, Value::Null).await;
    assert_eq!(code(&again["data"]["removeTotp"]), "NOT_FOUND");
}

async fn the_last_factor_of_an_account_that_needs_one_stays(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("root", Role::Admin).await;
    let root = service.login("root").await;
    let app = enroll(&service, &root.access).await;
    let mut service =
        Service::start_at(&database, "--second-factor admins", service.clock.clone()).await;
    let root = login(&mut service, "root", &app).await;
    let kept = service.send(Some(&root.access), REMOVE, Value::Null).await;
    assert_eq!(code(&kept["data"]["removeTotp"]), "LAST_CREDENTIAL");
}

async fn where_factors_are_off_none_is_added_and_those_that_exist_are_kept(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let app = enroll(&service, &ada.access).await;
    let off = Service::start_at(&database, "--second-factor off", service.clock.clone()).await;
    let by_password = off.login("ada").await;
    let refused = super::app::begin_totp(&off, Some(&by_password.access), None).await;
    assert_eq!(code(&refused["data"]["beginTotp"]), "FORBIDDEN");
    let mut on = Service::start_at(&database, "", service.clock.clone()).await;
    assert_eq!(code(&on.try_login("ada", PASSWORD).await), "SECOND_STEP_REQUIRED");
    login(&mut on, "ada", &app).await;
}
