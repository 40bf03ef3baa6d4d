//! Logout.

use std::time::Duration;

use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{Service, code};
use crate::databases::{Database, on_both};

on_both!(
    a_logout_ends_the_session_at_once_and_twice_is_success,
    an_expired_access_token_is_enough_to_end_its_own_session,
    others_and_all_end_what_they_say,
    an_expired_access_token_does_not_end_other_sessions,
    a_refresh_token_of_somebody_else_is_refused,
    a_stale_header_does_not_stop_login_refresh_and_logout,
    many_sessions_end_in_one_operation,
    what_is_said_to_have_ended_is_refused_from_then_on_whoever_ended_it,
);

async fn start(database: &Database) -> Service {
    let service = Service::start(database, "").await;
    service.make("ada", Role::User).await;
    service.make("bob", Role::User).await;
    service
}

async fn a_logout_ends_the_session_at_once_and_twice_is_success(database: Database) {
    let service = start(&database).await;
    let (ada, other) = (service.login("ada").await, service.login("ada").await);
    let done = service.logout(None, Some(&ada.refresh), "CURRENT").await;
    assert_eq!(done["endedCount"], 1);
    assert_eq!(done["endedSessions"][0]["state"], "ENDED");
    assert_eq!(done["endedSessions"][0]["endReason"], "LOGOUT");
    assert_eq!(service.refusal(&ada.access).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(code(&service.refresh(&ada.refresh, None).await), "SESSION_ENDED");
    for bearer in [None, Some(ada.access.as_str())] {
        let again = service.logout(bearer, Some(&ada.refresh), "CURRENT").await;
        assert_eq!(again, json!({ "endedCount": 0, "endedSessions": [], "errors": [] }));
    }
    let again = service.logout(Some(&ada.access), None, "CURRENT").await;
    assert_eq!(again["endedCount"], 0);
    assert_eq!(service.refusal(&other.access).await, None);
}

async fn an_expired_access_token_is_enough_to_end_its_own_session(database: Database) {
    let mut service = start(&database).await;
    let ada = service.login("ada").await;
    service.pass(Duration::from_hours(1)).await;
    assert_eq!(service.refusal(&ada.access).await.as_deref(), Some("EXPIRED"));
    assert_eq!(service.logout(Some(&ada.access), None, "CURRENT").await["endedCount"], 1);
    assert_eq!(code(&service.refresh(&ada.refresh, None).await), "SESSION_ENDED");
}

async fn others_and_all_end_what_they_say(database: Database) {
    let service = start(&database).await;
    let bob = service.login("bob").await;
    let mut ada = Vec::new();
    for _ in 0..4 {
        ada.push(service.login("ada").await);
    }
    let done = service.logout(Some(&ada[0].access), None, "OTHERS").await;
    assert_eq!(done["endedCount"], 3);
    assert_eq!(done["endedSessions"][0]["endReason"], "LOGOUT_ALL");
    assert_eq!(service.refusal(&ada[0].access).await, None);
    assert_eq!(service.refusal(&ada[3].access).await.as_deref(), Some("SESSION_ENDED"));
    // A refresh token says as well who is logged in.
    let done = service.logout(None, Some(&ada[0].refresh), "ALL").await;
    assert_eq!(done["endedCount"], 1);
    assert_eq!(service.logout(Some(&ada[0].access), None, "ALL").await["endedCount"], 0);
    assert_eq!(service.refusal(&bob.access).await, None);
}

async fn an_expired_access_token_does_not_end_other_sessions(database: Database) {
    let mut service = start(&database).await;
    let ada = service.login("ada").await;
    service.pass(Duration::from_hours(1)).await;
    const ALL: &str = "mutation { logout(input: { scope: ALL }) { endedCount } }";
    for (bearer, reason) in [(Some(ada.access.as_str()), "EXPIRED"), (None, "NO_TOKEN")] {
        let answer = service.send(bearer, ALL, Value::Null).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        assert_eq!(answer["errors"][0]["extensions"]["reason"], reason);
        assert!(answer["data"].is_null());
    }
}

async fn a_refresh_token_of_somebody_else_is_refused(database: Database) {
    let service = start(&database).await;
    let (ada, bob) = (service.login("ada").await, service.login("bob").await);
    for scope in ["CURRENT", "OTHERS", "ALL"] {
        let refused = service.logout(Some(&ada.access), Some(&bob.refresh), scope).await;
        assert_eq!(code(&refused), "FORBIDDEN");
    }
    assert_eq!(service.refusal(&ada.access).await, None);
    assert_eq!(service.refusal(&bob.access).await, None);
    let garbage = service.logout(Some(&ada.access), Some("x"), "CURRENT").await;
    assert_eq!(code(&garbage), "REFRESH_TOKEN_INVALID");
}

async fn a_stale_header_does_not_stop_login_refresh_and_logout(database: Database) {
    let service = start(&database).await;
    let old = service.login("ada").await;
    service.logout(Some(&old.access), None, "CURRENT").await;
    const LOGIN: &str = "mutation { login(input: { username: \"ada\", \
        password: \"tangerine-orbit-quartz-41\" }) { tokens { refreshToken } errors { code } } }";
    for bearer in [old.access.as_str(), "garbage"] {
        let answer = service.send(Some(bearer), LOGIN, Value::Null).await;
        let token = &answer["data"]["login"]["tokens"]["refreshToken"];
        const REFRESH: &str = "mutation($t: String) { refresh(input: { refreshToken: $t }) {
            tokens { refreshToken } } }";
        let answer = service.send(Some(bearer), REFRESH, json!({ "t": token })).await;
        let token = answer["data"]["refresh"]["tokens"]["refreshToken"].as_str().unwrap();
        assert_eq!(service.logout(Some(bearer), Some(token), "CURRENT").await["endedCount"], 1);
    }
}

