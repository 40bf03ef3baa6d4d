//! One's own account: locale, username, export, deletion.

use std::time::Duration;

use futures_util::future::join_all;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{PASSWORD, Service, code, tokens};
use crate::databases::{Database, on_both};
use crate::proof::rounds;

on_both!(
    a_user_has_the_locale_of_the_last_change,
    a_username_changes_once_in_thirty_days_and_the_former_one_stays_reserved,
    of_many_users_who_want_one_username_at_once_one_gets_it,
    changes_of_one_username_at_once_are_one_change,
    a_username_that_is_an_address_has_to_be_the_accounts,
    a_former_username_is_never_taken_while_it_becomes_one,
    an_export_has_what_is_stored_about_the_account_and_no_secret,
    a_deleted_account_is_logged_out_everywhere_and_its_data_is_gone,
    the_names_of_a_deleted_account_are_free_after_thirty_days,
    the_last_administrator_is_not_deleted_by_whoever_tries_at_once,
    of_logins_and_a_deletion_at_once_no_session_is_left,
);

const DAY: Duration = Duration::from_hours(24);

async fn rename(service: &Service, access: &str, username: &str) -> Value {
    const RENAME: &str = "mutation($u: String!) { changeUsername(input: { username: $u }) {
        user { username } errors { code path retryAfterSeconds } } }";
    let answer = service.send(Some(access), RENAME, json!({ "u": username })).await;
    answer["data"]["changeUsername"].clone()
}

async fn delete(service: &Service, access: &str) -> Value {
    const DELETE: &str = "mutation { deleteAccount { endedCount erasedAt errors { code } } }";
    let answer = service.send(Some(access), DELETE, Value::Null).await;
    answer["data"]["deleteAccount"].clone()
}

/// The payload of a registration.
async fn register(service: &Service, username: &str, email: Option<&str>) -> Value {
    const REGISTER: &str = "mutation($u: String!, $e: String, $p: String!) {
        register(input: { username: $u, email: $e, password: $p }) {
            tokens { accessToken refreshToken } errors { code } } }";
    let sent = json!({ "u": username, "e": email, "p": PASSWORD });
    let answer = service.send(None, REGISTER, sent).await;
    answer["data"]["register"].clone()
}

async fn a_user_has_the_locale_of_the_last_change(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    const UPDATE: &str = "mutation($l: String) { updateAccount(input: { locale: $l }) {
        user { locale } errors { code path } } }";
    for (sent, expected) in [(json!("pt-BR"), json!("pt-BR")), (Value::Null, Value::Null)] {
        let answer = service.send(Some(&ada.access), UPDATE, json!({ "l": sent })).await;
        assert_eq!(answer["data"]["updateAccount"]["user"]["locale"], expected, "{answer}");
        let read = service.send(Some(&ada.access), "{ viewer { locale } }", Value::Null).await;
        assert_eq!(read["data"]["viewer"]["locale"], expected, "{read}");
    }
    let refused = service.send(Some(&ada.access), UPDATE, json!({ "l": "en_US" })).await;
    let refused = &refused["data"]["updateAccount"];
    assert_eq!(code(refused), "INVALID_INPUT");
    assert_eq!(refused["errors"][0]["path"], json!(["input", "locale"]));
}

