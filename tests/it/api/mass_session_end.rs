//! Ends of very many sessions at once: every replica refuses them at once, before their rows are updated.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sallyport::auth::Admin;
use sallyport::clock::Clock;
use sallyport::domain::origin::Origin;
use sallyport::domain::user::Role;
use sallyport::store::Scope;
use serde_json::{Value, json};
use uuid::Uuid;

use super::service::{PASSWORD, Service, Tokens, code, tokens};
use crate::databases::{Database, on_both};

on_both!(
    every_order_ends_very_many_at_once_on_every_replica,
    a_session_that_ended_says_so_before_its_row_does,
    very_many_who_log_out_everywhere_beside_logins_end_what_was_before,
    sessions_with_something_in_common_end_in_batches,
    a_command_ends_rows_itself_as_far_as_it_comes,
);

const MANY: usize = 1_100;

const OTHER: &str = "amber-lantern-quarry-88";

/// Two replicas, with an administrator.
async fn replicas(database: &Database) -> (Service, Service, Tokens) {
    const FLAGS: &str = "--max-sessions-per-user off --throttle false";
    let here = Service::start(database, FLAGS).await;
    let there = Service::start_at(database, FLAGS, Arc::clone(&here.clock)).await;
    here.make("root", Role::Admin).await;
    let root = here.login("root").await;
    (here, there, root)
}

/// An account with very many sessions besides those that log in later.
async fn account(database: &Database, service: &Service, name: &str, sessions: usize) -> String {
    let id = service.make(name, Role::User).await;
    let user: Uuid = id.strip_prefix("User:").unwrap().parse().unwrap();
    let until = service.clock.now() + Duration::from_mins(15);
    database.add_sessions(user, sessions, until.as_micros()).await;
    id
}

/// The payload of a mutation's only field.
async fn order(service: &Service, bearer: &str, mutation: &str, variables: Value) -> Value {
    let answer = service.send(Some(bearer), mutation, variables).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["done"].clone()
}

const CHANGE: &str = "mutation($p: String!, $n: String!) { done: changePassword(input: \
    { currentPassword: $p, newPassword: $n }) { endedCount errors { code } } }";
const SET: &str = "mutation($u: ID!, $n: String!) { done: setUserPassword(input: \
    { userId: $u, newPassword: $n }) { endedCount errors { code } } }";
const ACTIVE: &str = "mutation($u: ID!, $a: Boolean!) { done: setUserActive(input: \
    { userId: $u, active: $a }) { endedCount errors { code } } }";
const END: &str = "mutation($f: SessionFilter!, $d: Boolean!) { done: endSessions(input: \
    { filter: $f, dryRun: $d }) { matchedCount endedCount errors { code } } }";

