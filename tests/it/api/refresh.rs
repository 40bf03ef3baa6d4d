//! The refresh table of the README, row by row.

use std::time::Duration;

use futures_util::future::join_all;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{Service, code, tokens};
use crate::databases::{Database, on_both, on_postgres};
use crate::proof::rounds;
use crate::store::faults::{WAITING, promptly, until};

on_both!(
    a_refresh_rotates_and_blacklists_the_old_token,
    a_retry_gets_the_same_successor_byte_for_byte,
    the_attempt_that_rotated_may_retry_however_late,
    another_attempt_within_the_window_gets_nothing_and_logs_nobody_out,
    an_attempt_id_that_could_be_guessed_is_refused,
    an_older_token_is_stale_within_the_window_and_nobody_is_logged_out,
    a_reused_refresh_token_ends_its_session_only,
    a_session_slides_until_its_absolute_end,
    without_rotation_a_refresh_gives_only_an_access_token,
    what_was_never_a_refresh_token_is_refused,
    a_refresh_token_of_a_deactivated_user_is_dead,
    a_clock_that_is_set_back_logs_nobody_out,
    a_session_is_refreshed_so_often_and_keeps_its_token_beyond_that,
    a_client_that_refreshes_whenever_its_access_token_expires_is_never_limited,
    a_repeat_is_written_down_once_and_once_more_from_another_client,
);

on_postgres!(
    a_repeat_is_answered_while_somebody_holds_the_sessions_row,
    a_hundred_refreshes_that_wait_for_one_session_keep_no_other_waiting,
);

const SECOND: Duration = Duration::from_secs(1);

/// Attempt ids of two refreshes.
const ONE: &str = "f1c6a9f2-5f0e-4c1e-9d0b-6b8d8f1f9a01";
const OTHER: &str = "0b9f4d52-7a43-4b58-8a8e-2f5f0f4f7c02";

async fn service(database: &Database, flags: &str) -> Service {
    let service = Service::start(database, flags).await;
    service.make("ada", Role::User).await;
    service
}

async fn a_refresh_rotates_and_blacklists_the_old_token(database: Database) {
    let mut service = service(&database, "").await;
    let first = service.login("ada").await;
    service.pass(60 * SECOND).await;
    let payload = service.refresh(&first.refresh, None).await;
    assert_eq!(payload["session"]["generation"], 1);
    let second = tokens(&payload).unwrap();
    assert_ne!(second.refresh, first.refresh);
    assert_eq!(service.refusal(&second.access).await, None);
    const ENTRIES: &str = "{ viewer { blacklistEntries {
        totalCount nodes { reason actor { username } session { generation } } } } }";
    let answer = service.send(Some(&second.access), ENTRIES, Value::Null).await;
    let entry = json!({
        "reason": "ROTATED", "actor": { "username": "ada" }, "session": { "generation": 1 }
    });
    let expected = json!({ "totalCount": 1, "nodes": [entry] });
    assert_eq!(answer["data"]["viewer"]["blacklistEntries"], expected);
}

async fn a_retry_gets_the_same_successor_byte_for_byte(database: Database) {
    let mut service = service(&database, "").await;
    let first = service.login("ada").await;
    let second = tokens(&service.refresh(&first.refresh, None).await).unwrap();
    service.pass(9 * SECOND).await;
    let again = service.refresh(&first.refresh, None).await;
    assert_eq!(tokens(&again).unwrap().refresh, second.refresh);
    assert_eq!(again["session"]["generation"], 1);
    // The window is counted from the rotation: a retry does not move it.
    service.pass(SECOND).await;
    assert_eq!(code(&service.refresh(&first.refresh, None).await), "REFRESH_TOKEN_REUSED");
}

async fn the_attempt_that_rotated_may_retry_however_late(database: Database) {
    let mut service = service(&database, "").await;
    let first = service.login("ada").await;
    let second = tokens(&service.refresh(&first.refresh, Some(ONE)).await).unwrap();
    service.pass(3_600 * SECOND).await;
    let again = tokens(&service.refresh(&first.refresh, Some(ONE)).await).unwrap();
    assert_eq!(again.refresh, second.refresh);
    let payload = service.refresh(&first.refresh, Some(OTHER)).await;
    assert_eq!(code(&payload), "REFRESH_TOKEN_REUSED");
}