async fn a_username_changes_once_in_thirty_days_and_the_former_one_stays_reserved(
    database: Database,
) {
    let mut service = Service::start(&database, "--registration open").await;
    service.make("ada", Role::User).await;
    service.make("bob", Role::User).await;
    let ada = service.login("ada").await;
    assert_eq!(code(&rename(&service, &ada.access, "BOB").await), "USERNAME_TAKEN");
    assert_eq!(code(&rename(&service, &ada.access, "a b").await), "INVALID_INPUT");
    let unchanged = rename(&service, &ada.access, "ada").await;
    assert_eq!(unchanged["user"]["username"], "ada", "{unchanged}");
    let renamed = rename(&service, &ada.access, "lovelace").await;
    assert_eq!(renamed["user"]["username"], "lovelace", "{renamed}");
    let read = service.send(Some(&ada.access), "{ viewer { username } }", Value::Null).await;
    assert_eq!(read["data"]["viewer"]["username"], "lovelace");
    assert!(tokens(&service.try_login("lovelace", PASSWORD).await).is_some());
    assert_eq!(code(&service.try_login("ada", PASSWORD).await), "INVALID_CREDENTIALS");

    let too_soon = rename(&service, &ada.access, "ada.l").await;
    assert_eq!(code(&too_soon), "RATE_LIMITED");
    let wait = too_soon["errors"][0]["retryAfterSeconds"].as_u64().unwrap();
    assert!((29 * 86_400..=30 * 86_400).contains(&wait), "{wait}");
    for name in ["ada", "\u{0430}da"] {
        let taken = register(&service, name, None).await;
        assert!(["USERNAME_TAKEN", "INVALID_INPUT"].contains(&code(&taken)), "{taken}");
    }
    let bob = service.login("bob").await;
    assert_eq!(code(&rename(&service, &bob.access, "ada").await), "USERNAME_TAKEN");

    service.pass(30 * DAY).await;
    assert!(tokens(&register(&service, "ada", None).await).is_some());
    let renamed = tokens(&service.try_login("lovelace", PASSWORD).await).unwrap();
    assert_eq!(code(&rename(&service, &renamed.access, "ada").await), "USERNAME_TAKEN");
    let renamed = rename(&service, &renamed.access, "ada.l").await;
    assert_eq!(renamed["user"]["username"], "ada.l", "{renamed}");
    service.core.auth.system.purge().await.unwrap();
    let former = "SELECT count(*) FROM former_usernames";
    assert_eq!(database.raw().await.number(former).await, 1);
    // Another spelling is a change, too: each writes an event.
    let bob = service.login("bob").await;
    assert_eq!(rename(&service, &bob.access, "Bob").await["user"]["username"], "Bob");
    assert_eq!(code(&rename(&service, &bob.access, "bob").await), "RATE_LIMITED");
}

async fn changes_of_one_username_at_once_are_one_change(database: Database) {
    let replicas = [Service::start(&database, "").await, Service::start(&database, "").await];
    replicas[0].make("ada", Role::User).await;
    let ada = replicas[0].login("ada").await;
    let names: Vec<String> = (0..rounds(16, 100)).map(|n| format!("ada{n}")).collect();
    let renamed = join_all(
        names.iter().enumerate().map(|(n, name)| rename(&replicas[n % 2], &ada.access, name)),
    )
    .await;
    assert_eq!(renamed.iter().filter(|payload| payload["user"].is_object()).count(), 1);
    let limited = renamed.iter().filter(|payload| payload["user"].is_null());
    for payload in limited {
        assert_eq!(code(payload), "RATE_LIMITED", "{payload}");
    }
}

async fn a_username_that_is_an_address_has_to_be_the_accounts(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    service.make("bob@example.com", Role::User).await;
    let ada = service.login("ada").await;
    for address in ["bob@example.com", "free@example.com"] {
        let refused = rename(&service, &ada.access, address).await;
        assert_eq!(code(&refused), "INVALID_INPUT", "{refused}");
    }
    let with_email = "SELECT count(*) FROM users WHERE email IS NOT NULL";
    assert_eq!(database.raw().await.number(with_email).await, 1);
}

async fn of_many_users_who_want_one_username_at_once_one_gets_it(database: Database) {
    let replicas = [Service::start(&database, "").await, Service::start(&database, "").await];
    let count = rounds(16, 100);
    let mut users = Vec::new();
    for n in 0..count {
        let name = format!("user{n}");
        replicas[0].make(&name, Role::User).await;
        users.push(replicas[0].login(&name).await);
    }
    let renamed = join_all(
        users
            .iter()
            .enumerate()
            .map(|(n, user)| rename(&replicas[n % 2], &user.access, "lovelace")),
    )
    .await;
    let won = renamed.iter().filter(|payload| payload["user"]["username"] == "lovelace").count();
    assert_eq!(won, 1, "{renamed:?}");
    let lost = renamed.iter().filter(|payload| payload["user"].is_null() && payload.is_object());
    for payload in lost {
        assert_eq!(code(payload), "USERNAME_TAKEN");
    }
    let named = "SELECT count(*) FROM users WHERE username_key = 'lovelace'";
    assert_eq!(database.raw().await.number(named).await, 1);
}

async fn a_former_username_is_never_taken_while_it_becomes_one(database: Database) {
    let flags = "--registration open --throttle false";
    let replicas = [Service::start(&database, flags).await, Service::start(&database, flags).await];
    for n in 0..rounds(8, 50) {
        let (name, other) = (format!("user{n}"), format!("other{n}"));
        replicas[0].make(&name, Role::User).await;
        let user = replicas[0].login(&name).await;
        let renamed = rename(&replicas[0], &user.access, &other);
        let registered = join_all((0..3).map(|n| register(&replicas[n % 2], &name, None)));
        let (renamed, registered) = tokio::join!(renamed, registered);
        assert_eq!(renamed["user"]["username"], other.as_str(), "{renamed}");
        let taken = registered.iter().filter(|payload| tokens(payload).is_some()).count();
        assert_eq!(taken, 0, "{registered:?}");
    }
}

