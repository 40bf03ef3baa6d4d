//! Visibility of data: for holders of old tokens and of refresh tokens, and of actions of administrators.

use std::time::Duration;

use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{Service, Tokens, code, tokens};
use crate::databases::{Database, on_both};
use crate::subscriptions::client::{Client, serve};

on_both!(
    a_token_that_is_good_for_nothing_ends_its_session_and_reads_nothing,
    whoever_was_logged_in_is_shown_what_their_logout_ended,
    the_last_event_of_a_subscription_reads_nothing,
    a_refresh_token_alone_tells_whether_its_session_lives_and_no_more,
    from_where_an_administrator_acted_is_for_administrators,
);

/// All of a session that is private.
const PRIVATE: &str = "id sid state endReason endedAt isCurrent createdAt name
    client { userAgent browser os device ip lastIp } endedBy { id }
    user { email sessions { totalCount } auditEvents { nodes { ip } } }
    blacklistEntries { totalCount nodes { ip session { user { id } } } edges { cursor } }";

async fn login_from(service: &Service, from: (&str, &str), name: &str) -> Tokens {
    const LOGIN: &str = "mutation($u: String!, $p: String!) {
        login(input: { username: $u, password: $p, sessionName: \"laptop\" }) {
            tokens { accessToken refreshToken } } }";
    let who = json!({ "u": name, "p": super::service::PASSWORD });
    let answer = service.send_from(from, None, LOGIN, who).await;
    tokens(&answer["data"]["login"]).unwrap()
}

const HOME: (&str, &str) = ("192.0.2.7", "home-browser/1");

async fn start(database: &Database) -> Service {
    let service = Service::start(database, "--max-nodes 100000").await;
    service.make("ada", Role::User).await;
    service.make("root", Role::Admin).await;
    service
}

/// The sessions that a logout ended, with all that it shows of them.
async fn ended(service: &Service, bearer: Option<&str>, token: Option<&str>, scope: &str) -> Value {
    let logout = format!(
        "mutation($t: String, $s: LogoutScope!) {{ logout(input: {{ refreshToken: $t, scope: $s }}) {{
            endedCount endedSessions {{ {PRIVATE} }} errors {{ code }} }} }}"
    );
    let answer = service.send(bearer, &logout, json!({ "t": token, "s": scope })).await;
    assert!(answer["errors"].is_null(), "{answer}");
    let payload = &answer["data"]["logout"];
    assert_eq!(payload["endedCount"], payload["endedSessions"].as_array().unwrap().len());
    payload["endedSessions"].clone()
}

#[track_caller]
fn assert_outline(session: &Value) {
    assert!(session["id"].is_string() && session["sid"].is_string(), "{session}");
    assert_eq!(session["state"], "ENDED");
    assert!(session["endReason"].is_string() && session["endedAt"].is_string());
    for hidden in ["user", "name", "endedBy"] {
        assert!(session[hidden].is_null(), "{hidden}: {session}");
    }
    let client = json!({ "userAgent": null, "browser": null, "os": null, "device": "UNKNOWN",
        "ip": null, "lastIp": null });
    assert_eq!(session["client"], client);
    let entries = json!({ "totalCount": 0, "nodes": [], "edges": [] });
    assert_eq!(session["blacklistEntries"], entries);
}

async fn a_token_that_is_good_for_nothing_ends_its_session_and_reads_nothing(database: Database) {
    let mut service = start(&database).await;
    // A refresh token that was rotated away: a moment ago, and long before.
    for (scope, wait) in [("CURRENT", 0), ("CURRENT", 60), ("ALL", 0), ("OTHERS", 0)] {
        login_from(&service, HOME, "ada").await;
        let ada = login_from(&service, HOME, "ada").await;
        let next = tokens(&service.refresh(&ada.refresh, None).await).unwrap();
        service.clock.advance(Duration::from_secs(wait));
        let sessions = ended(&service, None, Some(&ada.refresh), scope).await;
        let sessions = sessions.as_array().unwrap();
        assert!(!sessions.is_empty(), "{scope}");
        for session in sessions {
            assert_outline(session);
        }
        if scope != "OTHERS" {
            assert_eq!(code(&service.refresh(&next.refresh, None).await), "SESSION_ENDED");
        }
    }
    // An access token that has expired; beside it a refresh token that was rotated away.
    for beside in [false, true] {
        let ada = login_from(&service, HOME, "ada").await;
        tokens(&service.refresh(&ada.refresh, None).await).unwrap();
        service.pass(Duration::from_hours(1)).await;
        let token = beside.then_some(&*ada.refresh);
        let sessions = ended(&service, Some(&ada.access), token, "CURRENT").await;
        assert_outline(&sessions[0]);
    }
}

