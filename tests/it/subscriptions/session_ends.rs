//! Events of ended sessions.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::client::{ALL, Client, OWN, OWN_AFTER, serve, serve_without_feed};
use crate::api::service::{Service, code, tokens};
use crate::databases::{Database, on_both, on_postgres};
use crate::response::Schema;

on_both!(
    the_end_of_ones_own_session_is_the_last_event,
    the_end_of_very_many_sessions_is_told_before_their_rows_are_ended,
    ends_of_others_are_not_ones_own,
    a_token_that_was_copied_is_told_to_its_owners_other_sessions,
    an_administrator_is_told_nothing_after_the_end,
    an_end_crosses_replicas,
    a_cursor_goes_on_behind_its_event_on_any_replica,
    very_many_ends_come_once_each,
    a_cursor_that_is_none_is_refused,
    a_cursor_of_another_database_misses_nothing,
    the_end_of_ones_own_session_is_told_though_it_came_before_the_first_read,
    who_was_away_is_told_which_of_their_own_sessions_ended_meanwhile,
    an_event_of_which_a_field_fails_is_not_the_last,
    an_end_for_a_reason_of_a_newer_version_is_told,
);

on_postgres!(
    an_end_with_a_transaction_id_of_another_server_comes_once,
    an_end_that_commits_late_is_not_missed,
);

/// The global ID of the session of this token.
async fn session(service: &Service, token: &str) -> String {
    let answer = service.send(Some(token), "{ viewerSession { id } }", Value::Null).await;
    answer["data"]["viewerSession"]["id"].as_str().unwrap().to_owned()
}

async fn the_end_of_ones_own_session_is_the_last_event(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    service.make("ada", Role::User).await;
    let (here, there) = (service.login("ada").await, service.login("ada").await);
    let (own, other) =
        (session(&service, &here.access).await, session(&service, &there.access).await);
    let mut client = Client::subscribed(address, &here, OWN).await;

    service.logout(Some(&there.access), None, "CURRENT").await;
    let event = client.next("1").await;
    assert_eq!(event["sessionEnded"]["session"]["id"], other);
    service.logout(Some(&here.access), None, "CURRENT").await;
    let event = client.next("1").await;
    assert_eq!(event["sessionEnded"]["session"]["id"], own);
    assert_eq!(client.receive_json().await, json!({ "type": "complete", "id": "1" }));
    assert_eq!(client.close_code().await, 4401);
}

async fn the_end_of_very_many_sessions_is_told_before_their_rows_are_ended(database: Database) {
    let service = Service::start(&database, "--max-sessions-per-user off").await;
    let address = serve(&service).await;
    let id = service.make("ada", Role::User).await;
    let user = id.strip_prefix("User:").unwrap().parse().unwrap();
    database.add_sessions(user, 1_100, i64::MAX / 2).await;
    let here = service.login("ada").await;
    let own = session(&service, &here.access).await;
    let mut client = Client::subscribed(address, &here, OWN).await;
    let done = service.logout(Some(&here.access), None, "ALL").await;
    assert_eq!(done["endedCount"], 1_101);
    let event = client.next("1").await["sessionEnded"].take();
    assert_eq!((&event["session"]["id"], &event["reason"]), (&json!(own), &json!("LOGOUT_ALL")));
    assert_eq!(client.receive_json().await, json!({ "type": "complete", "id": "1" }));
    assert_eq!(client.close_code().await, 4401);
}

async fn ends_of_others_are_not_ones_own(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    service.make("ada", Role::User).await;
    service.make("bob", Role::User).await;
    let (ada, bob) = (service.login("ada").await, service.login("bob").await);
    let own = session(&service, &ada.access).await;
    let mut client = Client::subscribed(address, &ada, OWN).await;
    service.logout(Some(&bob.access), None, "CURRENT").await;
    service.logout(Some(&ada.access), None, "CURRENT").await;
    assert_eq!(client.next("1").await["sessionEnded"]["session"]["id"], own);
}