async fn another_attempt_within_the_window_gets_nothing_and_logs_nobody_out(database: Database) {
    let service = service(&database, "").await;
    for (by, others) in [(Some(ONE), [Some(OTHER), None]), (None, [Some(OTHER), Some(ONE)])] {
        let first = service.login("ada").await;
        let second = tokens(&service.refresh(&first.refresh, by).await).unwrap();
        for other in others {
            let payload = service.refresh(&first.refresh, other).await;
            assert_eq!(code(&payload), "REFRESH_TOKEN_STALE", "{by:?} {other:?}");
            assert!(payload["tokens"].is_null() && payload["session"].is_null(), "{payload}");
        }
        // A second tab that was slower takes what the first one got.
        let again = tokens(&service.refresh(&first.refresh, by).await).unwrap();
        assert_eq!(again.refresh, second.refresh);
        assert!(tokens(&service.refresh(&second.refresh, Some(OTHER)).await).is_some());
    }
}

async fn an_attempt_id_that_could_be_guessed_is_refused(database: Database) {
    let service = service(&database, "").await;
    let first = service.login("ada").await;
    for text in [String::new(), "a".into(), "x".repeat(15), "x".repeat(201)] {
        let payload = service.refresh(&first.refresh, Some(&text)).await;
        assert_eq!(code(&payload), "INVALID_INPUT", "{text}");
    }
    let second = tokens(&service.refresh(&first.refresh, Some(&"x".repeat(16))).await).unwrap();
    assert!(tokens(&service.refresh(&second.refresh, Some(&"x".repeat(200))).await).is_some());
}

async fn an_older_token_is_stale_within_the_window_and_nobody_is_logged_out(database: Database) {
    let service = service(&database, "").await;
    let first = service.login("ada").await;
    let second = tokens(&service.refresh(&first.refresh, None).await).unwrap();
    let third = tokens(&service.refresh(&second.refresh, None).await).unwrap();
    let stale = service.refresh(&first.refresh, None).await;
    assert_eq!(code(&stale), "REFRESH_TOKEN_STALE");
    assert!(stale["tokens"].is_null());
    assert_eq!(service.refusal(&first.access).await, None);
    assert!(tokens(&service.refresh(&third.refresh, None).await).is_some());
}