async fn an_export_has_what_is_stored_about_the_account_and_no_secret(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let other = service.login("ada").await;
    service.logout(None, Some(&other.refresh), "CURRENT").await;
    service.clock.advance(Duration::from_secs(1));
    let ada = service.login("ada").await;
    const EXPORT: &str = "mutation { exportAccount { document errors { code } } }";
    let answer = service.send(Some(&ada.access), EXPORT, Value::Null).await;
    let document = &answer["data"]["exportAccount"]["document"];
    assert_eq!(document["isComplete"], true, "{answer}");
    assert_eq!(document["account"]["username"], "ada");
    let states: Vec<&Value> =
        document["sessions"].as_array().unwrap().iter().map(|session| &session["state"]).collect();
    assert_eq!(states, ["ACTIVE", "ENDED"]);
    assert_eq!(document["blacklistEntries"][0]["reason"], "LOGOUT");
    let kinds: Vec<&str> = document["auditEvents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    let expected = ["ACCOUNT_EXPORTED", "LOGIN_SUCCEEDED", "SESSION_ENDED", "LOGIN_SUCCEEDED"];
    assert_eq!(kinds[..4], expected, "{kinds:?}");
    let text = document.to_string();
    for secret in [&ada.access, &ada.refresh, &other.refresh, PASSWORD, "$argon2id"] {
        assert!(!text.contains(secret));
    }
    // Each reads thousands of rows and writes one.
    for expected in [json!([]), json!([]), json!([{ "code": "RATE_LIMITED" }])] {
        let answer = service.send(Some(&ada.access), EXPORT, Value::Null).await;
        assert_eq!(answer["data"]["exportAccount"]["errors"], expected);
    }
}

async fn a_deleted_account_is_logged_out_everywhere_and_its_data_is_gone(database: Database) {
    let mut service = Service::start(&database, "").await;
    let mut other = Service::start_at(&database, "", service.clock.clone()).await;
    service.make("root", Role::Admin).await;
    let id = service.make("ada@example.com", Role::User).await;
    let from = ("192.0.2.7", "Browser/1.0");
    const LOGIN: &str = "mutation($u: String!, $p: String!) {
        login(input: { username: $u, password: $p, sessionName: \"Ada's phone\" }) {
            tokens { accessToken refreshToken } } }";
    let login = json!({ "u": "ada@example.com", "p": PASSWORD });
    let there = service.send_from(from, None, LOGIN, login.clone()).await;
    let there = tokens(&there["data"]["login"]).unwrap();
    let here = service.send_from(from, None, LOGIN, login.clone()).await;
    let here = tokens(&here["data"]["login"]).unwrap();
    let deleted = delete(&service, &here.access).await;
    assert_eq!(deleted["endedCount"], 2, "{deleted}");
    assert!(deleted["erasedAt"].is_string());
    for access in [&here.access, &there.access] {
        assert_eq!(service.refusal(access).await.as_deref(), Some("SESSION_ENDED"));
    }
    other.pass(Duration::from_secs(1)).await;
    assert_eq!(other.refusal(&there.access).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(code(&service.refresh(&there.refresh, None).await), "SESSION_ENDED");
    // What is tried with the name from now on is not of this account.
    service.send_from(from, None, LOGIN, login).await;
    let again = service.try_login("ada@example.com", PASSWORD).await;
    let nobody = service.try_login("nobody@example.com", PASSWORD).await;
    assert_eq!(again, nobody);

    // Only the id is left, for the audit, and the keys of the reserved names.
    let root = service.login("root").await;
    const EVENTS: &str = "query($u: ID!) { users { totalCount nodes { username } }
        node(id: $u) { ... on User { username email isActive } }
        auditEvents(filter: { userId: $u }) { nodes { kind ip userAgent user { username } } } }";
    let answer = service.send(Some(&root.access), EVENTS, json!({ "u": id })).await;
    assert_eq!(answer["data"]["users"]["nodes"], json!([{ "username": "root" }]), "{answer}");
    let node = json!({ "username": "deleted", "email": null, "isActive": false });
    assert_eq!(answer["data"]["node"], node);
    let events = answer["data"]["auditEvents"]["nodes"].as_array().unwrap();
    assert!(events.iter().any(|event| event["kind"] == "ACCOUNT_DELETED"), "{answer}");
    for event in events {
        assert!(event["ip"].is_null() && event["userAgent"].is_null(), "{event}");
    }
    let mut raw = database.raw().await;
    for left in [
        "SELECT count(*) FROM password_credentials WHERE user_id NOT IN (SELECT id FROM users \
         WHERE username = 'root')",
        "SELECT count(*) FROM sessions WHERE user_agent = 'Browser/1.0' OR name IS NOT NULL",
        "SELECT count(*) FROM blacklist_entries WHERE user_agent IS NOT NULL",
        "SELECT count(*) FROM users WHERE username LIKE '%ada%' OR email IS NOT NULL",
    ] {
        assert_eq!(raw.number(left).await, 0, "{left}");
    }
    // Nothing brings it back.
    const ACTIVATE: &str = "mutation($id: ID!) {
        setUserActive(input: { userId: $id, active: true }) { errors { code } } }";
    let answer = service.send(Some(&root.access), ACTIVATE, json!({ "id": id })).await;
    assert_eq!(code(&answer["data"]["setUserActive"]), "NOT_FOUND");
    const RESET: &str = "mutation($id: ID!, $p: String!) {
        setUserPassword(input: { userId: $id, newPassword: $p }) { errors { code } } }";
    let answer = service.send(Some(&root.access), RESET, json!({ "id": id, "p": PASSWORD })).await;
    assert_eq!(code(&answer["data"]["setUserPassword"]), "NOT_FOUND");
    service.pass(Duration::from_secs(1)).await;
}