async fn a_token_that_was_copied_is_told_to_its_owners_other_sessions(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    service.make("ada", Role::User).await;
    let (here, there) = (service.login("ada").await, service.login("ada").await);
    let mut client = Client::subscribed(address, &here, OWN).await;
    let next = tokens(&service.refresh(&there.refresh, None).await).unwrap();
    tokens(&service.refresh(&next.refresh, None).await).unwrap();
    service.clock.advance(Duration::from_secs(11));
    let reused = service.refresh(&there.refresh, None).await;
    assert_eq!(code(&reused), "REFRESH_TOKEN_REUSED");
    assert_eq!(client.next("1").await["sessionEnded"]["reason"], "REFRESH_REUSED");
}

async fn an_administrator_is_told_nothing_after_the_end(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    service.make("root", Role::Admin).await;
    let (here, _, _) =
        (service.login("root").await, service.login("root").await, service.login("root").await);
    let own = session(&service, &here.access).await;
    let mut client = Client::connect_as(address, Some(&here.access)).await;
    client.subscribe("all", ALL, Value::Null).await;
    client.ping().await;
    service.logout(Some(&here.access), None, "ALL").await;
    assert_eq!(client.next("all").await["sessionEnds"]["session"]["id"], own);
    assert_eq!(client.receive_json().await, json!({ "type": "complete", "id": "all" }));
    assert_eq!(client.close_code().await, 4401);
}

async fn an_end_crosses_replicas(database: Database) {
    let here = Service::start(&database, "").await;
    let there = Service::start_at(&database, "", Arc::clone(&here.clock)).await;
    let address = serve(&there).await;
    here.make("ada", Role::User).await;
    here.make("root", Role::Admin).await;
    let (ada, root) = (here.login("ada").await, here.login("root").await);
    let mut own = Client::subscribed(address, &ada, OWN).await;
    let mut all = Client::subscribed(address, &root, ALL).await;

    here.logout(Some(&ada.access), None, "CURRENT").await;
    assert_eq!(own.next("1").await["sessionEnded"]["reason"], "LOGOUT");
    assert_eq!(own.receive_json().await["type"], "complete");
    assert_eq!(own.close_code().await, 4401);
    assert_eq!(all.next("1").await["sessionEnds"]["reason"], "LOGOUT");
}

async fn a_cursor_goes_on_behind_its_event_on_any_replica(database: Database) {
    let here = Service::start(&database, "").await;
    let there = Service::start_at(&database, "", Arc::clone(&here.clock)).await;
    let (first, second) = (serve(&here).await, serve(&there).await);
    here.make("root", Role::Admin).await;
    here.make("ada", Role::User).await;
    let root = here.login("root").await;
    let mut client = Client::subscribed(first, &root, ALL).await;
    let mut ended = Vec::new();
    for _ in 0..4 {
        let tokens = here.login("ada").await;
        ended.push(session(&here, &tokens.access).await);
        here.logout(Some(&tokens.access), None, "CURRENT").await;
    }
    let event = client.next("1").await;
    assert_eq!(event["sessionEnds"]["session"]["id"], ended[0]);

    let mut again = Client::connect_as(second, Some(&root.access)).await;
    let after = |cursor: &Value| json!({ "after": cursor });
    again.subscribe("behind", ALL, after(&event["sessionEnds"]["cursor"])).await;
    for session in &ended[1..] {
        assert_eq!(&again.next("behind").await["sessionEnds"]["session"]["id"], session);
    }
    let tokens = here.login("ada").await;
    here.logout(Some(&tokens.access), None, "CURRENT").await;
    assert!(again.next("behind").await["sessionEnds"]["cursor"].is_string());
    again.send_json(&json!({ "type": "complete", "id": "behind" })).await;

    // From the first cursor, the same events and no others.
    again.subscribe("start", ALL, after(&json!(""))).await;
    for session in &ended {
        assert_eq!(&again.next("start").await["sessionEnds"]["session"]["id"], session);
    }
}

