//! Passkeys are renamed and removed.

use sallyport::auth::Admin;
use sallyport::domain::origin::Origin;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::super::email::mailbox::{count, verified};
use super::super::second_factors::app::access;
use super::super::service::{Service, code, tokens};
use super::authenticator::{Browser, FLAGS, begin_registration, enroll, login};
use crate::databases::{Database, on_both};

on_both!(
    a_passkey_is_renamed_and_removed_by_its_user_only,
    the_last_way_in_is_not_removed,
    an_account_has_twenty_passkeys_at_most,
    a_reset_removes_passkeys,
);

const RENAME: &str = "mutation($id: ID!, $n: String!) {
    renamePasskey(input: { passkeyId: $id, name: $n }) { passkey { name } errors { code path } } }";
const REMOVE: &str = "mutation($id: ID!) { removePasskey(input: { passkeyId: $id }) {
    user { secondFactors { recoveryCodesLeft passkeys { name } } } errors { code path } } }";

async fn a_passkey_is_renamed_and_removed_by_its_user_only(database: Database) {
    let service = Service::start(&database, FLAGS).await;
    verified(&service, "ada").await;
    service.make("bob", Role::User).await;
    let (ada, bob) = (service.login("ada").await, service.login("bob").await);
    let (mut browser, mut others) = (Browser::new(), Browser::new());
    let (id, _) = enroll(&service, &ada.access, &mut browser).await;
    enroll(&service, &bob.access, &mut others).await;
    let strong = access(&login(&service, &mut browser).await);
    let strangers = access(&login(&service, &mut others).await);
    let rename = async |access: &str, name: &str| {
        let answer = service.send(Some(access), RENAME, json!({ "id": id, "n": name })).await;
        answer["data"]["renamePasskey"].clone()
    };
    assert_eq!(rename(&strong, "Key ring").await["passkey"]["name"], "Key ring");
    assert_eq!(code(&rename(&strangers, "Mine").await), "NOT_FOUND");
    assert_eq!(code(&rename(&strong, "").await), "INVALID_INPUT");
    let remove = async |access: &str| {
        let answer = service.send(Some(access), REMOVE, json!({ "id": id })).await;
        answer["data"]["removePasskey"].clone()
    };
    assert_eq!(code(&remove(&strangers).await), "NOT_FOUND");
    let removed = remove(&strong).await;
    let factors = &removed["user"]["secondFactors"];
    assert_eq!(*factors, json!({ "recoveryCodesLeft": 0, "passkeys": [] }), "{removed}");
    assert_eq!(count(&service, "notice-factor-removed").await, 1);
    assert_eq!(code(&login(&service, &mut browser).await), "INVALID_PROOF");
    service.login("ada").await;
    let wrong = service.send(Some(&strong), REMOVE, json!({ "id": "User:1" })).await;
    assert_eq!(code(&wrong["data"]["removePasskey"]), "INVALID_INPUT");
}

async fn the_last_way_in_is_not_removed(database: Database) {
    let service = Service::start(&database, FLAGS).await;
    service.make("root", Role::Admin).await;
    let root = service.login("root").await;
    let mut browser = Browser::new();
    let (id, _) = enroll(&service, &root.access, &mut browser).await;
    let flags = format!("{FLAGS} --second-factor admins");
    let strict = Service::start_at(&database, &flags, service.clock.clone()).await;
    let strong = access(&login(&strict, &mut browser).await);
    let kept = strict.send(Some(&strong), REMOVE, json!({ "id": id })).await;
    assert_eq!(code(&kept["data"]["removePasskey"]), "LAST_CREDENTIAL");
    // An account without a password and an address.
    let delete = "DELETE FROM password_credentials";
    database.raw().await.execute(delete).await;
    let strong = access(&login(&service, &mut browser).await);
    let kept = service.send(Some(&strong), REMOVE, json!({ "id": id })).await;
    assert_eq!(code(&kept["data"]["removePasskey"]), "LAST_CREDENTIAL");
    enroll(&service, &strong, &mut Browser::new()).await;
    let strong = access(&login(&service, &mut browser).await);
    let removed = service.send(Some(&strong), REMOVE, json!({ "id": id })).await;
    assert_eq!(removed["data"]["removePasskey"]["errors"], json!([]));
}

async fn an_account_has_twenty_passkeys_at_most(database: Database) {
    let service = Service::start(&database, FLAGS).await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let mut browser = Browser::new();
    enroll(&service, &ada.access, &mut browser).await;
    let strong = access(&login(&service, &mut browser).await);
    for _ in 1..20 {
        enroll(&service, &strong, &mut Browser::new()).await;
    }
    let full = begin_registration(&service, Some(&strong), None).await;
    assert_eq!(code(&full["data"]["beginPasskeyRegistration"]), "INVALID_INPUT");
}

async fn a_reset_removes_passkeys(database: Database) {
    let service = Service::start(&database, FLAGS).await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let mut browser = Browser::new();
    enroll(&service, &ada.access, &mut browser).await;
    let found =
        service.core.auth.reads.user_named(Admin::operator(), "ada").await.unwrap().unwrap();
    let enrollments = &service.core.auth.enrollments;
    let (by, origin) = (Admin::operator(), Origin::default());
    enrollments.reset_factors(by, found.id, None, origin).await.unwrap();
    assert_eq!(code(&login(&service, &mut browser).await), "INVALID_PROOF");
    let payload = service.try_login("ada", super::super::service::PASSWORD).await;
    assert!(tokens(&payload).is_some() && payload["errors"] == Value::Array(Vec::new()));
}
