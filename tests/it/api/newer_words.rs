//! A replica beside a newer version, which writes roles, reasons, kinds and algorithms of keys that this one
//! does not know.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sallyport::auth::Check;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::keys::{admin, kid, rotate, two};
use super::service::{PASSWORD, Service, code, tokens};
use crate::databases::{Database, on_both};

on_both!(
    a_user_with_a_role_of_a_newer_version_has_the_least_privilege,
    the_guard_goes_on_with_reasons_of_a_newer_version,
    an_unknown_role_is_given_to_nobody,
    a_key_of_an_unknown_algorithm_that_does_not_sign_yet_changes_nothing,
    a_process_that_cannot_sign_with_the_key_of_a_newer_version_guards_and_writes_nothing,
    tokens_of_a_retiring_key_of_an_unknown_algorithm_are_not_called_invalid,
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

/// How long a new key is published before it signs.
const PUBLICATION: Duration = Duration::from_mins(10);

/// Two processes that have read a rotation to an algorithm that only the first one knows, and a token of
/// the old key. The first one opened the key before its row named the algorithm.
async fn newer_and_older(database: &Database) -> (Service, Service, String) {
    let (newer, mut older) = two(database).await;
    let root = admin(&newer).await;
    assert_eq!(rotate(&newer, &root, Value::Null).await["errors"], json!([]));
    name_unknown_algorithm(database, "retired_at IS NULL").await;
    older.feed.read().await.unwrap();
    (newer, older, root)
}

async fn name_unknown_algorithm(database: &Database, keys: &str) {
    let update = format!("UPDATE signing_keys SET algorithm = 'ML-DSA-65' WHERE {keys}");
    database.raw().await.execute(update).await;
}

/// The outcome of the check `keys` of the readiness.
async fn keys_check(service: &Service) -> Check {
    let mut checks = service.core.auth.system.readiness().await.into_iter();
    checks.find(|check| check.name == "keys").unwrap()
}

/// The algorithms of the keys as an administrator sees them, the oldest key first.
async fn algorithms(service: &Service, bearer: &str) -> Vec<String> {
    let answer = service.send(Some(bearer), "{ signingKeys { algorithm } }", Value::Null).await;
    let keys = answer["data"]["signingKeys"].as_array().unwrap_or_else(|| panic!("{answer}"));
    keys.iter().map(|key| key["algorithm"].as_str().unwrap().to_owned()).collect()
}

async fn a_key_of_an_unknown_algorithm_that_does_not_sign_yet_changes_nothing(database: Database) {
    let (_newer, mut older, root) = newer_and_older(&database).await;
    older.pass(Duration::from_secs(6)).await;
    let restarted = Service::start_at(&database, "", older.clock.clone()).await;
    // It must not undo the rotation of the newer version.
    let named = Service::start_at(&database, "--algorithm EdDSA", older.clock.clone()).await;
    for service in [&older, &restarted, &named] {
        assert_eq!(service.refusal(&root).await, None);
        let login = service.login("root").await;
        assert_eq!(kid(&login.access), kid(&root));
        assert!(tokens(&service.refresh(&login.refresh, None).await).is_some());
        assert_eq!(algorithms(service, &root).await, ["ES256", "ML-DSA-65"]);
        let words = keys_check(service).await.outcome.unwrap();
        assert!(words.starts_with("ok: this version does not know the algorithm"), "{words}");
    }
}

async fn a_process_that_cannot_sign_with_the_key_of_a_newer_version_guards_and_writes_nothing(
    database: Database,
) {
    let (mut newer, mut older, _) = newer_and_older(&database).await;
    newer.pass(Duration::from_secs(599)).await;
    let before = newer.login("root").await;
    newer.pass(Duration::from_secs(1)).await;
    older.feed.read().await.unwrap();
    let mut restarted =
        Service::start_at(&database, "--algorithm EdDSA", older.clock.clone()).await;
    let sessions = "SELECT count(*) FROM sessions";
    let count = database.raw().await.number(sessions).await;
    for service in [&older, &restarted] {
        assert_eq!(service.refusal(&before.access).await, None);
        assert_eq!(algorithms(service, &before.access).await, ["ES256", "ML-DSA-65"]);
        let why = keys_check(service).await.impediment().unwrap();
        assert!(why.contains("the algorithm of the active signing key"), "{why}");
        let payload = service.try_login("root", PASSWORD).await;
        assert!(payload.is_null(), "{payload}");
        const REFRESH: &str = "mutation($t: String!) { refresh(input: { refreshToken: $t }) {
            tokens { accessToken } errors { code } } }";
        let answer = service.send(None, REFRESH, json!({ "t": before.refresh })).await;
        let refused = &answer["errors"][0]["extensions"]["code"];
        assert_eq!(refused, "SERVICE_UNAVAILABLE", "{answer}");
    }
    assert_eq!(database.raw().await.number(sessions).await, count);
    // Long after, the refresh token that the older version refused is still the outstanding one.
    newer.pass(Duration::from_mins(2)).await;
    let next = tokens(&newer.refresh(&before.refresh, None).await).unwrap();
    older.feed.read().await.unwrap();
    assert_eq!(older.refusal(&before.access).await, None);
    assert_eq!(older.refusal(&next.access).await.as_deref(), Some("SERVICE_UNAVAILABLE"));
    // A rotation that names no algorithm is one to the default.
    restarted.feed.read().await.unwrap();
    let payload = rotate(&restarted, &before.access, Value::Null).await;
    assert_eq!(payload["signingKey"]["algorithm"], "ES256", "{payload}");
}

async fn tokens_of_a_retiring_key_of_an_unknown_algorithm_are_not_called_invalid(
    database: Database,
) {
    let (mut newer, _) = two(&database).await;
    let old = admin(&newer).await;
    assert_eq!(rotate(&newer, &old, Value::Null).await["errors"], json!([]));
    newer.pass(PUBLICATION).await;
    name_unknown_algorithm(&database, "retired_at IS NOT NULL").await;
    let mut older = Service::start_at(&database, "", newer.clock.clone()).await;
    older.pass(Duration::from_secs(6)).await;
    let login = older.login("root").await;
    assert_eq!(older.refusal(&login.access).await, None);
    assert_eq!(algorithms(&older, &login.access).await, ["ML-DSA-65", "ES256"]);
    assert_eq!(keys_check(&older).await.impediment(), None);
    let header = json!({ "alg": "ML-DSA-65", "kid": kid(&old), "typ": "at+jwt" }).to_string();
    let (_, rest) = old.split_once('.').unwrap();
    let named = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header));
    for token in [&old, &named] {
        assert_eq!(older.refusal(token).await.as_deref(), Some("SERVICE_UNAVAILABLE"));
    }
    // A key of this version does not sign with it.
    let foreign = json!({ "alg": "ML-DSA-65", "kid": kid(&login.access), "typ": "at+jwt" });
    let foreign = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(foreign.to_string()));
    assert_eq!(older.refusal(&foreign).await.as_deref(), Some("INVALID"));
}