async fn a_reused_refresh_token_ends_its_session_only(database: Database) {
    let mut service = service(&database, "").await;
    let other = service.login("ada").await;
    let first = service.login("ada").await;
    let second = tokens(&service.refresh(&first.refresh, None).await).unwrap();
    service.pass(11 * SECOND).await;
    assert_eq!(code(&service.refresh(&first.refresh, None).await), "REFRESH_TOKEN_REUSED");
    for token in [&first.refresh, &second.refresh] {
        assert_eq!(code(&service.refresh(token, None).await), "SESSION_ENDED");
    }
    assert_eq!(service.refusal(&second.access).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(service.refusal(&other.access).await, None);
    let audited = "SELECT count(*) FROM audit_events WHERE kind = 'REFRESH_REUSED'";
    assert_eq!(database.raw().await.number(audited).await, 1);
}

async fn a_session_slides_until_its_absolute_end(database: Database) {
    let flags = "--refresh-token-lifetime 2h --session-lifetime 3h";
    let mut service = service(&database, flags).await;
    let mut current = service.login("ada").await;
    for _ in 0..2 {
        service.pass(80 * 60 * SECOND).await;
        current = tokens(&service.refresh(&current.refresh, None).await).unwrap();
    }
    // Twenty minutes are left, an access token has fifteen; five minutes later it has only those.
    service.pass(10 * 60 * SECOND).await;
    let last = service.refresh(&current.refresh, None).await;
    let pair = &last["tokens"];
    assert_eq!(pair["accessTokenExpiresAt"], pair["refreshTokenExpiresAt"]);
    let last = tokens(&last).unwrap();
    service.pass(10 * 60 * SECOND + 3 * SECOND).await;
    assert_eq!(code(&service.refresh(&last.refresh, None).await), "REFRESH_TOKEN_EXPIRED");
    assert_eq!(service.refusal(&last.access).await.as_deref(), Some("EXPIRED"));
}

async fn without_rotation_a_refresh_gives_only_an_access_token(database: Database) {
    let mut service = service(&database, "--rotate-refresh-tokens false").await;
    let first = service.login("ada").await;
    for _ in 0..3 {
        service.pass(60 * SECOND).await;
        let payload = service.refresh(&first.refresh, None).await;
        assert!(payload["tokens"]["refreshToken"].is_null());
        assert_eq!(payload["session"]["generation"], 0);
        let access = payload["tokens"]["accessToken"].as_str().unwrap();
        assert_eq!(service.refusal(access).await, None);
    }
    service.logout(None, Some(&first.refresh), "CURRENT").await;
    assert_eq!(code(&service.refresh(&first.refresh, None).await), "SESSION_ENDED");
}

async fn what_was_never_a_refresh_token_is_refused(database: Database) {
    let mut service = service(&database, "").await;
    let ada = service.login("ada").await;
    let forged = format!("{}x", ada.refresh);
    for token in ["", "x", &ada.access, &forged] {
        assert_eq!(code(&service.refresh(token, None).await), "REFRESH_TOKEN_INVALID", "{token}");
    }
    const EMPTY: &str = "mutation { refresh { tokens { accessToken } errors { code path } } }";
    let answer = service.send(None, EMPTY, Value::Null).await;
    assert_eq!(code(&answer["data"]["refresh"]), "REFRESH_TOKEN_INVALID");
    service.pass(8 * 24 * 3_600 * SECOND).await;
    assert_eq!(code(&service.refresh(&ada.refresh, None).await), "REFRESH_TOKEN_EXPIRED");
}

async fn a_clock_that_is_set_back_logs_nobody_out(database: Database) {
    let service = service(&database, "").await;
    let first = service.login("ada").await;
    service.clock.rewind(300 * SECOND);
    // An access token from the future is refused, and its client does what clients do then.
    assert_eq!(service.refusal(&first.access).await.as_deref(), Some("INVALID"));
    let second = tokens(&service.refresh(&first.refresh, None).await).unwrap();
    assert_eq!(service.refusal(&second.access).await, None);
    let again = tokens(&service.refresh(&first.refresh, None).await).unwrap();
    assert_eq!(again.refresh, second.refresh);
}

async fn a_refresh_token_of_a_deactivated_user_is_dead(database: Database) {
    let service = Service::start(&database, "").await;
    let id = service.make("ada", Role::User).await;
    service.make("root", Role::Admin).await;
    let (ada, root) = (service.login("ada").await, service.login("root").await);
    const SET: &str = "mutation($id: ID!, $a: Boolean!) {
        setUserActive(input: { userId: $id, active: $a }) { endedCount errors { code } } }";
    let answer = service.send(Some(&root.access), SET, json!({ "id": id, "a": false })).await;
    assert_eq!(answer["data"]["setUserActive"], json!({ "endedCount": 1, "errors": [] }));
    assert_eq!(service.refusal(&ada.access).await.as_deref(), Some("USER_INACTIVE"));
    assert_eq!(code(&service.refresh(&ada.refresh, None).await), "SESSION_ENDED");
    // Activation lets the user log in; it revives nothing.
    service.send(Some(&root.access), SET, json!({ "id": id, "a": true })).await;
    assert_eq!(code(&service.refresh(&ada.refresh, None).await), "SESSION_ENDED");
    service.login("ada").await;
}

/// Refreshes until that is refused: how often it was not, the newest token, and the refusal.
async fn refresh_until_refused(service: &Service, mut newest: String) -> (usize, String, Value) {
    for count in 0..1_000 {
        let answer = service.send(None, REFRESH, json!({ "t": newest })).await;
        let payload = answer["data"]["refresh"].clone();
        if payload["tokens"].is_null() {
            return (count, newest, payload["errors"][0].clone());
        }
        // Where refresh tokens do not rotate the same one goes on.
        newest = tokens(&payload).map_or(newest, |next| next.refresh);
    }
    panic!("nothing is refused");
}

const REFRESH: &str = "mutation($t: String!) { refresh(input: { refreshToken: $t }) {
    tokens { accessToken refreshToken } errors { code path message retryAfterSeconds } } }";

async fn a_session_is_refreshed_so_often_and_keeps_its_token_beyond_that(database: Database) {
    for flags in ["", "--rotate-refresh-tokens false"] {
        let mut service = Service::start(&database, flags).await;
        let name = format!("ada{}", flags.len());
        service.make(&name, Role::User).await;
        let (first, other) = (service.login(&name).await, service.login(&name).await);
        let (count, newest, refusal) = refresh_until_refused(&service, first.refresh).await;
        assert_eq!((count, &refusal["code"]), (120, &json!("RATE_LIMITED")), "{refusal}");
        assert_eq!(refusal["retryAfterSeconds"], 6);
        assert_eq!(refusal["path"], json!(["input", "refreshToken"]));
        // Nobody else is limited by that, and time gives one more.
        let answer = service.send(None, REFRESH, json!({ "t": other.refresh })).await;
        assert_eq!(answer["data"]["refresh"]["errors"], json!([]));
        service.pass(6 * SECOND).await;
        assert_eq!(refresh_until_refused(&service, newest).await.0, 1);
    }
    let service = Service::start(&database, "--throttle false").await;
    service.make("bob", Role::User).await;
    let mut newest = service.login("bob").await;
    for _ in 0..140 {
        newest = tokens(&service.refresh(&newest.refresh, None).await).unwrap();
    }
}

