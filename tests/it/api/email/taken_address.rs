//! What follows a registration does not tell whether its address was taken either.

use std::time::Duration;

use sallyport::auth::{Admin, UserChanges};
use sallyport::domain::login_name::LoginName;
use sallyport::domain::origin::Origin;
use serde_json::{Value, json};

use super::super::service::{PASSWORD, Service, code, tokens};
use super::mailbox::{
    LOGIN_FIELDS, challenge_token, continue_login, count, mails, newest, register, request,
    verified,
};
use crate::databases::{Database, on_both};

on_both!(
    every_later_answer_is_that_of_a_free_address,
    an_address_as_username_is_never_told_to_be_taken,
    no_setting_opens_a_session_of_an_account_without_its_address,
    an_administrator_who_sets_an_address_makes_the_account_whole,
    after_a_day_the_username_is_free_again,
);

const REFUSE: &str = "--registration open --unverified-email refuse";

/// The answer without what is random.
fn shape(payload: &Value) -> Value {
    let mut payload = payload.clone();
    if let Some(challenge) = payload["challenge"].as_object_mut() {
        assert_eq!(challenge.remove("challengeToken").unwrap().as_str().unwrap().len(), 43);
        challenge.remove("expiresAt");
    }
    payload
}

async fn log_in(service: &Service, username: &str, password: &str) -> Value {
    service.clock.advance(Duration::from_millis(1));
    let text = format!(
        "mutation($u: String!, $p: String!) {{
            login(input: {{ username: $u, password: $p }}) {{ {LOGIN_FIELDS} }} }}"
    );
    let sent = json!({ "u": username, "p": password });
    service.send(None, &text, sent).await["data"]["login"].clone()
}

/// The answer to a wrong code, without the token, which is the client's own.
async fn guess(service: &Service, asked: &Value) -> Value {
    let mut answer = continue_login(service, challenge_token(asked), "12345678").await;
    answer.pointer_mut("/challenge/challengeToken").map(Value::take);
    answer
}

/// What a stranger is told who registers with this address and then tries what there is.
async fn told(service: &Service, username: &str, address: &str) -> Vec<Value> {
    let registered = register(service, username, Some(address)).await;
    let mut told = vec![shape(&registered)];
    told.push(log_in(service, username, "a-wrong-password-77").await);
    for _ in 0..2 {
        let asked = log_in(service, username, PASSWORD).await;
        told.push(shape(&asked));
        for _ in 0..6 {
            told.push(guess(service, &asked).await);
        }
    }
    told.push(guess(service, &registered).await);
    told.push(register(service, username, Some("other@example.com")).await);
    told.push(register(service, username, Some(address)).await);
    for mutation in ["requestEmailLogin", "requestPasswordReset"] {
        told.push(shape(&request(service, mutation, username).await));
    }
    told
}

async fn every_later_answer_is_that_of_a_free_address(database: Database) {
    let service = Service::start(&database, &format!("{REFUSE} --throttle false")).await;
    verified(&service, "ada").await;
    // Addresses that are shortened alike.
    let free = told(&service, "eve1", "abe@example.com").await;
    let taken = told(&service, "eve2", "ada@example.com").await;
    assert_eq!(taken, free);
    assert_eq!(code(&free[2]), "SECOND_STEP_REQUIRED");
    assert_eq!(free[2]["challenge"]["sentTo"], "a***@example.com");
    let refused = register(&service, "eve2", Some("other@example.com")).await;
    assert_eq!(code(&refused), "USERNAME_TAKEN");
    let to_ada: Vec<_> =
        mails(&service).await.into_iter().filter(|mail| mail.to == "ada@example.com").collect();
    assert!(to_ada.iter().all(|mail| mail.purpose == "email-taken") && !to_ada.is_empty());
    assert!(tokens(&service.try_login("ada", PASSWORD).await).is_some(), "ada is not touched");
}