async fn very_many_ends_come_once_each(database: Database) {
    const COUNT: usize = 250;
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    service.make("root", Role::Admin).await;
    let ada = service.make("ada", Role::User).await;
    let root = service.login("root").await;
    let mut client = Client::subscribed(address, &root, ALL).await;
    let ada = ada.strip_prefix("User:").unwrap().parse().unwrap();
    database.add_sessions(ada, COUNT - 1, i64::MAX / 2).await;
    let last = service.login("ada").await;
    service.logout(Some(&last.access), None, "ALL").await;

    let mut seen = BTreeSet::new();
    let mut cursors = Vec::new();
    for _ in 0..COUNT {
        let event = client.next("1").await["sessionEnds"].take();
        assert!(seen.insert(event["session"]["id"].as_str().unwrap().to_owned()), "{event}");
        cursors.push(event["cursor"].clone());
    }
    // Within a page, and at its end.
    for place in [49, 99, 149, COUNT - 2] {
        client.subscribe("2", ALL, json!({ "after": cursors[place] })).await;
        let mut rest = BTreeSet::new();
        for _ in place + 1..COUNT {
            let event = client.next("2").await;
            let id = event["sessionEnds"]["session"]["id"].as_str().unwrap().to_owned();
            assert!(seen.contains(&id) && rest.insert(id), "{event}");
        }
        client.send_json(&json!({ "type": "complete", "id": "2" })).await;
        client.ping().await;
    }
}

async fn a_cursor_that_is_none_is_refused(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    service.make("root", Role::Admin).await;
    let root = service.login("root").await;
    let mut client = Client::connect_as(address, Some(&root.access)).await;
    for cursor in ["x", "!!", "cDE6", "cDk6MTo"] {
        client.subscribe("1", ALL, json!({ "after": cursor })).await;
        assert_eq!(client.error_code("1").await, "BAD_USER_INPUT", "{cursor}");
    }
}

/// The session ends after the replica has accepted its token and before it reads the current cursor.
async fn the_end_of_ones_own_session_is_told_though_it_came_before_the_first_read(
    database: Database,
) {
    let here = Service::start(&database, "").await;
    let mut there = Service::start_at(&database, "", Arc::clone(&here.clock)).await;
    let address = serve_without_feed(&there).await;
    here.make("ada", Role::User).await;
    here.make("root", Role::Admin).await;
    for (name, document) in [("ada", OWN), ("root", ALL)] {
        let tokens = here.login(name).await;
        let own = session(&here, &tokens.access).await;
        let mut client = Client::connect_as(address, Some(&tokens.access)).await;
        here.logout(Some(&tokens.access), None, "CURRENT").await;
        client.subscribe("1", document, Value::Null).await;
        client.ping().await;
        there.feed.read().await.unwrap();
        let event = client.next("1").await;
        let field = if name == "ada" { "sessionEnded" } else { "sessionEnds" };
        assert_eq!(event[field]["session"]["id"], own, "{event}");
        assert_eq!(client.receive_json().await, json!({ "type": "complete", "id": "1" }));
        assert_eq!(client.close_code().await, 4401);
    }
}

async fn an_end_for_a_reason_of_a_newer_version_is_told(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    service.make("root", Role::Admin).await;
    let (root, other) = (service.login("root").await, service.login("root").await);
    service.logout(Some(&other.access), None, "CURRENT").await;
    let newer = "UPDATE session_ends SET reason = 'PASSKEY_REMOVED'";
    database.raw().await.execute(newer).await;
    let mut client = Client::connect_as(address, Some(&root.access)).await;
    client.subscribe("1", ALL, json!({ "after": "" })).await;
    assert_eq!(client.next("1").await["sessionEnds"]["reason"], "UNKNOWN");
}

