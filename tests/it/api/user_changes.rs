//! Accounts that administrators correct, unlock and delete.

use std::time::Duration;

use futures_util::future::join_all;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{PASSWORD, Service, Tokens, code, tokens};
use crate::databases::{Database, on_both};

on_both!(
    an_administrator_corrects_names_and_verification,
    a_new_role_ends_the_sessions_and_one_administrator_stays,
    an_unlocked_user_logs_in_at_once_from_everywhere,
    an_administrator_deletes_others_with_a_fresh_login_only,
);

const UPDATE: &str = "mutation($id: ID!, $u: String, $e: String, $v: Boolean, $r: Role) {
    updateUser(input: { userId: $id, username: $u, email: $e, emailVerified: $v, role: $r }) {
        user { username email emailVerifiedAt role } endedCount errors { code path } } }";

async fn update(service: &Service, by: &Tokens, variables: Value) -> Value {
    let answer = service.send(Some(&by.access), UPDATE, variables).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["updateUser"].clone()
}

async fn an_administrator_corrects_names_and_verification(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("root", Role::Admin).await;
    service.make("bob@example.com", Role::User).await;
    let id = service.make("ada", Role::User).await;
    let (root, ada) = (service.login("root").await, service.login("ada").await);
    let set = async |change: Value| {
        let mut variables = json!({ "id": id });
        variables.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        update(&service, &root, variables).await
    };
    let refused = set(json!({ "v": true })).await;
    assert_eq!(code(&refused), "INVALID_INPUT");
    assert_eq!(refused["errors"][0]["path"], json!(["input", "emailVerified"]));
    let changed = set(json!({ "e": "ada@example.com" })).await;
    assert_eq!(changed["user"]["email"], "ada@example.com", "{changed}");
    assert!(changed["user"]["emailVerifiedAt"].is_null());
    let changed = set(json!({ "v": true })).await;
    let verified = changed["user"]["emailVerifiedAt"].clone();
    assert!(verified.is_string(), "{changed}");
    // Another change keeps it, and another address does not.
    let changed = set(json!({ "u": "countess" })).await;
    assert_eq!(changed["user"]["username"], "countess", "{changed}");
    assert_eq!(changed["user"]["emailVerifiedAt"], verified);
    let changed = set(json!({ "e": "countess@example.com" })).await;
    assert!(changed["user"]["emailVerifiedAt"].is_null(), "{changed}");
    assert_eq!(code(&set(json!({ "u": "ROOT" })).await), "USERNAME_TAKEN");
    assert_eq!(code(&set(json!({ "e": "bob@example.com" })).await), "EMAIL_TAKEN");
    assert_eq!(code(&set(json!({ "u": "x@example.com" })).await), "INVALID_INPUT");
    assert_eq!(code(&set(json!({ "r": "UNKNOWN" })).await), "INVALID_INPUT");
    // Nothing of this logs the user out, and the user logs in with the new names.
    assert_eq!(changed["endedCount"], 0);
    assert_eq!(service.refusal(&ada.access).await, None);
    for name in ["countess", "countess@example.com"] {
        assert!(tokens(&service.try_login(name, PASSWORD).await).is_some());
    }
    const EVENTS: &str = "query($u: ID!) {
        auditEvents(filter: { userId: $u, kinds: [USER_UPDATED] }) { nodes { detail } } }";
    let events = service.send(Some(&root.access), EVENTS, json!({ "u": id })).await;
    let details = json!([
        { "detail": "e-mail address" }, { "detail": "username" },
        { "detail": "e-mail address verified" }, { "detail": "e-mail address" },
    ]);
    assert_eq!(events["data"]["auditEvents"]["nodes"], details);
    // A username that is the address changes with it.
    let answer = service
        .send(Some(&root.access), "{ user(username: \"bob@example.com\") { id } }", Value::Null)
        .await;
    let bob = json!({ "id": answer["data"]["user"]["id"], "e": "robert@example.com" });
    let changed = update(&service, &root, bob).await;
    assert_eq!(changed["user"]["username"], "robert@example.com", "{changed}");
}

async fn a_new_role_ends_the_sessions_and_one_administrator_stays(database: Database) {
    let service = Service::start(&database, "").await;
    let ids = [service.make("root", Role::Admin).await, service.make("boss", Role::Admin).await];
    let by = [service.login("boss").await, service.login("root").await];
    // Each demotes the other at once, on one machine.
    let demoted = join_all([0, 1].map(|n| {
        let sent = json!({ "id": ids[n], "r": "USER" });
        service.post(Some(&by[n].access), UPDATE, sent)
    }))
    .await;
    let payloads: Vec<&Value> =
        demoted.iter().map(|(_, answer)| &answer["data"]["updateUser"]).collect();
    let done = payloads.iter().filter(|payload| payload["user"]["role"] == "USER");
    assert_eq!(done.count(), 1, "{payloads:?}");
    let admins = "SELECT count(*) FROM users WHERE role = 'ADMIN'";
    assert_eq!(database.raw().await.number(admins).await, 1);

    let left = usize::from(payloads[0]["user"]["role"] == "USER");
    let name = ["root", "boss"][left];
    let (admin, id) = (service.login(name).await, &ids[left]);
    let refused = update(&service, &admin, json!({ "id": id, "r": "USER" })).await;
    assert_eq!(code(&refused), "FORBIDDEN");
    let other = service.login(["boss", "root"][left]).await;
    let promoted = update(&service, &admin, json!({ "id": ids[1 - left], "r": "ADMIN" })).await;
    assert_eq!(promoted["user"]["role"], "ADMIN", "{promoted}");
    assert!(promoted["endedCount"].as_u64().unwrap() >= 1);
    assert_eq!(service.refusal(&other.access).await.as_deref(), Some("SESSION_ENDED"));
}