async fn an_address_as_username_is_never_told_to_be_taken(database: Database) {
    let service = Service::start(&database, REFUSE).await;
    verified(&service, "ada").await;
    let address = "ada@example.com";
    for _ in 0..2 {
        let answer = register(&service, address, Some(address)).await;
        assert_eq!(code(&answer), "SECOND_STEP_REQUIRED");
        let answer = register(&service, "abe@example.com", None).await;
        assert_eq!(code(&answer), "SECOND_STEP_REQUIRED");
    }
    let ada = service.try_login(address, PASSWORD).await;
    assert_eq!(ada["user"]["username"], "ada", "the address is its owner's name");
}

async fn no_setting_opens_a_session_of_an_account_without_its_address(database: Database) {
    let service = Service::start(&database, REFUSE).await;
    verified(&service, "ada").await;
    register(&service, "eve", Some("ada@example.com")).await;
    let service = Service::start(&database, "").await;
    let asked = log_in(&service, "eve", PASSWORD).await;
    assert_eq!(code(&asked), "SECOND_STEP_REQUIRED");
    assert_eq!(count(&service, "login").await, 0, "nothing is mailed");
    let sessions = "SELECT count(*) FROM sessions";
    assert_eq!(database.raw().await.number(sessions).await, 0);
}

async fn an_administrator_who_sets_an_address_makes_the_account_whole(database: Database) {
    let service = Service::start(&database, REFUSE).await;
    verified(&service, "ada").await;
    register(&service, "eve", Some("ada@example.com")).await;
    let eve = LoginName::parse("eve").unwrap();
    let eve = service.core.store.credentials_by_name(&eve).await.unwrap().unwrap().user.id;
    let changes = UserChanges { email: Some("eve@example.com"), ..UserChanges::default() };
    let accounts = &service.core.auth.accounts;
    accounts.update_user(Admin::operator(), eve, changes, Origin::default()).await.unwrap();
    let asked = log_in(&service, "eve", PASSWORD).await;
    assert_eq!(asked["challenge"]["sentTo"], "e***@example.com");
    let mail = newest(&service, "login").await;
    let done = continue_login(&service, challenge_token(&asked), mail.code()).await;
    assert!(tokens(&done).is_some(), "{done}");
    service.clock.advance(Duration::from_hours(25));
    service.core.auth.system.purge().await.unwrap();
    assert!(tokens(&service.try_login("eve", PASSWORD).await).is_some(), "it stays");
}

async fn after_a_day_the_username_is_free_again(database: Database) {
    let service = Service::start(&database, REFUSE).await;
    verified(&service, "ada").await;
    register(&service, "eve", Some("ada@example.com")).await;
    register(&service, "bob", Some("bob@example.com")).await;
    // Registrations that waited, beside their challenges.
    let purge = async |expected: u64| {
        let system = &service.core.auth.system;
        assert_eq!(system.expired().await.unwrap().challenges, expected);
        assert_eq!(system.purge().await.unwrap().challenges, expected);
    };
    service.clock.advance(Duration::from_hours(23));
    purge(0).await;
    assert_eq!(code(&register(&service, "eve", Some("new@example.com")).await), "USERNAME_TAKEN");
    service.clock.advance(Duration::from_hours(2));
    purge(4).await;
    purge(0).await;
    assert_eq!(database.raw().await.number("SELECT count(*) FROM unproved_registrations").await, 0);
    assert_eq!(code(&log_in(&service, "eve", PASSWORD).await), "INVALID_CREDENTIALS");
    let again = register(&service, "eve", Some("new@example.com")).await;
    assert_eq!(code(&again), "SECOND_STEP_REQUIRED");
    assert_eq!(newest(&service, "verify").await.to, "new@example.com");
    // An account that has its address is not purged.
    assert_eq!(code(&log_in(&service, "bob", PASSWORD).await), "SECOND_STEP_REQUIRED");
}