async fn who_was_away_is_told_which_of_their_own_sessions_ended_meanwhile(database: Database) {
    let here = Service::start(&database, "").await;
    let there = Service::start_at(&database, "", Arc::clone(&here.clock)).await;
    let (first, second) = (serve(&here).await, serve(&there).await);
    for (name, role) in [("root", Role::Admin), ("ada", Role::User), ("bob", Role::User)] {
        here.make(name, role).await;
    }
    let (root, ada) = (here.login("root").await, here.login("ada").await);
    let mut all = Client::subscribed(first, &root, ALL).await;
    let (mut adas, mut cursors) = (Vec::new(), Vec::new());
    for name in ["ada", "bob", "ada", "bob", "ada", "bob"] {
        let tokens = here.login(name).await;
        let ended = session(&here, &tokens.access).await;
        here.logout(Some(&tokens.access), None, "CURRENT").await;
        cursors.push(all.next("1").await["sessionEnds"]["cursor"].take());
        if name == "ada" {
            adas.push(ended);
        }
    }
    let mut client = Client::connect_as(second, Some(&ada.access)).await;
    // The cursors of an event of the user, of an event of another user, of another server, and the first.
    let foreign =
        json!(if database.is_sqlite() { "czkwMDAwMDAwMDAwMDAwMDAwMDA" } else { "cDEgMToxOg" });
    for (cursor, missed) in [
        (&cursors[0], &adas[1..]),
        (&cursors[1], &adas[1..]),
        (&cursors[3], &adas[2..]),
        (&foreign, &adas[..]),
        (&json!(""), &adas[..]),
    ] {
        client.subscribe("1", OWN_AFTER, json!({ "after": cursor })).await;
        for id in missed {
            assert_eq!(&client.next("1").await["sessionEnded"]["session"]["id"], id, "{cursor}");
        }
        client.send_json(&json!({ "type": "complete", "id": "1" })).await;
    }
    client.subscribe("2", OWN_AFTER, json!({ "after": cursors[5] })).await;
    client.ping().await;
    here.logout(Some(&ada.access), None, "CURRENT").await;
    let event = client.next("2").await;
    assert!(!adas.contains(&event["sessionEnded"]["session"]["id"].as_str().unwrap().to_owned()));
    assert_eq!(client.receive_json().await, json!({ "type": "complete", "id": "2" }));
    for cursor in ["x", "!!", "cDE6"] {
        let bob = here.login("bob").await;
        let mut client = Client::connect_as(second, Some(&bob.access)).await;
        client.subscribe("1", OWN_AFTER, json!({ "after": cursor })).await;
        assert_eq!(client.error_code("1").await, "BAD_USER_INPUT", "{cursor}");
    }
}

/// Ended sessions that `pg_dump` or logical replication copies to a server with lower transaction ids,
/// before the start and while the service runs.
async fn an_end_with_a_transaction_id_of_another_server_comes_once(database: Database) {
    const RESTORE: &str = "UPDATE session_ends SET xid = '12952010753' WHERE xid < '12952010753'";
    let old = Service::start(&database, "").await;
    old.make("root", Role::Admin).await;
    old.make("ada", Role::User).await;
    let (root, ada) = (old.login("root").await, old.login("ada").await);
    let mut gone = BTreeSet::new();
    for _ in 0..3 {
        let tokens = old.login("ada").await;
        gone.insert(session(&old, &tokens.access).await);
        old.logout(Some(&tokens.access), None, "CURRENT").await;
    }
    database.raw().await.execute(RESTORE).await;

    let here = Service::start_at(&database, "", Arc::clone(&old.clock)).await;
    let there = Service::start_at(&database, "", Arc::clone(&old.clock)).await;
    let mut clients = Vec::new();
    for service in [&here, &there] {
        let address = serve(service).await;
        for (document, token, after, field) in [
            (OWN_AFTER, &ada, json!(""), "sessionEnded"),
            (OWN_AFTER, &ada, Value::Null, "sessionEnded"),
            (ALL, &root, json!(""), "sessionEnds"),
            (ALL, &root, Value::Null, "sessionEnds"),
        ] {
            let mut client = Client::connect_as(address, Some(&token.access)).await;
            client.subscribe("1", document, json!({ "after": after })).await;
            let mut seen = BTreeSet::new();
            for _ in 0..if after.is_null() { 0 } else { gone.len() } {
                let event = client.next("1").await[field].take();
                seen.insert(event["session"]["id"].as_str().unwrap().to_owned());
            }
            assert!(after.is_null() || seen == gone, "{seen:?}");
            client.ping().await;
            clients.push((client, field));
        }
    }
    // A row that is replicated while the service runs, and a row of the service itself.
    for statement in ["SELECT 1 FROM session_ends WHERE true", RESTORE] {
        let mut raw = database.raw().await;
        let tokens = old.login("ada").await;
        let ended = session(&old, &tokens.access).await;
        let id = ended.trim_start_matches("Session:").to_owned();
        raw.execute(format!(
            "BEGIN; INSERT INTO session_ends (session_id, user_id, reason, ended_at, until) \
             SELECT id, user_id, 'ADMIN', created_at, access_expires_at FROM sessions \
             WHERE id = '{id}'; {statement} AND session_id = '{id}'; COMMIT"
        ))
        .await;
        for (client, field) in &mut clients {
            assert_eq!(client.next("1").await[*field]["session"]["id"], ended);
        }
    }
}