async fn whoever_was_logged_in_is_shown_what_their_logout_ended(database: Database) {
    let mut service = start(&database).await;
    for scope in ["CURRENT", "ALL", "OTHERS"] {
        // By the bearer, by the outstanding refresh token, and by both, the bearer expired.
        for (by_bearer, by_token, wait) in
            [(true, false, 0), (false, true, 0), (false, true, 3_600), (true, true, 3_600)]
        {
            login_from(&service, HOME, "ada").await;
            let first = login_from(&service, HOME, "ada").await;
            let ada = tokens(&service.refresh(&first.refresh, None).await).unwrap();
            service.pass(Duration::from_secs(wait)).await;
            let bearer = by_bearer.then_some(&*ada.access);
            let token = by_token.then_some(&*ada.refresh);
            let sessions = ended(&service, bearer, token, scope).await;
            let session = &sessions[0];
            assert!(session["user"]["auditEvents"]["nodes"].is_array(), "{scope}: {session}");
            assert_eq!(session["name"], "laptop");
            assert_eq!(session["client"]["userAgent"], HOME.1);
            assert_ne!(session["blacklistEntries"]["totalCount"], 0);
            ended(&service, None, Some(&ada.refresh), "ALL").await;
        }
    }
}

async fn the_last_event_of_a_subscription_reads_nothing(database: Database) {
    let service = start(&database).await;
    let address = serve(&service).await;
    let (here, there) =
        (login_from(&service, HOME, "ada").await, login_from(&service, HOME, "ada").await);
    let mut client = Client::connect_as(address, Some(&here.access)).await;
    let own = format!("subscription {{ sessionEnded {{ session {{ {PRIVATE} }} reason }} }}");
    client.subscribe("1", &own, Value::Null).await;
    client.ping().await;
    service.logout(Some(&there.access), None, "CURRENT").await;
    let event = client.next("1").await;
    assert_eq!(event["sessionEnded"]["session"]["client"]["ip"], HOME.0, "{event}");
    assert!(event["sessionEnded"]["session"]["user"].is_object(), "{event}");
    service.logout(Some(&here.access), None, "CURRENT").await;
    let event = client.next("1").await;
    assert_eq!(event["sessionEnded"]["reason"], "LOGOUT");
    assert_outline(&event["sessionEnded"]["session"]);
}

async fn a_refresh_token_alone_tells_whether_its_session_lives_and_no_more(database: Database) {
    let mut service = start(&database).await;
    service.make("bob", Role::User).await;
    const STATUS: &str = "query($t: String!) { tokenStatus(token: $t) {
        active reason tokenType session { id user { username } } } }";
    let ask = async |service: &Service, bearer: Option<&str>, token: &str| {
        let before = service.core.store.operations();
        let answer = service.send(bearer, STATUS, json!({ "t": token })).await;
        let asked = service.core.store.operations() - before;
        (answer["data"]["tokenStatus"].clone(), asked)
    };
    let ada = service.login("ada").await;
    let next = tokens(&service.refresh(&ada.refresh, None).await).unwrap();
    let last = tokens(&service.refresh(&next.refresh, None).await).unwrap();
    let alive = json!({ "active": true, "reason": null, "tokenType": "REFRESH", "session": null });
    for wait in [0, 5, 60] {
        service.pass(Duration::from_secs(wait)).await;
        let bob = service.login("bob").await;
        for bearer in [None, Some(&*bob.access), Some(&*last.refresh), Some("garbage")] {
            for token in [&ada.refresh, &next.refresh, &last.refresh] {
                assert_eq!(ask(&service, bearer, token).await, (alive.clone(), 1), "{wait}");
            }
        }
    }
    // Its user and administrators are told all.
    let root = service.login("root").await;
    for bearer in [&last.access, &root.access] {
        let (status, _) = ask(&service, Some(bearer), &ada.refresh).await;
        let rotated = json!({ "active": false, "reason": "ROTATED", "tokenType": "REFRESH", "session": null });
        assert_eq!(status, rotated);
        let (status, _) = ask(&service, Some(bearer), &last.refresh).await;
        assert_eq!(status["active"], true);
        assert_eq!(status["session"]["user"]["username"], "ada", "{status}");
    }
    // An access token shows what it opens, and nothing once it opens nothing.
    let (status, _) = ask(&service, None, &last.access).await;
    assert_eq!(status["session"]["user"]["username"], "ada");
    service.logout(Some(&last.access), None, "CURRENT").await;
    for token in [&ada.refresh, &last.refresh, &last.access] {
        let (status, _) = ask(&service, None, token).await;
        assert_eq!(
            (&status["reason"], &status["session"]),
            (&json!("SESSION_ENDED"), &Value::Null)
        );
    }
}

