//! Audit events and their readers; ends of all sessions that match a filter.

use std::time::Duration;

use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{PASSWORD, Service, code, tokens};
use crate::databases::{Database, on_both};

on_both!(
    each_act_is_written_down_once,
    an_owner_reads_their_own_and_an_administrator_everybodys,
    the_events_of_a_session_are_found_by_it,
    pages_of_the_audit_are_the_whole_list,
    sessions_with_something_in_common_are_previewed_and_ended,
    an_order_that_leaves_out_nobody_is_refused,
);

const OWN: &str = "{ viewer { auditEvents(first: 100) { totalCount
    nodes { kind detail user { username } actor { username } session { id } } } } }";

async fn each_act_is_written_down_once(database: Database) {
    let service = Service::start(&database, "--registration open").await;
    const REGISTER: &str = "mutation($p: String!) { register(input: {
        username: \"ada\", password: $p }) { tokens { accessToken refreshToken } } }";
    let answer = service.send(None, REGISTER, json!({ "p": PASSWORD })).await;
    let ada = tokens(&answer["data"]["register"]).unwrap();
    service.try_login("ada", "wrong").await;
    service.clock.advance(Duration::from_secs(1));
    let next = tokens(&service.refresh(&ada.refresh, None).await).unwrap();
    service.refresh(&ada.refresh, None).await;
    service.clock.advance(Duration::from_mins(1));
    assert_eq!(code(&service.refresh(&ada.refresh, None).await), "REFRESH_TOKEN_REUSED");
    assert!(service.refusal(&next.access).await.is_some());
    service.clock.advance(Duration::from_secs(1));
    let again = service.login("ada").await;
    let answer = service.send(Some(&again.access), OWN, Value::Null).await;
    let events = answer["data"]["viewer"]["auditEvents"]["nodes"].as_array().unwrap();
    let kinds: Vec<&str> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds[0], "LOGIN_SUCCEEDED", "{answer}");
    for kind in [
        "REGISTERED",
        "LOGIN_FAILED",
        "REFRESH_RETRIED",
        "REFRESH_REUSED",
        "SESSION_ENDED",
        "LOGIN_SUCCEEDED",
    ] {
        let count = kinds.iter().filter(|found| **found == kind).count();
        assert_eq!(count, 1, "{kind}: {answer}");
    }
    assert!(events.iter().all(|event| event["user"]["username"] == "ada"));
}

async fn an_owner_reads_their_own_and_an_administrator_everybodys(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    service.make("root", Role::Admin).await;
    let (ada, root) = (service.login("ada").await, service.login("root").await);
    service.try_login("nobody", "wrong").await;
    const ALL: &str = "query($f: AuditFilter) { auditEvents(filter: $f) {
        totalCount nodes { id kind user { username } } } }";
    let all = service.send(Some(&root.access), ALL, Value::Null).await;
    assert_eq!(all["data"]["auditEvents"]["totalCount"], 5, "{all}");
    let failed = json!({ "f": { "kinds": ["LOGIN_FAILED"] } });
    let failed = service.send(Some(&root.access), ALL, failed).await;
    let nobodys = &failed["data"]["auditEvents"]["nodes"];
    assert_eq!(nobodys.as_array().unwrap().len(), 1);
    assert!(nobodys[0]["user"].is_null());
    let refused = service.send(Some(&ada.access), ALL, Value::Null).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let own = service.send(Some(&ada.access), OWN, Value::Null).await;
    assert_eq!(own["data"]["viewer"]["auditEvents"]["totalCount"], 2, "{own}");

    const NODE: &str = "query($n: [ID!]!) { nodes(ids: $n) { id } }";
    let ids: Vec<&Value> = all["data"]["auditEvents"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["user"]["username"] != "ada")
        .map(|event| &event["id"])
        .collect();
    let theirs = service.send(Some(&ada.access), NODE, json!({ "n": ids })).await;
    assert_eq!(theirs["data"]["nodes"], json!([null, null, null]));
    let seen = service.send(Some(&root.access), NODE, json!({ "n": ids })).await;
    assert!(seen["data"]["nodes"].as_array().unwrap().iter().all(|node| !node.is_null()));
    for forged in ["AuditEvent:0", "AuditEvent:+1", "AuditEvent:01", "AuditEvent:x"] {
        let answer = service.send(Some(&root.access), NODE, json!({ "n": [forged] })).await;
        assert_eq!(answer["data"]["nodes"], json!([null]), "{forged}");
    }
}