/// The transaction that began first commits last, with the lower number. Impossible on `SQLite`, which
/// has one writer.
async fn an_end_that_commits_late_is_not_missed(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    service.make("root", Role::Admin).await;
    service.make("ada", Role::User).await;
    let root = service.login("root").await;
    let (slow, quick) = (service.login("ada").await, service.login("ada").await);
    let late = session(&service, &slow.access).await;
    let id = late.trim_start_matches("Session:").to_owned();
    let mut client = Client::subscribed(address, &root, ALL).await;

    let mut transaction = database.raw().await;
    transaction.execute("BEGIN").await;
    transaction
        .execute(format!(
            "INSERT INTO session_ends (session_id, user_id, reason, ended_at, until) \
             SELECT id, user_id, 'ADMIN', created_at, access_expires_at FROM sessions \
             WHERE id = '{id}'"
        ))
        .await;
    service.logout(Some(&quick.access), None, "CURRENT").await;
    let event = client.next("1").await;
    let cursor = event["sessionEnds"]["cursor"].clone();
    transaction.execute("COMMIT").await;

    assert_eq!(client.next("1").await["sessionEnds"]["session"]["id"], late);
    client.subscribe("2", ALL, json!({ "after": cursor })).await;
    assert_eq!(client.next("2").await["sessionEnds"]["session"]["id"], late);
}

/// A cursor of an earlier database is ahead of the transactions of this one.
async fn a_cursor_of_another_database_misses_nothing(database: Database) {
    let cursor = if database.is_sqlite() {
        // s9000000000000000000
        "czkwMDAwMDAwMDAwMDAwMDAwMDA"
    } else {
        // p1 18446744073709551615:18446744073709551615:
        "cDEgMTg0NDY3NDQwNzM3MDk1NTE2MTU6MTg0NDY3NDQwNzM3MDk1NTE2MTU6"
    };
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    service.make("root", Role::Admin).await;
    let (root, gone) = (service.login("root").await, service.login("root").await);
    service.logout(Some(&gone.access), None, "CURRENT").await;
    let mut client = Client::connect_as(address, Some(&root.access)).await;
    client.subscribe("1", ALL, json!({ "after": cursor })).await;
    assert_eq!(client.next("1").await["sessionEnds"]["reason"], "LOGOUT");
}

const FAILING: &str = "subscription { sessionEnds {
    session { id blacklistEntries(first: -1) { totalCount } } cursor } }";

async fn an_event_of_which_a_field_fails_is_not_the_last(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    service.make("root", Role::Admin).await;
    let root = service.login("root").await;
    let mut client = Client::subscribed(address, &root, FAILING).await;
    let schema = Schema::parse(&sallyport::graphql::sdl());
    for _ in 0..2 {
        let other = service.login("root").await;
        service.logout(Some(&other.access), None, "CURRENT").await;
        let message = client.receive_json().await;
        assert_eq!(message["type"], "next", "{message}");
        schema.check(FAILING, &message["payload"]);
        assert_eq!(message["payload"]["data"], Value::Null);
    }
}
