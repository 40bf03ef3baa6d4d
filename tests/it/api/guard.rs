//! The guard: admitted callers, and the answers to others.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sallyport::domain::origin::Origin;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::Service;
use crate::databases::{Database, on_both};

on_both!(
    what_others_own_looks_like_what_does_not_exist,
    an_end_is_known_to_another_process_after_its_next_read,
    a_stale_view_answers_neither_yes_nor_no,
    a_token_that_is_sent_and_refused_is_an_error_where_things_are_asked_for_by_id,
    a_token_tells_why_it_is_refused,
    the_public_keys_are_served_with_a_tag,
    the_guard_asks_no_database,
    what_a_token_says_of_its_session_is_not_read,
    what_never_changes_of_an_account_is_not_read_again,
    an_ended_session_stays_ended_though_a_clock_was_ahead_while_it_was_purged,
);

const OWN: &str = "query($s: ID!, $u: ID!, $n: [ID!]!) {
    session: node(id: $s) { id } user: node(id: $u) { id } nodes(ids: $n) { id } }";

async fn what_others_own_looks_like_what_does_not_exist(database: Database) {
    let service = Service::start(&database, "").await;
    let ada = service.make("ada", Role::User).await;
    service.make("bob", Role::User).await;
    service.make("root", Role::Admin).await;
    let payload = service.try_login("ada", super::service::PASSWORD).await;
    let session = payload["session"]["id"].as_str().unwrap();
    let absent = "00000000-0000-7000-8000-000000000000";
    let (no_session, no_user) = (format!("Session:{absent}"), format!("User:{absent}"));
    let bob = service.login("bob").await;
    let theirs = json!({ "s": session, "u": ada, "n": [session, ada] });
    let nobodys = json!({ "s": no_session, "u": no_user, "n": [no_session, no_user] });
    let mut seen = service.send(Some(&bob.access), OWN, theirs.clone()).await;
    assert_eq!(seen, service.send(Some(&bob.access), OWN, nobodys).await);
    seen = seen["data"].take();
    assert_eq!(seen, json!({ "session": null, "user": null, "nodes": [null, null] }));

    const END: &str = "mutation($s: ID!) { endSession(input: { sessionId: $s }) {
        session { id } errors { code message path } }
        renameSession(input: { sessionId: $s, name: \"x\" }) { errors { code message path } } }";
    let end = service.send(Some(&bob.access), END, json!({ "s": session })).await;
    assert_eq!(end, service.send(Some(&bob.access), END, json!({ "s": no_session })).await);
    assert_eq!(end["data"]["endSession"]["errors"][0]["code"], "NOT_FOUND");

    for (bearer, found) in [(service.login("ada").await, true), (service.login("root").await, true)]
    {
        let answer = service.send(Some(&bearer.access), OWN, theirs.clone()).await;
        assert_eq!(answer["data"]["session"]["id"] == session, found, "{answer}");
        assert_eq!(answer["data"]["nodes"][1]["id"], ada);
    }
    for query in [
        "{ users { totalCount } }",
        "{ sessions { totalCount } }",
        "{ user(username: \"ada\") { id } }",
    ] {
        let answer = service.send(Some(&bob.access), query, Value::Null).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    }
    // Filters do not lead out of one's own lists.
    const LISTS: &str =
        "query($u: ID!) { viewer { sessions(filter: { userId: $u }) { nodes { user { id } } } } }";
    let answer = service.send(Some(&bob.access), LISTS, json!({ "u": ada })).await;
    let nodes = answer["data"]["viewer"]["sessions"]["nodes"].as_array().unwrap();
    assert!(nodes.iter().all(|node| node["user"]["id"] != ada.as_str()), "{answer}");
}

async fn an_end_is_known_to_another_process_after_its_next_read(database: Database) {
    let one = Service::start(&database, "").await;
    one.make("ada", Role::User).await;
    let mut two = Service::start_at(&database, "", one.clock.clone()).await;
    let ada = one.login("ada").await;
    assert_eq!(two.refusal(&ada.access).await, None);
    one.logout(Some(&ada.access), None, "CURRENT").await;
    assert_eq!(one.refusal(&ada.access).await.as_deref(), Some("SESSION_ENDED"));
    two.feed.read().await.unwrap();
    assert_eq!(two.refusal(&ada.access).await.as_deref(), Some("SESSION_ENDED"));
    // One that starts later has it from the start.
    let three = Service::start_at(&database, "", one.clock.clone()).await;
    assert_eq!(three.refusal(&ada.access).await.as_deref(), Some("SESSION_ENDED"));
}

async fn a_stale_view_answers_neither_yes_nor_no(database: Database) {
    let mut service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    service.clock.advance_monotonic(Duration::from_millis(5_001));
    assert_eq!(service.refusal(&ada.access).await.as_deref(), Some("SERVICE_UNAVAILABLE"));
    let ready = || Request::get("/readyz").body(Body::empty()).unwrap();
    let (status, body) = service.call(ready()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["reasons"][0], "feed: the ended sessions were read 5 s ago");
    // What needs nobody goes on.
    service.login("ada").await;
    service.pass(Duration::ZERO).await;
    assert_eq!(service.refusal(&ada.access).await, None);
    assert_eq!(service.call(ready()).await.0, StatusCode::OK);
}

async fn a_token_that_is_sent_and_refused_is_an_error_where_things_are_asked_for_by_id(
    database: Database,
) {
    let mut service = Service::start(&database, "").await;
    let id = service.make("ada", Role::User).await;
    let (ada, over) = (service.login("ada").await, service.login("ada").await);
    service.logout(Some(&over.access), None, "CURRENT").await;
    const NODE: &str =
        "query($id: ID!) { node(id: $id) { id } tokenStatus(token: \"\") { active } }";
    const NODES: &str = "query($id: ID!) { nodes(ids: [$id]) { id } }";
    let ask = async |service: &Service, bearer: Option<&str>| {
        let by_id = service.send(bearer, NODE, json!({ "id": id })).await;
        let by_ids = service.send(bearer, NODES, json!({ "id": id })).await;
        assert_eq!(by_id["data"]["tokenStatus"]["active"], false, "{by_id}");
        (by_id, by_ids)
    };
    let (node, nodes) = ask(&service, Some(&ada.access)).await;
    assert_eq!(
        (&node["data"]["node"]["id"], &nodes["data"]["nodes"][0]["id"]),
        (&json!(id), &json!(id))
    );
    let (node, nodes) = ask(&service, None).await;
    assert!(node["errors"].is_null() && node["data"]["node"].is_null(), "{node}");
    assert_eq!(nodes, json!({ "data": { "nodes": [null] } }));
    let now = [(&*over.access, "SESSION_ENDED"), (&*ada.refresh, "WRONG_TYPE"), ("x", "MALFORMED")];
    for (bearer, reason) in now.into_iter().chain([("", "MALFORMED"), (&*ada.access, "EXPIRED")]) {
        if reason == "EXPIRED" {
            service.pass(Duration::from_mins(16)).await;
        }
        let (node, nodes) = ask(&service, Some(bearer)).await;
        for (answer, path) in [(&node, "node"), (&nodes, "nodes")] {
            let extensions = &answer["errors"][0]["extensions"];
            assert_eq!(extensions["code"], "UNAUTHENTICATED", "{answer}");
            assert_eq!(extensions["reason"], reason, "{answer}");
            assert_eq!(answer["errors"][0]["path"], json!([path]));
        }
        assert!(node["data"]["node"].is_null() && nodes["data"].is_null());
    }
}

async fn a_token_tells_why_it_is_refused(database: Database) {
    let mut service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let next = super::service::tokens(&service.refresh(&ada.refresh, None).await).unwrap();
    assert_eq!(status(&service, &next.access).await, json!([true, null, "ACCESS", true]));
    assert_eq!(status(&service, &next.refresh).await, json!([true, null, "REFRESH", false]));
    assert_eq!(status(&service, "x").await, json!([false, "MALFORMED", null, false]));
    let (signed, signature) = next.access.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let forged = format!("{signed}.{first}{}", &signature[1..]);
    assert_eq!(status(&service, &forged).await[1], "INVALID");
    service.logout(Some(&next.access), None, "CURRENT").await;
    for token in [&next.access, &next.refresh, &ada.refresh] {
        assert_eq!(status(&service, token).await[1], "SESSION_ENDED");
    }
    service.pass(Duration::from_hours(1)).await;
    assert_eq!(status(&service, &next.access).await[1], "EXPIRED");
    let wrong = service.refusal(&next.refresh).await;
    assert_eq!(wrong.as_deref(), Some("WRONG_TYPE"));
}

async fn status(service: &Service, token: &str) -> Value {
    const STATUS: &str = "query($t: String!) { tokenStatus(token: $t) {
        active reason tokenType session { id } } }";
    let answer = service.send(None, STATUS, json!({ "t": token })).await;
    let status = &answer["data"]["tokenStatus"];
    let session = !status["session"].is_null();
    json!([status["active"], status["reason"], status["tokenType"], session])
}

