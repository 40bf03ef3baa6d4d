//! Limits on guessing second factors.

use std::sync::Arc;
use std::time::Duration;

use sallyport::auth::Admin;
use sallyport::domain::origin::Origin;
use sallyport::domain::user::Role;
use serde_json::json;

use super::super::service::{Service, code, tokens};
use super::app::{App, enroll, first_step, reauthenticate, second_step};
use crate::databases::{Database, on_both};

on_both!(
    wrong_codes_are_counted_by_the_account_across_challenges_and_replicas,
    a_thief_of_an_access_token_locks_nobody_out_of_the_login,
);

async fn with_app(service: &Service) -> App {
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    enroll(service, &ada.access).await
}

/// Ten wrong codes, for two challenges.
async fn use_up(services: [&Service; 2]) {
    for service in services {
        let first = first_step(service, "ada").await;
        for _ in 0..5 {
            let wrong = second_step(service, &first, json!({ "totpCode": "000000" })).await;
            assert_eq!(code(&wrong), "INVALID_PROOF");
        }
    }
}

async fn wrong_codes_are_counted_by_the_account_across_challenges_and_replicas(database: Database) {
    let mut service = Service::start(&database, "").await;
    let other = Service::start_at(&database, "", Arc::clone(&service.clock)).await;
    let app = with_app(&service).await;
    use_up([&service, &other]).await;
    // A right password clears nothing, and what is refused by the limit is no attempt.
    let first = first_step(&service, "ada").await;
    for replica in [&service, &other] {
        let limited = second_step(replica, &first, json!({ "totpCode": app.code(replica) })).await;
        assert_eq!(code(&limited), "RATE_LIMITED");
        assert_eq!(limited["errors"][0]["retryAfterSeconds"], 1);
    }
    // The wait doubles with each wrong code.
    service.pass(Duration::from_secs(1)).await;
    let wrong = second_step(&other, &first, json!({ "totpCode": "000000" })).await;
    assert_eq!(wrong["challenge"]["attemptsLeft"], 4, "{wrong}");
    let limited = second_step(&service, &first, json!({ "totpCode": app.code(&service) })).await;
    assert_eq!(limited["errors"][0]["retryAfterSeconds"], 2);
    // The other kind of factor is open.
    let by_paper =
        second_step(&service, &first, json!({ "recoveryCode": app.recovery_codes[0] })).await;
    assert!(tokens(&by_paper).is_some(), "{by_paper}");
    // An administrator clears it.
    let user = by_paper["user"]["username"].as_str().unwrap().to_owned();
    let found =
        service.core.auth.reads.user_named(Admin::operator(), &user).await.unwrap().unwrap();
    let accounts = &service.core.auth.accounts;
    accounts.unlock(Admin::operator(), found.id, Origin::default()).await.unwrap();
    let first = first_step(&service, "ada").await;
    let wrong = second_step(&service, &first, json!({ "totpCode": "000000" })).await;
    assert_eq!(code(&wrong), "INVALID_PROOF");
    let code_now = app.next_code(&mut service).await;
    let second = second_step(&service, &first, json!({ "totpCode": code_now })).await;
    assert!(tokens(&second).is_some(), "{second}");
}

async fn a_thief_of_an_access_token_locks_nobody_out_of_the_login(database: Database) {
    let mut service = Service::start(&database, "").await;
    let app = with_app(&service).await;
    let stolen = super::app::login(&mut service, "ada", &app).await;
    let mut limited = false;
    for _ in 0..15 {
        let refused =
            reauthenticate(&service, &stolen.access, json!({ "totpCode": "000000" })).await;
        limited |= code(&refused) == "RATE_LIMITED";
    }
    assert!(limited);
    service.pass(Duration::from_secs(1)).await;
    super::app::login(&mut service, "ada", &app).await;
}