async fn the_names_of_a_deleted_account_are_free_after_thirty_days(database: Database) {
    let mut service = Service::start(&database, "--registration open").await;
    // A name that no hexadecimal digits make: those of the account's ID take its place.
    let taken = register(&service, "zoe", Some("zoe@example.com")).await;
    let zoe = tokens(&taken).unwrap();
    assert_eq!(delete(&service, &zoe.access).await["endedCount"], 1);
    let again = register(&service, "ZOE", None).await;
    assert_eq!(code(&again), "USERNAME_TAKEN");
    let again = register(&service, "countess", Some("zoe@example.com")).await;
    assert_eq!(code(&again), "EMAIL_TAKEN");
    service.pass(30 * DAY).await;
    service.core.auth.system.purge().await.unwrap();
    let keys =
        "SELECT count(*) FROM users WHERE username_key LIKE '%zoe%' OR email_key IS NOT NULL";
    assert_eq!(database.raw().await.number(keys).await, 0);
    let again = register(&service, "zoe", Some("zoe@example.com")).await;
    assert!(tokens(&again).is_some(), "{again}");
    // A second purge changes nothing.
    let purged = service.core.auth.system.purge().await.unwrap();
    assert_eq!(purged.names, 0);
}

async fn the_last_administrator_is_not_deleted_by_whoever_tries_at_once(database: Database) {
    let service = Service::start(&database, "").await;
    let mut by = Vec::new();
    for name in ["root", "boss"] {
        service.make(name, Role::Admin).await;
        by.push(service.login(name).await);
    }
    let deletions = join_all(by.iter().map(|admin| delete(&service, &admin.access))).await;
    let refused: Vec<_> =
        deletions.iter().filter(|payload| payload["erasedAt"].is_null()).collect();
    assert_eq!(refused.len(), 1, "{deletions:?}");
    assert_eq!(code(refused[0]), "FORBIDDEN");
    let active = "SELECT count(*) FROM users WHERE role = 'ADMIN' AND deactivated_at IS NULL";
    assert_eq!(database.raw().await.number(active).await, 1);
}

async fn of_logins_and_a_deletion_at_once_no_session_is_left(database: Database) {
    let replicas = [
        Service::start(&database, "--throttle false").await,
        Service::start(&database, "--throttle false").await,
    ];
    for n in 0..rounds(3, 20) {
        let name = format!("user{n}");
        replicas[0].make(&name, Role::User).await;
        let user = replicas[0].login(&name).await;
        let logins = join_all((0..8).map(|n| replicas[n % 2].try_login(&name, PASSWORD)));
        let (deleted, logins) = tokio::join!(delete(&replicas[0], &user.access), logins);
        assert!(deleted["erasedAt"].is_string(), "{deleted}");
        for login in logins {
            if let Some(tokens) = tokens(&login) {
                let refused = replicas[0].refusal(&tokens.access).await;
                assert_eq!(refused.as_deref(), Some("SESSION_ENDED"));
            }
        }
    }
    let live = "SELECT count(*) FROM sessions WHERE ended_at IS NULL";
    assert_eq!(database.raw().await.number(live).await, 0);
}