async fn the_public_keys_are_served_with_a_tag(database: Database) {
    let service = Service::start(&database, "").await;
    let again = Service::start(&database, "").await;
    let ring = service.core.auth.keys.ring();
    assert_eq!(ring.jwks().body, again.core.auth.keys.ring().jwks().body);
    let path = "/.well-known/jwks.json";
    let (status, keys) = service.call(Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    let key = &keys["keys"][0];
    assert!(key["alg"] == "ES256" && key["kid"].is_string() && key.get("d").is_none(), "{key}");
    let tag = &ring.jwks().etag;
    let request = Request::get(path).header("if-none-match", tag).body(Body::empty()).unwrap();
    assert_eq!(service.call(request).await.0, StatusCode::NOT_MODIFIED);
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    assert_eq!(again.refusal(&ada.access).await, None);
    assert_eq!(database.raw().await.number("SELECT count(*) FROM signing_keys").await, 1);
}

async fn the_guard_asks_no_database(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let before = service.core.store.operations();
    const FREE: &str = "query($t: String!) { tokenStatus(token: $t) { active } }";
    for _ in 0..10 {
        service.send(Some(&ada.access), FREE, json!({ "t": ada.access })).await;
        let caller = service.core.auth.guard.caller(Some(&ada.access), Origin::default()).await;
        assert!(service.core.auth.guard.authenticate(&caller).is_ok());
    }
    assert_eq!(service.core.store.operations(), before);
}

async fn what_a_token_says_of_its_session_is_not_read(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let ask = async |document| service.send(Some(&ada.access), document, Value::Null).await;
    const READ: &str = "{ viewerSession { id sid isCurrent state } }";
    const KNOWN: &str = "{ viewerSession { ...S ... { isCurrent __typename } } }
        fragment S on Session { id sid }";
    let read = ask(READ).await;
    let mut raw = database.raw().await;
    raw.execute("ALTER TABLE sessions RENAME TO away").await;
    let before = service.core.store.operations();
    let known = ask(KNOWN).await;
    assert_eq!(service.core.store.operations(), before);
    for name in ["id", "sid", "isCurrent"] {
        assert_eq!(known["data"]["viewerSession"][name], read["data"]["viewerSession"][name]);
    }
    assert_eq!(known["data"]["viewerSession"]["__typename"], "Session");
    // Whatever has to be read is, also where another field of the same name needs none of it.
    let unread = ask("{ viewerSession { sid } viewerSession { state } }").await;
    assert!(unread["errors"][0]["extensions"]["code"].is_string(), "{unread}");
    raw.execute("ALTER TABLE away RENAME TO sessions").await;
    assert_eq!(ask(READ).await, read);
}

async fn what_never_changes_of_an_account_is_not_read_again(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let ask = async |document| service.send(Some(&ada.access), document, Value::Null).await;
    const FIXED: &str =
        "{ viewer { ...U role createdAt __typename } } fragment U on User { id username }";
    const CHANGING: &str = "{ viewer { username } viewer { lastLoginAt isActive } }";
    let (fixed, changing) = (ask(FIXED).await, ask(CHANGING).await);
    let before = service.core.store.operations();
    assert_eq!(ask(FIXED).await, fixed);
    assert_eq!(service.core.store.operations(), before);
    // What changes is read each time, for everybody who is shown the account.
    service.clock.advance(Duration::from_secs(1));
    service.login("ada").await;
    let seen = ask(CHANGING).await;
    assert_ne!(seen["data"]["viewer"]["lastLoginAt"], changing["data"]["viewer"]["lastLoginAt"]);
    assert_eq!(seen["data"]["viewer"]["username"], "ada");
}

async fn an_ended_session_stays_ended_though_a_clock_was_ahead_while_it_was_purged(
    database: Database,
) {
    const AHEAD: Duration = Duration::from_hours(1);
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let (gone, live) = (service.login("ada").await, service.login("ada").await);
    service.logout(Some(&gone.access), None, "CURRENT").await;
    service.clock.advance(AHEAD);
    assert_eq!(service.core.auth.system.purge().await.unwrap().session_ends, 1);
    service.clock.rewind(AHEAD);
    let restarted = Service::start_at(&database, "", Arc::clone(&service.clock)).await;
    let query = "{ viewer { username } }";
    let refused = restarted.send(Some(&gone.access), query, Value::Null).await;
    assert_eq!(refused["errors"][0]["extensions"]["reason"], "SESSION_ENDED", "{refused}");
    let answer = restarted.send(Some(&live.access), query, Value::Null).await;
    assert_eq!(answer["data"]["viewer"]["username"], "ada", "{answer}");
}