async fn a_client_that_refreshes_whenever_its_access_token_expires_is_never_limited(
    database: Database,
) {
    const LIFETIME: Duration = Duration::from_secs(2);
    let flags = "--access-token-lifetime 2s";
    let mut service = Service::start(&database, flags).await;
    service.make("ada", Role::User).await;
    let mut newest = service.login("ada").await;
    // More often than the burst of the limit; in the long run for two hours.
    for n in 0..rounds(300, 3_600) {
        service.pass(LIFETIME).await;
        let next = service.refresh(&newest.refresh, None).await;
        newest = tokens(&next).unwrap_or_else(|| panic!("{n}: {next}"));
    }
}

/// Refreshes as a client with this user agent does; the newest refresh token.
async fn refresh_as(service: &Service, agent: &str, token: &str) -> String {
    let sent = service.send_from(("192.0.2.7", agent), None, REFRESH, json!({ "t": token }));
    let answer = sent.await;
    tokens(&answer["data"]["refresh"]).unwrap_or_else(|| panic!("{answer}")).refresh
}

async fn a_repeat_is_written_down_once_and_once_more_from_another_client(database: Database) {
    let mut service = service(&database, "--refresh-retry-window 60s").await;
    let first = service.login("ada").await;
    let second = refresh_as(&service, "Browser/1.0", &first.refresh).await;
    for agent in ["Browser/1.0", "curl/8.14.1", "curl/8.15.0", "Browser/1.0", "curl/8.14.1"] {
        assert_eq!(refresh_as(&service, agent, &first.refresh).await, second);
        service.pass(SECOND).await;
    }
    let third = refresh_as(&service, "Browser/1.0", &second).await;
    assert_eq!(refresh_as(&service, "curl/8.14.1", &second).await, third);
    refresh_as(&service, "Browser/1.0", &second).await;
    const EVENTS: &str = "{ viewer { auditEvents(filter: { kinds: [REFRESH_RETRIED] }) {
        nodes { detail } } } }";
    let answer = service.send(Some(&service.login("ada").await.access), EVENTS, Value::Null).await;
    let events = answer["data"]["viewer"]["auditEvents"]["nodes"].as_array().unwrap();
    let details: Vec<_> = events.iter().map(|event| event["detail"].as_str()).collect();
    let by_another = Some("by another client");
    assert_eq!(details, [by_another, by_another, None], "the newest first");
}

/// On SQLite who reads waits for nobody, so that half could not fail.
async fn a_repeat_is_answered_while_somebody_holds_the_sessions_row(database: Database) {
    let service = service(&database, "").await;
    let first = service.login("ada").await;
    let second = tokens(&service.refresh(&first.refresh, None).await).unwrap();
    service.refresh(&first.refresh, None).await;
    let mut raw = database.raw().await;
    raw.execute("BEGIN; SELECT 1 FROM sessions FOR UPDATE").await;
    for repeated in join_all((0..10).map(|_| service.refresh(&first.refresh, None))).await {
        let repeated = tokens(&repeated).unwrap();
        assert_eq!(repeated.refresh, second.refresh);
        assert_eq!(service.refusal(&repeated.access).await, None);
    }
    raw.execute("ROLLBACK").await;
}

async fn a_hundred_refreshes_that_wait_for_one_session_keep_no_other_waiting(database: Database) {
    let service = service(&database, "").await;
    let held = service.login("ada").await;
    service.clock.advance(SECOND);
    let mut other = service.login("ada").await;
    let mut raw = database.raw().await;
    raw.execute("BEGIN; SELECT 1 FROM sessions ORDER BY id LIMIT 1 FOR UPDATE").await;
    let mut watching = database.raw().await;
    let waiting =
        join_all((0..100).map(|_| service.send(None, REFRESH, json!({ "t": held.refresh }))));
    let others = async {
        until(&mut watching, WAITING, 1).await;
        for _ in 0..10 {
            let refreshed = promptly(service.refresh(&other.refresh, None)).await;
            other = tokens(&refreshed).unwrap();
        }
        raw.execute("ROLLBACK").await;
    };
    tokio::join!(waiting, others);
    assert!(tokens(&service.refresh(&held.refresh, None).await).is_some());
}
