//! Accounts: mutations of users and of administrators.

use sallyport::auth::{Admin, Error, UserErrorCode};
use sallyport::domain::login_name::LoginName;
use sallyport::domain::origin::Origin;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{PASSWORD, Service, code, tokens};
use crate::databases::{Database, on_both};

on_both!(
    a_new_password_ends_the_other_sessions,
    a_session_is_renamed_and_ended_by_its_user,
    an_administrator_makes_and_resets_accounts,
    two_administrators_who_deactivate_each_other_leave_one,
    a_name_that_looks_like_anothers_is_taken,
    bad_input_is_told_with_its_path,
);

const OTHER: &str = "velvet-kayak-hyphen-77";

async fn a_new_password_ends_the_other_sessions(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let (here, there) = (service.login("ada").await, service.login("ada").await);
    const CHANGE: &str = "mutation($c: String!, $n: String!) {
        changePassword(input: { currentPassword: $c, newPassword: $n }) {
            endedCount user { username } errors { code path } } }";
    let change = async |current: &str, new: &str| {
        let variables = json!({ "c": current, "n": new });
        let answer = service.send(Some(&here.access), CHANGE, variables).await;
        answer["data"]["changePassword"].clone()
    };
    assert_eq!(code(&change("wrong", OTHER).await), "INVALID_CREDENTIALS");
    assert_eq!(code(&change(PASSWORD, "password1").await), "WEAK_PASSWORD");
    assert_eq!(code(&change(PASSWORD, "ada").await), "WEAK_PASSWORD");
    assert_eq!(service.refusal(&there.access).await, None);
    assert_eq!(change(PASSWORD, OTHER).await["endedCount"], 1);
    assert_eq!(service.refusal(&here.access).await, None);
    assert_eq!(service.refusal(&there.access).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(code(&service.try_login("ada", PASSWORD).await), "INVALID_CREDENTIALS");
    assert!(tokens(&service.try_login("ada", OTHER).await).is_some());
}

async fn a_session_is_renamed_and_ended_by_its_user(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let other = service.try_login("ada", PASSWORD).await;
    let id = &other["session"]["id"];
    const RENAME: &str = "mutation($s: ID!, $n: String!) {
        renameSession(input: { sessionId: $s, name: $n }) { session { name } errors { code path } } }";
    let answer = service.send(Some(&ada.access), RENAME, json!({ "s": id, "n": " phone " })).await;
    assert_eq!(answer["data"]["renameSession"]["session"]["name"], "phone");
    let answer = service.send(Some(&ada.access), RENAME, json!({ "s": id, "n": "" })).await;
    assert_eq!(answer["data"]["renameSession"]["errors"][0]["path"], json!(["input", "name"]));
    const END: &str = "mutation($s: ID!) { endSession(input: { sessionId: $s }) {
        session { state endReason endedBy { username } isCurrent } errors { code } } }";
    for _ in 0..2 {
        let answer = service.send(Some(&ada.access), END, json!({ "s": id })).await;
        let ended = json!({ "state": "ENDED", "endReason": "LOGOUT",
            "endedBy": { "username": "ada" }, "isCurrent": false });
        assert_eq!(answer["data"]["endSession"]["session"], ended, "{answer}");
    }
    let access = &tokens(&other).unwrap().access;
    assert_eq!(service.refusal(access).await.as_deref(), Some("SESSION_ENDED"));
}

async fn an_administrator_makes_and_resets_accounts(database: Database) {
    let service = Service::start(&database, "").await;
    let root_id = service.make("root", Role::Admin).await;
    let root = service.login("root").await;
    let send = async |query: &str, variables: Value| {
        let answer = service.send(Some(&root.access), query, variables).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"].clone()
    };
    const CREATE: &str = "mutation($u: String!, $e: String, $p: String!) {
        createUser(input: { username: $u, email: $e, password: $p }) {
            user { id role isActive passwordChangedAt lastLoginAt } errors { code path } } }";
    let made = send(CREATE, json!({ "u": "ada", "e": "ada@example.com", "p": PASSWORD })).await;
    let user = &made["createUser"]["user"];
    assert_eq!((&user["role"], &user["isActive"]), (&json!("USER"), &json!(true)));
    assert!(user["passwordChangedAt"].is_null() && user["lastLoginAt"].is_null());
    let again = send(CREATE, json!({ "u": "ADA", "p": PASSWORD })).await;
    assert_eq!(code(&again["createUser"]), "USERNAME_TAKEN");
    let again = send(CREATE, json!({ "u": "bob", "e": "ADA@example.com", "p": PASSWORD })).await;
    assert_eq!(code(&again["createUser"]), "EMAIL_TAKEN");

    let ada = service.login("ada").await;
    const RESET: &str = "mutation($id: ID!, $p: String!) {
        setUserPassword(input: { userId: $id, newPassword: $p }) {
            endedCount user { passwordChangedAt } errors { code } } }";
    let reset = send(RESET, json!({ "id": user["id"], "p": OTHER })).await;
    assert_eq!(reset["setUserPassword"]["endedCount"], 1);
    assert!(reset["setUserPassword"]["user"]["passwordChangedAt"].is_string());
    assert_eq!(service.refusal(&ada.access).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(code(&service.refresh(&ada.refresh, None).await), "SESSION_ENDED");
    service.try_login("ada", OTHER).await;
    // One's own password takes the current one, which a stolen access token does not know.
    let own = send(RESET, json!({ "id": root_id, "p": OTHER })).await;
    assert_eq!(code(&own["setUserPassword"]), "FORBIDDEN");
    assert_eq!(service.refusal(&root.access).await, None);
    service.login("root").await;

    const DEACTIVATE: &str = "mutation($id: ID!) {
        setUserActive(input: { userId: $id, active: false }) { errors { code } } }";
    let own = send(DEACTIVATE, json!({ "id": root_id })).await;
    assert_eq!(code(&own["setUserActive"]), "FORBIDDEN");
    let absent = "User:00000000-0000-7000-8000-000000000000";
    let absent = send(DEACTIVATE, json!({ "id": absent })).await;
    assert_eq!(code(&absent["setUserActive"]), "NOT_FOUND");
}

