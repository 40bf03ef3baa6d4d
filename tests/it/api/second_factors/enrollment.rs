//! Enrollment of an authenticator app in a session.

use std::time::Duration;

use futures_util::future::join_all;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::super::email::mailbox::{count, verified};
use super::super::service::{Service, code};
use super::app::{
    App, STEP, access, begin_totp, confirm_totp, enroll, first_step, login, reason, reauthenticate,
    second_step,
};
use crate::databases::{Database, on_both};

on_both!(
    an_enrollment_leaves_nothing_until_its_first_right_code,
    of_confirmations_at_once_on_two_replicas_one_adds_the_app,
    an_enrollment_ends_after_ten_minutes_and_with_its_session,
    adding_a_factor_needs_a_recent_proof_and_the_factor_that_is_there,
    a_secret_outlives_the_master_secret_that_sealed_it,
    a_new_factor_is_told_to_the_user,
);

const FACTORS: &str =
    "{ viewer { hasPassword secondFactors { isRequired recoveryCodesLeft totpSince } } }";

async fn an_enrollment_leaves_nothing_until_its_first_right_code(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let begun = begin_totp(&service, Some(&ada.access), None).await["data"]["beginTotp"].clone();
    assert!(begun["uri"].as_str().unwrap().starts_with("otpauth://totp/"), "{begun}");
    assert!(begun["qrCode"].as_str().unwrap().contains("<svg"), "{begun}");
    let (app, token) =
        (App::new(begun["secret"].as_str().unwrap()), begun["challengeToken"].as_str().unwrap());
    // A page that is merely open: nothing is asked for at the login.
    service.login("ada").await;
    let wrong = confirm_totp(&service, Some(&ada.access), token, "000000").await;
    let wrong = &wrong["data"]["confirmTotp"];
    assert_eq!(code(wrong), "INVALID_PROOF");
    assert_eq!(wrong["errors"][0]["path"], json!(["input", "code"]));
    let read = service.send(Some(&ada.access), FACTORS, Value::Null).await;
    let none = json!({ "isRequired": false, "recoveryCodesLeft": 0, "totpSince": null });
    assert_eq!(read["data"]["viewer"]["secondFactors"], none);

    let code = app.code(&service);
    let confirmed = confirm_totp(&service, Some(&ada.access), token, &code).await;
    let confirmed = &confirmed["data"]["confirmTotp"];
    assert_eq!(confirmed["recoveryCodes"].as_array().unwrap().len(), 10, "{confirmed}");
    assert!(confirmed["login"].is_null());
    let factors = &confirmed["user"]["secondFactors"];
    assert_eq!(factors["recoveryCodesLeft"], 10);
    assert!(factors["totpSince"].is_string());
    let read = service.send(Some(&ada.access), FACTORS, Value::Null).await;
    assert_eq!(read["data"]["viewer"]["secondFactors"], *factors);
    assert_eq!(read["data"]["viewer"]["hasPassword"], true);
    // The token is spent, and the code, too.
    let again = confirm_totp(&service, Some(&ada.access), token, &code).await;
    assert_eq!(super::super::service::code(&again["data"]["confirmTotp"]), "CHALLENGE_EXPIRED");
    let first = first_step(&service, "ada").await;
    let replayed = second_step(&service, &first, json!({ "totpCode": code })).await;
    assert_eq!(super::super::service::code(&replayed), "INVALID_PROOF");
}

async fn of_confirmations_at_once_on_two_replicas_one_adds_the_app(database: Database) {
    let service = Service::start(&database, "").await;
    let other = Service::start_at(&database, "", std::sync::Arc::clone(&service.clock)).await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let begun = begin_totp(&service, Some(&ada.access), None).await["data"]["beginTotp"].clone();
    let app = App::new(begun["secret"].as_str().unwrap());
    let (token, code) = (begun["challengeToken"].as_str().unwrap(), app.code(&service));
    let replicas = [&service, &other];
    let at_once = (0..20).map(|n| confirm_totp(replicas[n % 2], Some(&ada.access), token, &code));
    let added = join_all(at_once).await;
    let added = added.iter().filter(|done| !done["data"]["confirmTotp"]["user"].is_null());
    assert_eq!(added.count(), 1);
}

