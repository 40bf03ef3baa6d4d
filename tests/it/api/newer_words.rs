//! A replica beside a newer version, which writes roles, reasons and kinds that this one does not know.

use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{Service, code, tokens};
use crate::databases::{Database, on_both};

on_both!(
    a_user_with_a_role_of_a_newer_version_has_the_least_privilege,
    the_guard_goes_on_with_reasons_of_a_newer_version,
    an_unknown_role_is_given_to_nobody,
);

async fn a_user_with_a_role_of_a_newer_version_has_the_least_privilege(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::Admin).await;
    let before = service.login("ada").await;
    let newer = "UPDATE users SET role = 'AUDITOR'";
    database.raw().await.execute(newer).await;
    let next = tokens(&service.refresh(&before.refresh, None).await).unwrap();
    let login = service.login("ada").await;
    for token in [&next.access, &login.access] {
        let answer = service.send(Some(token), "{ viewer { role } }", Value::Null).await;
        assert_eq!(answer["data"]["viewer"]["role"], "UNKNOWN", "{answer}");
        let answer = service.send(Some(token), "{ users { totalCount } }", Value::Null).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    }
}

async fn the_guard_goes_on_with_reasons_of_a_newer_version(database: Database) {
    let mut service = Service::start(&database, "").await;
    service.make("root", Role::Admin).await;
    service.make("ada", Role::User).await;
    let (root, ada) = (service.login("root").await, service.login("ada").await);
    let other = Service::start_at(&database, "", service.clock.clone()).await;
    other.logout(Some(&ada.access), None, "CURRENT").await;
    // Before this replica has read the end.
    database
        .raw()
        .await
        .execute(
            "UPDATE session_ends SET reason = 'PASSKEY_REMOVED'; \
             UPDATE sessions SET end_reason = 'PASSKEY_REMOVED' WHERE ended_at IS NOT NULL; \
             UPDATE blacklist_entries SET reason = 'PASSKEY_REMOVED'; \
             UPDATE audit_events SET kind = 'PASSKEY_REMOVED' WHERE kind = 'SESSION_ENDED'",
        )
        .await;
    service.feed.read().await.unwrap();
    assert_eq!(service.refusal(&ada.access).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(service.refusal(&root.access).await, None);
    assert_eq!(code(&service.refresh(&ada.refresh, None).await), "SESSION_ENDED");
    const LISTS: &str = "{
        users { nodes { sessions(filter: { endReason: UNKNOWN }) { nodes { id endReason } } } }
        blacklistEntries(filter: { reasons: [UNKNOWN] }) { nodes { id reason } }
        auditEvents(filter: { kinds: [UNKNOWN] }) { nodes { id kind } }
    }";
    let answer = service.send(Some(&root.access), LISTS, Value::Null).await;
    let data = &answer["data"];
    let of_ada = &data["users"]["nodes"][0]["sessions"]["nodes"];
    assert_eq!(of_ada[0]["endReason"], "UNKNOWN", "{answer}");
    assert_eq!(data["blacklistEntries"]["nodes"][0]["reason"], "UNKNOWN", "{answer}");
    assert_eq!(data["auditEvents"]["nodes"][0]["kind"], "UNKNOWN", "{answer}");
    const NODES: &str = "query($ids: [ID!]!) { nodes(ids: $ids) {
        ... on Session { endReason } ... on BlacklistEntry { reason } ... on AuditEvent { kind } } }";
    let ids = [
        &of_ada[0]["id"],
        &data["blacklistEntries"]["nodes"][0]["id"],
        &data["auditEvents"]["nodes"][0]["id"],
    ];
    let answer = service.send(Some(&root.access), NODES, json!({ "ids": ids })).await;
    let expected =
        json!([{ "endReason": "UNKNOWN" }, { "reason": "UNKNOWN" }, { "kind": "UNKNOWN" }]);
    assert_eq!(answer["data"]["nodes"], expected, "{answer}");
    // New logins and refreshes go on.
    let again = service.login("ada").await;
    assert!(tokens(&service.refresh(&again.refresh, None).await).is_some());
}

async fn an_unknown_role_is_given_to_nobody(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("root", Role::Admin).await;
    let root = service.login("root").await;
    const CREATE: &str = "mutation { createUser(input: { username: \"ada\",
        password: \"tangerine-orbit-quartz-41\", role: UNKNOWN }) {
        user { id } errors { code message path } } }";
    let answer = service.send(Some(&root.access), CREATE, Value::Null).await;
    let payload = &answer["data"]["createUser"];
    assert_eq!((code(payload), &payload["user"]), ("INVALID_INPUT", &Value::Null), "{answer}");
    assert_eq!(payload["errors"][0]["path"], json!(["input", "role"]));
    let users = "SELECT count(*) FROM users";
    assert_eq!(database.raw().await.number(users).await, 1);
}