async fn every_order_ends_very_many_at_once_on_every_replica(database: Database) {
    let (here, mut there, root) = replicas(&database).await;
    here.make("bob", Role::User).await;
    let bob = here.login("bob").await;
    for (number, name) in ["change", "all", "others", "set", "active", "end"].iter().enumerate() {
        let id = account(&database, &here, name, MANY).await;
        let (asking, other) = (here.login(name).await, there.login(name).await);
        let own = asking.access.as_str();
        let (done, kept) = match *name {
            "change" => {
                let input = json!({ "p": PASSWORD, "n": OTHER });
                (order(&here, own, CHANGE, input).await, true)
            }
            "all" => (here.logout(Some(own), None, "ALL").await, false),
            "others" => (here.logout(Some(own), None, "OTHERS").await, true),
            "set" => {
                let input = json!({ "u": id, "n": OTHER });
                (order(&here, &root.access, SET, input).await, false)
            }
            "active" => {
                let input = json!({ "u": id, "a": false });
                (order(&here, &root.access, ACTIVE, input).await, false)
            }
            _ => {
                let input = json!({ "f": { "userId": id }, "d": true });
                let dry = order(&here, &root.access, END, input).await;
                assert_eq!((&dry["matchedCount"], &dry["endedCount"]), (&json!(1_102), &json!(0)));
                let input = json!({ "f": { "userId": id }, "d": false });
                (order(&here, &root.access, END, input).await, false)
            }
        };
        assert_eq!(done["endedCount"], MANY + 1 + usize::from(!kept), "{name}: {done}");
        // Before any row is ended, and before the other replica has read anything.
        assert!(here.refusal(&other.access).await.is_some(), "{name}");
        assert_eq!(here.refusal(own).await.is_none(), kept, "{name}");
        assert_eq!(code(&there.refresh(&other.refresh, None).await), "SESSION_ENDED", "{name}");
        there.feed.read().await.unwrap();
        assert!(there.refusal(&other.access).await.is_some(), "{name}");
        assert_eq!(there.refusal(own).await.is_none(), kept, "{name}");
        assert_eq!(tokens(&there.refresh(&asking.refresh, None).await).is_some(), kept, "{name}");
        // Doing it again ends nothing more.
        if *name == "active" {
            let input = json!({ "u": id, "a": false });
            assert_eq!(order(&there, &root.access, ACTIVE, input).await["endedCount"], 0);
            let input = json!({ "u": id, "a": true });
            assert_eq!(order(&here, &root.access, ACTIVE, input).await["endedCount"], 0);
            assert_eq!(code(&here.refresh(&other.refresh, None).await), "SESSION_ENDED");
        }
        // Whoever logs in afterwards does so.
        let password = if ["change", "set"].contains(name) { OTHER } else { PASSWORD };
        let again = tokens(&there.try_login(name, password).await).unwrap();
        // By either replica, and also once rows are ended.
        if number % 2 == 0 {
            (if number == 0 { &here } else { &there }).core.auth.ends.end_rows().await.unwrap();
        }
        assert_eq!(here.refusal(&again.access).await, None, "{name}");
        assert!(tokens(&here.refresh(&again.refresh, None).await).is_some(), "{name}");
        assert_eq!(code(&here.refresh(&other.refresh, None).await), "SESSION_ENDED", "{name}");
    }
    assert_eq!(there.refusal(&bob.access).await, None);
    // At last everybody's.
    account(&database, &here, "eve", MANY).await;
    let input = json!({ "f": { "state": "ACTIVE" }, "d": false });
    let done = order(&here, &root.access, END, input).await;
    // Bob's, eve's and who logged in again, and the two who stayed.
    assert_eq!(done["endedCount"], MANY + 1 + 6 + 2, "{done}");
    assert_eq!(here.refusal(&bob.access).await.as_deref(), Some("SESSION_ENDED"));
    there.feed.read().await.unwrap();
    assert_eq!(there.refusal(&bob.access).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(there.refusal(&root.access).await, None, "who asks stays");
    let ended = here
        .core
        .auth
        .sessions
        .end_scope(Admin::operator(), Scope::All, Origin::default())
        .await
        .unwrap();
    assert_eq!(ended, 1);
    assert_eq!(here.refusal(&root.access).await.as_deref(), Some("SESSION_ENDED"));
}

async fn a_session_that_ended_says_so_before_its_row_does(database: Database) {
    let (here, _, root) = replicas(&database).await;
    let id = account(&database, &here, "ada", MANY).await;
    let ada = here.login("ada").await;
    let done = here.logout(Some(&ada.access), None, "ALL").await;
    let named = done["endedSessions"].as_array().unwrap();
    assert_eq!(named.len(), 100);
    assert!(named.iter().all(|session| session["state"] == "ENDED"));
    assert!(named.iter().all(|session| session["endReason"] == "LOGOUT_ALL"));
    for ended in [false, true] {
        let list = "query($u: ID!) { sessions(filter: { userId: $u }, first: 3) {
            nodes { state endReason } }
            live: sessions(filter: { userId: $u, state: ACTIVE }) { totalCount nodes { id } }
            over: sessions(filter: { userId: $u, state: ENDED }) { totalCount } }";
        let answer = here.send(Some(&root.access), list, json!({ "u": id })).await;
        let data = &answer["data"];
        for node in data["sessions"]["nodes"].as_array().unwrap() {
            assert_eq!(*node, json!({ "state": "ENDED", "endReason": "LOGOUT_ALL" }), "{ended}");
        }
        assert_eq!(data["live"], json!({ "totalCount": 0, "nodes": [] }), "{answer}");
        assert_eq!(data["over"]["totalCount"], MANY + 1, "{answer}");
        here.core.auth.ends.end_rows().await.unwrap();
    }
}