async fn two_administrators_who_deactivate_each_other_leave_one(database: Database) {
    const DEACTIVATE: &str = "mutation($id: ID!) { setUserActive(input: {
        userId: $id, active: false }) { user { isActive } errors { code path } } }";
    let service = Service::start(&database, "").await;
    let ids = [service.make("root", Role::Admin).await, service.make("boss", Role::Admin).await];
    let by = [service.login("boss").await, service.login("root").await];
    let [one, other] = [0, 1].map(|n| {
        let id = json!({ "id": ids[n] });
        service.post(Some(&by[n].access), DEACTIVATE, id)
    });
    let answers = <[_; 2]>::from(tokio::join!(one, other)).map(|(_, answer)| answer);
    let is_done = |answer: &&Value| answer["data"]["setUserActive"]["user"]["isActive"] == false;
    assert_eq!(answers.iter().filter(is_done).count(), 1, "{answers:?}");
    // By the command line as well.
    let mut refused = Vec::new();
    for name in ["root", "boss"] {
        let name = LoginName::parse(name).unwrap();
        let user = service.core.store.credentials_by_name(&name).await.unwrap().unwrap().user;
        let (by, origin) = (Admin::operator(), Origin::default());
        refused
            .extend(service.core.auth.accounts.set_active(by, user.id, false, origin).await.err());
    }
    let [Error::Refused(refusal)] = &refused[..] else { panic!("one is last") };
    assert_eq!(refusal.code, UserErrorCode::Forbidden);
    assert!(refusal.message.contains("the last active administrator"), "{refusal}");
}

async fn a_name_that_looks_like_anothers_is_taken(database: Database) {
    let service = Service::start(&database, "--registration open").await;
    service.make("admin", Role::Admin).await;
    const REGISTER: &str = "mutation($u: String!, $p: String!) {
        register(input: { username: $u, password: $p }) { user { username } errors { code path } } }";
    let register = async |name: &str| {
        let answer = service.send(None, REGISTER, json!({ "u": name, "p": PASSWORD })).await;
        answer["data"]["register"].clone()
    };
    for name in ["admın", "ADMİN", "admi\u{307}n"] {
        let refused = json!([{ "code": "USERNAME_TAKEN", "path": ["input", "username"] }]);
        assert_eq!(register(name).await["errors"], refused, "{name}");
    }
    for name in ["山田taro", "小明Tom", "たなかA", "김철수k", "東京tokyo2026", "מֹשֶׁה"]
    {
        assert_eq!(register(name).await["user"]["username"], name);
    }
}

async fn bad_input_is_told_with_its_path(database: Database) {
    let service = Service::start(&database, "--registration open").await;
    const REGISTER: &str = "mutation($u: String!, $e: String, $p: String!, $s: String) {
        register(input: { username: $u, email: $e, password: $p, sessionName: $s }) {
            errors { code path } } }";
    for (field, bad) in [
        ("username", json!({ "u": "a b", "p": PASSWORD })),
        ("username", json!({ "u": "p\u{430}ypal", "p": PASSWORD })),
        ("username", json!({ "u": "a@example.com", "e": "b@example.com", "p": PASSWORD })),
        ("email", json!({ "u": "ada", "e": "nowhere", "p": PASSWORD })),
        ("sessionName", json!({ "u": "ada", "p": PASSWORD, "s": "\u{202e}" })),
    ] {
        let answer = service.send(None, REGISTER, bad.clone()).await;
        let error = &answer["data"]["register"]["errors"][0];
        assert_eq!(*error, json!({ "code": "INVALID_INPUT", "path": ["input", field] }), "{bad}");
    }
    let weak = service.send(None, REGISTER, json!({ "u": "ada", "p": "12345678" })).await;
    assert_eq!(code(&weak["data"]["register"]), "WEAK_PASSWORD");
    const COOKIE: &str = "mutation { login(input: { username: \"a\", password: \"b\",
        transport: COOKIE }) { errors { code path } } }";
    let answer = service.send(None, COOKIE, Value::Null).await;
    assert_eq!(answer["data"]["login"]["errors"][0]["path"], json!(["input", "transport"]));
    let answer = service.send(None, REGISTER, json!({ "u": "a\u{0}", "p": PASSWORD })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}