async fn an_unlocked_user_logs_in_at_once_from_everywhere(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("root", Role::Admin).await;
    let id = service.make("ada", Role::User).await;
    let root = service.login("root").await;
    const LOGIN: &str = "mutation($u: String!, $p: String!) {
        login(input: { username: $u, password: $p }) { tokens { accessToken refreshToken }
            errors { code } } }";
    let attempt = async |ip: &str, name: &str, password: &str| {
        let sent = json!({ "u": name, "p": password });
        let answer = service.send_from((ip, "Browser/1.0"), None, LOGIN, sent).await;
        answer["data"]["login"].clone()
    };
    for n in 0..24 {
        attempt(&format!("198.51.{n}.1"), "ada", "wrong").await;
    }
    for _ in 0..8 {
        attempt("192.0.2.7", "ada", "wrong").await;
        attempt("192.0.2.7", "bob", "wrong").await;
    }
    assert_eq!(code(&attempt("192.0.2.7", "ada", PASSWORD).await), "RATE_LIMITED");
    assert_eq!(code(&attempt("203.0.113.9", "ada", PASSWORD).await), "RATE_LIMITED");
    const UNLOCK: &str = "mutation($id: ID!) { unlockUser(input: { userId: $id }) { user { username } errors { code } } }";
    let unlocked = service.send(Some(&root.access), UNLOCK, json!({ "id": id })).await;
    assert_eq!(unlocked["data"]["unlockUser"]["user"]["username"], "ada", "{unlocked}");
    // The counters of other names stay.
    assert_eq!(code(&attempt("192.0.2.7", "bob", PASSWORD).await), "RATE_LIMITED");
    // A refusal is remembered for a second.
    service.clock.advance(Duration::from_secs(1));
    assert!(tokens(&attempt("192.0.2.7", "ada", PASSWORD).await).is_some());
    assert!(tokens(&attempt("203.0.113.9", "ada", PASSWORD).await).is_some());
    const EVENTS: &str = "query($u: ID!) { auditEvents(
        filter: { userId: $u, kinds: [USER_UNLOCKED] }) { nodes { actor { username } } } }";
    let events = service.send(Some(&root.access), EVENTS, json!({ "u": id })).await;
    let expected = json!([{ "actor": { "username": "root" } }]);
    assert_eq!(events["data"]["auditEvents"]["nodes"], expected, "{events}");
}

async fn an_administrator_deletes_others_with_a_fresh_login_only(database: Database) {
    let mut service = Service::start(&database, "").await;
    let root_id = service.make("root", Role::Admin).await;
    let id = service.make("ada", Role::User).await;
    let (root, ada) = (service.login("root").await, service.login("ada").await);
    const DELETE: &str = "mutation($id: ID!) { deleteUser(input: { userId: $id }) {
        user { id username isActive } endedCount errors { code } } }";
    let forbidden = service.send(Some(&ada.access), DELETE, json!({ "id": root_id })).await;
    assert_eq!(forbidden["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let own = service.send(Some(&root.access), DELETE, json!({ "id": root_id })).await;
    assert_eq!(code(&own["data"]["deleteUser"]), "FORBIDDEN");
    service.pass(Duration::from_mins(6)).await;
    let stale = service.send(Some(&root.access), DELETE, json!({ "id": id })).await;
    assert_eq!(stale["errors"][0]["extensions"]["reason"], "REAUTHENTICATION_REQUIRED");
    assert_eq!(service.refusal(&ada.access).await, None);
    let root = service.login("root").await;
    let deleted = service.send(Some(&root.access), DELETE, json!({ "id": id })).await;
    let expected = json!({ "user": { "id": id, "username": "deleted", "isActive": false },
        "endedCount": 1, "errors": [] });
    assert_eq!(deleted["data"]["deleteUser"], expected, "{deleted}");
    assert_eq!(service.refusal(&ada.access).await.as_deref(), Some("SESSION_ENDED"));
    let again = service.send(Some(&root.access), DELETE, json!({ "id": id })).await;
    assert_eq!(code(&again["data"]["deleteUser"]), "NOT_FOUND");
}