async fn very_many_who_log_out_everywhere_beside_logins_end_what_was_before(database: Database) {
    let (here, mut there, _) = replicas(&database).await;
    account(&database, &here, "ada", 5_000).await;
    let mut before = Vec::new();
    for _ in 0..25 {
        before.extend(join_all((0..4).map(|_| here.login("ada"))).await);
    }
    let logins = async {
        let mut opened = Vec::new();
        for _ in 0..5 {
            let tried = join_all((0..4).map(|_| there.try_login("ada", PASSWORD))).await;
            // One that waits too long is refused.
            opened.extend(tried.iter().filter_map(tokens));
        }
        opened
    };
    let logouts = join_all(before.iter().map(|tokens| async {
        here.logout(None, Some(&tokens.refresh), "ALL").await["endedCount"].as_u64()
    }));
    let (counts, opened) = tokio::join!(logouts, logins);
    assert!(counts.contains(&Some(0)), "most find nothing left to end: {counts:?}");
    assert!(!opened.is_empty(), "somebody logs in beside them");
    there.feed.read().await.unwrap();
    let after = there.login("ada").await;
    for round in 0..2 {
        for tokens in &before {
            assert!(here.refusal(&tokens.access).await.is_some());
            assert!(there.refusal(&tokens.access).await.is_some());
        }
        // Each is out on both, or in on both, also for the refresh.
        for Tokens { access, refresh } in &opened {
            let is_in = here.refusal(access).await.is_none();
            assert_eq!(there.refusal(access).await.is_none(), is_in);
            if round == 1 {
                assert_eq!(tokens(&here.refresh(refresh, None).await).is_some(), is_in);
            }
        }
        assert_eq!(here.refusal(&after.access).await, None);
        here.core.auth.ends.end_rows().await.unwrap();
        there.feed.read().await.unwrap();
    }
}

async fn sessions_with_something_in_common_end_in_batches(database: Database) {
    let (here, mut there, root) = replicas(&database).await;
    let id = account(&database, &here, "ada", 3_000).await;
    account(&database, &here, "bob", 10).await;
    let ada = here.login("ada").await;
    let old = json!({ "userId": id, "createdAt": { "before": "2020-01-01T00:00:00.000Z" } });
    for (dry, expected) in [(true, (3_000, 0)), (false, (3_000, 3_000)), (false, (0, 0))] {
        let done = order(&here, &root.access, END, json!({ "f": old, "d": dry })).await;
        let (matched, ended) = expected;
        assert_eq!((&done["matchedCount"], &done["endedCount"]), (&json!(matched), &json!(ended)));
    }
    let mut raw = database.raw().await;
    let live = "SELECT count(*) FROM sessions WHERE ended_at IS NULL";
    assert_eq!(raw.number(live).await, 12);
    assert_eq!(raw.number("SELECT count(*) FROM session_floors").await, 0);
    there.feed.read().await.unwrap();
    assert_eq!(there.refusal(&ada.access).await, None);
}

async fn a_command_ends_rows_itself_as_far_as_it_comes(database: Database) {
    let (here, mut there, _) = replicas(&database).await;
    account(&database, &here, "ada", MANY).await;
    let ada = there.login("ada").await;
    let by = Admin::operator();
    assert_eq!(
        here.core.auth.sessions.end_scope(by, Scope::All, Origin::default()).await.unwrap(),
        MANY + 2
    );
    let mut raw = database.raw().await;
    let live = "SELECT count(*) FROM sessions WHERE ended_at IS NULL";
    assert_eq!(raw.number(live).await, 0);
    there.feed.read().await.unwrap();
    assert_eq!(there.refusal(&ada.access).await.as_deref(), Some("SESSION_ENDED"));
    // The floor stands for the ends below it: very many of them need no place in memory.
    assert!(there.core.revocations.len() < 10, "{}", there.core.revocations.len());
    assert_eq!(
        here.core.auth.sessions.end_scope(by, Scope::All, Origin::default()).await.unwrap(),
        0
    );
}