async fn an_enrollment_ends_after_ten_minutes_and_with_its_session(database: Database) {
    let mut service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let (ada, other) = (service.login("ada").await, service.login("ada").await);
    let begin = async |service: &Service| {
        let begun = begin_totp(service, Some(&ada.access), None).await["data"]["beginTotp"].clone();
        let token = begun["challengeToken"].as_str().unwrap().to_owned();
        (App::new(begun["secret"].as_str().unwrap()), token)
    };
    let (app, token) = begin(&service).await;
    // In another session of the same user, and without one.
    let code_now = app.code(&service);
    let elsewhere = confirm_totp(&service, Some(&other.access), &token, &code_now).await;
    assert_eq!(code(&elsewhere["data"]["confirmTotp"]), "CHALLENGE_EXPIRED");
    let nobody = confirm_totp(&service, None, &token, &code_now).await;
    assert_eq!(reason(&nobody), "NO_TOKEN");
    service.pass(Duration::from_mins(10)).await;
    let expired = confirm_totp(&service, Some(&ada.access), &token, &app.code(&service)).await;
    assert_eq!(code(&expired["data"]["confirmTotp"]), "CHALLENGE_EXPIRED");
    for text in ["", "x", &"A".repeat(2_000)] {
        let refused = confirm_totp(&service, Some(&ada.access), text, "123456").await;
        assert_eq!(code(&refused["data"]["confirmTotp"]), "CHALLENGE_EXPIRED", "{text}");
    }
}

async fn adding_a_factor_needs_a_recent_proof_and_the_factor_that_is_there(database: Database) {
    let mut service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    assert_eq!(reason(&begin_totp(&service, None, None).await), "NO_TOKEN");
    service.pass(Duration::from_mins(5)).await;
    let old = begin_totp(&service, Some(&ada.access), None).await;
    assert_eq!(reason(&old), "REAUTHENTICATION_REQUIRED");
    assert_eq!(old["errors"][0]["extensions"]["maxAge"], 300);
    assert!(old["errors"][0]["extensions"]["assurance"].is_null());
    let password = json!({ "password": super::super::service::PASSWORD });
    let fresh = access(&reauthenticate(&service, &ada.access, password.clone()).await);
    let mut app = enroll(&service, &fresh).await;
    // The session that added it has not used it: neither it nor another one may add a second factor by the
    // password alone, nor by a recovery code.
    for proof in [None, Some(password), Some(json!({ "recoveryCode": app.recovery_codes[0] }))] {
        let token = match proof {
            None => fresh.clone(),
            Some(proof) => access(&reauthenticate(&service, &fresh, proof).await),
        };
        let refused = begin_totp(&service, Some(&token), None).await;
        assert_eq!(reason(&refused), "REAUTHENTICATION_REQUIRED");
        assert_eq!(refused["errors"][0]["extensions"]["assurance"], "MULTI_FACTOR");
    }
    let code_now = app.next_code(&mut service).await;
    let strong = access(&reauthenticate(&service, &fresh, json!({ "totpCode": code_now })).await);
    let replaced = enroll(&service, &strong).await;
    // The recovery codes stay those of the first factor.
    assert!(replaced.recovery_codes.is_empty());
    app.recovery_codes.clear();
    let first = first_step(&service, "ada").await;
    let by_old = app.next_code(&mut service).await;
    assert_eq!(
        code(&second_step(&service, &first, json!({ "totpCode": by_old })).await),
        "INVALID_PROOF"
    );
    login(&mut service, "ada", &replaced).await;
}

async fn a_secret_outlives_the_master_secret_that_sealed_it(database: Database) {
    const OLD: &str = "--secret 0123456789abcdefghijklmnopqrstuv";
    const BOTH: &str = "--secret ZYXWVUTSRQPONMLKJIHGFEDCBA987654,0123456789abcdefghijklmnopqrstuv";
    const NEW: &str = "--secret ZYXWVUTSRQPONMLKJIHGFEDCBA987654";
    let service = Service::start(&database, OLD).await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let app = enroll(&service, &ada.access).await;
    drop(Service::start(&database, BOTH).await);
    let mut later = Service::start(&database, NEW).await;
    later.pass(STEP).await;
    login(&mut later, "ada", &app).await;
    let first = first_step(&later, "ada").await;
    let by_paper =
        second_step(&later, &first, json!({ "recoveryCode": app.recovery_codes[3] })).await;
    access(&by_paper);
}

async fn a_new_factor_is_told_to_the_user(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let ada = service.login("ada").await;
    enroll(&service, &ada.access).await;
    assert_eq!(count(&service, "notice-factor-added").await, 1);
    const EVENTS: &str = "{ viewer { auditEvents(filter: { kinds: [FACTOR_ADDED] }) {
        nodes { detail actor { username } session { isCurrent } } } } }";
    let events = service.send(Some(&ada.access), EVENTS, Value::Null).await;
    let expected = json!([{ "detail": "authenticator app", "actor": { "username": "ada" },
        "session": { "isCurrent": true } }]);
    assert_eq!(events["data"]["viewer"]["auditEvents"]["nodes"], expected);
}