/// As after a logout whose answer was lost, and which is repeated where the end was not read yet.
async fn what_is_said_to_have_ended_is_refused_from_then_on_whoever_ended_it(database: Database) {
    let one = start(&database).await;
    let id = one.make("eve", Role::User).await;
    one.make("root", Role::Admin).await;
    let two = Service::start_at(&database, "", one.clock.clone()).await;
    let root = one.login("root").await;
    for scope in ["CURRENT", "ALL"] {
        let (ada, other) = (one.login("ada").await, one.login("ada").await);
        one.logout(Some(&ada.access), None, scope).await;
        assert_eq!(two.refusal(&ada.access).await, None, "it has read nothing since");
        let again = two.logout(None, Some(&ada.refresh), scope).await;
        assert_eq!(again["endedCount"], 0);
        assert_eq!(two.refusal(&ada.access).await.as_deref(), Some("SESSION_ENDED"));
        let gone = (scope == "ALL").then_some("SESSION_ENDED");
        assert_eq!(two.refusal(&other.access).await.as_deref(), gone);
    }
    let ada = one.login("ada").await;
    one.logout(Some(&ada.access), None, "CURRENT").await;
    assert_eq!(code(&two.refresh(&ada.refresh, None).await), "SESSION_ENDED");
    assert_eq!(two.refusal(&ada.access).await.as_deref(), Some("SESSION_ENDED"));

    let eve = one.login("eve").await;
    const SET: &str = "mutation($id: ID!) {
        setUserActive(input: { userId: $id, active: false }) { endedCount errors { code } } }";
    for (service, count) in [(&one, 1), (&two, 0)] {
        let answer = service.send(Some(&root.access), SET, json!({ "id": id })).await;
        assert_eq!(answer["data"]["setUserActive"]["endedCount"], count, "{answer}");
        assert_eq!(service.refusal(&eve.access).await.as_deref(), Some("USER_INACTIVE"));
    }
}

async fn many_sessions_end_in_one_operation(database: Database) {
    let service = start(&database).await;
    let mut last = service.login("ada").await;
    for _ in 0..149 {
        service.clock.advance(Duration::from_millis(2));
        last = service.login("ada").await;
    }
    let before = service.core.store.operations();
    const ALL: &str = "mutation { logout(input: { scope: ALL }) { endedCount } }";
    let answer = service.send(Some(&last.access), ALL, Value::Null).await;
    assert_eq!(answer["data"]["logout"]["endedCount"], 150);
    // Them, and a look at what had ended before.
    assert_eq!(service.core.store.operations() - before, 2);
    let rows = "SELECT (SELECT count(*) FROM session_ends) + (SELECT count(*) FROM \
        blacklist_entries WHERE reason = 'LOGOUT_ALL')";
    assert_eq!(database.raw().await.number(rows).await, 300);
}