async fn the_events_of_a_session_are_found_by_it(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    service.make("eve", Role::User).await;
    service.make("root", Role::Admin).await;
    let (ada, eve, root) =
        (service.login("ada").await, service.login("eve").await, service.login("root").await);
    service.login("ada").await;
    let asked = service.send(Some(&ada.access), "{ viewerSession { id } }", Value::Null).await;
    let session = &asked["data"]["viewerSession"]["id"];
    service.send(Some(&ada.access), "mutation { logout { endedCount } }", Value::Null).await;
    const ALL: &str = "query($s: ID!) { auditEvents(filter: { sessionId: $s }) {
        totalCount nodes { kind session { id } } } }";
    let found = service.send(Some(&root.access), ALL, json!({ "s": session })).await;
    let nodes = &found["data"]["auditEvents"]["nodes"];
    assert_eq!(nodes[0]["kind"], "SESSION_ENDED", "{found}");
    assert_eq!(nodes[1]["kind"], "LOGIN_SUCCEEDED", "{found}");
    assert_eq!(found["data"]["auditEvents"]["totalCount"], 2, "{found}");
    const OWN: &str = "query($s: ID!) { viewer {
        auditEvents(filter: { sessionId: $s }) { totalCount } } }";
    let others = service.send(Some(&eve.access), OWN, json!({ "s": session })).await;
    assert_eq!(others["data"]["viewer"]["auditEvents"]["totalCount"], 0, "{others}");
}

async fn pages_of_the_audit_are_the_whole_list(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("root", Role::Admin).await;
    for _ in 0..10 {
        service.try_login("root", PASSWORD).await;
    }
    let root = service.login("root").await;
    const PAGE: &str = "query($n: Int, $c: String) { auditEvents(first: $n, after: $c) {
        nodes { id } pageInfo { hasNextPage endCursor } } }";
    let page = async |size: i32, cursor: Value| {
        let answer =
            service.send(Some(&root.access), PAGE, json!({ "n": size, "c": cursor })).await;
        answer["data"]["auditEvents"].clone()
    };
    let whole = page(100, Value::Null).await["nodes"].as_array().unwrap().clone();
    assert_eq!(whole.len(), 12);
    let (mut read, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = page(5, cursor).await;
        read.extend(page["nodes"].as_array().unwrap().clone());
        cursor = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(read, whole);
}

const END: &str = "mutation($f: SessionFilter!, $d: Boolean, $n: String) {
    endSessions(input: { filter: $f, dryRun: $d, note: $n }) {
        matchedCount endedCount errors { code path } } }";

async fn sessions_with_something_in_common_are_previewed_and_ended(database: Database) {
    let service = Service::start(&database, "").await;
    let ada = service.make("ada", Role::User).await;
    service.make("bob", Role::User).await;
    service.make("root", Role::Admin).await;
    let mut adas = Vec::new();
    for _ in 0..3 {
        adas.push(service.login("ada").await);
    }
    let (bob, root) = (service.login("bob").await, service.login("root").await);
    const PREVIEW: &str = "mutation($f: SessionFilter!) { endSessions(input: { filter: $f }) {
        matchedCount endedCount } }";
    let of_ada = json!({ "userId": ada });
    let answer = service.send(Some(&root.access), PREVIEW, json!({ "f": of_ada })).await;
    let preview = json!({ "matchedCount": 3, "endedCount": 0 });
    assert_eq!(answer["data"]["endSessions"], preview, "{answer}");
    assert_eq!(service.refusal(&adas[0].access).await, None);
    let order = json!({ "f": of_ada, "d": false, "n": "ticket 7" });
    let answer = service.send(Some(&root.access), END, order).await;
    let done = json!({ "matchedCount": 3, "endedCount": 3, "errors": [] });
    assert_eq!(answer["data"]["endSessions"], done, "{answer}");
    for session in &adas {
        assert_eq!(service.refusal(&session.access).await.as_deref(), Some("SESSION_ENDED"));
    }
    assert_eq!(service.refusal(&bob.access).await, None);
    let details = "SELECT detail FROM audit_events WHERE kind = 'SESSION_ENDED'";
    let details = database.raw().await.texts(details).await;
    assert_eq!(details, ["ADMIN: ticket 7"; 3]);
    // All that are live; whose order it is stays.
    let all = json!({ "f": { "state": "ACTIVE" }, "d": false });
    let answer = service.send(Some(&root.access), END, all).await;
    assert_eq!(answer["data"]["endSessions"]["endedCount"], 1, "{answer}");
    assert!(service.refusal(&bob.access).await.is_some());
    assert_eq!(service.refusal(&root.access).await, None);
}

async fn an_order_that_leaves_out_nobody_is_refused(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    service.make("root", Role::Admin).await;
    let (ada, root) = (service.login("ada").await, service.login("root").await);
    for (order, path) in [
        (json!({ "f": {}, "d": false }), ["input", "filter"]),
        (json!({ "f": { "userAgentContains": "" }, "d": false }), ["input", "filter"]),
        (json!({ "f": { "createdAt": {} }, "d": false }), ["input", "filter"]),
        (json!({ "f": { "state": "ACTIVE" }, "d": false, "n": "a\nb" }), ["input", "note"]),
    ] {
        let answer = service.send(Some(&root.access), END, order.clone()).await;
        let errors = json!([{ "code": "INVALID_INPUT", "path": path }]);
        assert_eq!(answer["data"]["endSessions"]["errors"], errors, "{order}");
    }
    assert_eq!(service.refusal(&ada.access).await, None);
    let order = json!({ "f": { "state": "ACTIVE" }, "d": false });
    let answer = service.send(Some(&ada.access), END, order).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
}