async fn from_where_an_administrator_acted_is_for_administrators(database: Database) {
    const OFFICE: (&str, &str) = ("198.51.100.9", "office-browser/2");
    let service = start(&database).await;
    let root = login_from(&service, OFFICE, "root").await;
    let order = async |query: &str, variables: Value| {
        let answer = service.send_from(OFFICE, Some(&root.access), query, variables).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"].clone()
    };
    const CREATE: &str = "mutation($p: String!) {
        createUser(input: { username: \"eve\", password: $p }) { user { id } } }";
    let eve = order(CREATE, json!({ "p": super::service::PASSWORD })).await;
    let id = &eve["createUser"]["user"]["id"];
    for order_given in ["endSession", "endSessions", "setUserPassword", "setUserActive"] {
        let eve = login_from(&service, HOME, "eve").await;
        let asked = service.send(Some(&eve.access), "{ viewerSession { id } }", Value::Null).await;
        let session = &asked["data"]["viewerSession"]["id"];
        let (ids, password) = (json!({ "id": id }), super::service::PASSWORD);
        match order_given {
            "endSession" => {
                let end = "mutation($id: ID!) {
                    endSession(input: { sessionId: $id }) { session { id } } }";
                order(end, json!({ "id": session })).await;
            }
            "endSessions" => {
                let end = "mutation($id: ID!) { endSessions(input: {
                    filter: { userId: $id }, dryRun: false }) { endedCount } }";
                order(end, ids).await;
            }
            "setUserPassword" => {
                let set = "mutation($id: ID!, $p: String!) { setUserPassword(input: {
                    userId: $id, newPassword: $p }) { endedCount } }";
                order(set, json!({ "id": id, "p": password })).await;
            }
            _ => {
                for active in [false, true] {
                    let set = "mutation($id: ID!, $a: Boolean!) { setUserActive(input: {
                        userId: $id, active: $a }) { endedCount } }";
                    order(set, json!({ "id": id, "a": active })).await;
                }
            }
        }
    }
    let eve = login_from(&service, HOME, "eve").await;
    service.try_login("eve", "wrong").await;
    const SEEN: &str = "fragment E on AuditEvent { id kind ip userAgent actor { username } }
        fragment B on BlacklistEntry { id reason ip userAgent actor { username } }";
    let own = format!(
        "{{ viewer {{ auditEvents(first: 100) {{ nodes {{ ...E }} }}
            blacklistEntries(first: 100) {{ nodes {{ ...B }} edges {{ node {{ ...B }} }} }}
            sessions(first: 100) {{ nodes {{ client {{ ip lastIp userAgent }}
                blacklistEntries {{ nodes {{ ...B }} }} }} }} }} }} {SEEN}"
    );
    let seen = service.send(Some(&eve.access), &own, Value::Null).await;
    let text = seen.to_string();
    assert!(!text.contains(OFFICE.0) && !text.contains(OFFICE.1), "{seen}");
    let events = seen["data"]["viewer"]["auditEvents"]["nodes"].as_array().unwrap();
    let ended = events.iter().filter(|event| event["kind"] == "SESSION_ENDED").count();
    assert_eq!(ended, 4, "{seen}");
    for event in events {
        let is_own = event["kind"] == "LOGIN_SUCCEEDED";
        assert_eq!(event["ip"] == HOME.0 && event["userAgent"] == HOME.1, is_own, "{event}");
    }
    // The same by their ids.
    let ids: Vec<_> = events.iter().map(|event| event["id"].clone()).collect();
    let by_id = format!("query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ...E ...B }} }} {SEEN}");
    let seen = service.send(Some(&eve.access), &by_id, json!({ "ids": ids })).await;
    assert!(seen["errors"].is_null() && !seen.to_string().contains(OFFICE.0), "{seen}");
    // Administrators see it.
    const ALL: &str = "query($u: ID!) { auditEvents(first: 100, filter: { userId: $u }) {
        nodes { kind ip userAgent } } blacklistEntries(first: 100) { nodes { ip userAgent } } }";
    let all = order(ALL, json!({ "u": id })).await;
    for (list, count) in [("auditEvents", 8), ("blacklistEntries", 4)] {
        let nodes = all[list]["nodes"].as_array().unwrap();
        let from_office = |node: &&Value| node["ip"] == OFFICE.0 && node["userAgent"] == OFFICE.1;
        assert_eq!(nodes.iter().filter(from_office).count(), count, "{list}: {all}");
    }
}
