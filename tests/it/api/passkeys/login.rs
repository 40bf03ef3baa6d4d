//! Login by a passkey alone.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sallyport::auth::Admin;
use sallyport::domain::origin::Origin;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::super::second_factors::app::{access, authentication};
use super::super::service::{Service, code, tokens};
use super::authenticator::{BE, Browser, FLAGS, begin_login, enroll, finish_login, login};
use crate::databases::{Database, on_both};
use crate::http::browser::{Answer, OWN_PAGE, send};

on_both!(
    a_passkey_alone_logs_in_with_the_highest_assurance,
    a_challenge_logs_in_once_on_any_replica_and_not_after_a_failed_try,
    what_the_specification_refuses_is_refused_and_told_to_the_owner,
    a_counter_that_goes_back_is_refused_and_the_passkey_stays,
    of_logins_at_once_with_one_count_one_succeeds,
    a_deactivated_account_is_not_logged_in,
    with_cookies_the_token_is_in_one_of_its_own,
    attempts_are_limited_by_their_source,
);

async fn with_passkey(service: &Service, browser: &mut Browser) -> String {
    let id = service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    enroll(service, &ada.access, browser).await;
    id
}

async fn a_passkey_alone_logs_in_with_the_highest_assurance(database: Database) {
    for policy in ["off", "optional", "required"] {
        let flags = format!("{FLAGS} --second-factor {policy}");
        let setting = Service::start(&database, FLAGS).await;
        let mut browser = Browser::new();
        let name = format!("ada-{policy}");
        setting.make(&name, Role::User).await;
        let session = setting.login(&name).await;
        enroll(&setting, &session.access, &mut browser).await;
        let service = Service::start_at(&database, &flags, setting.clock.clone()).await;
        let begun = begin_login(&service).await;
        assert_eq!(begun["options"]["allowCredentials"], json!([]), "it names nobody");
        assert_eq!(begun["options"]["userVerification"], "required");
        let payload = login(&service, &mut browser).await;
        assert_eq!(payload["user"]["username"], name, "{payload}");
        assert_eq!(payload["session"]["name"], "Phone");
        let (session, claims) = authentication(&service, &access(&payload)).await;
        let expected = json!({ "amr": ["swk", "user", "mfa"], "assurance": "PHISHING_RESISTANT" });
        assert_eq!(session, expected);
        assert_eq!(claims["acr"], "urn:sallyport:phishing-resistant");
        const USED: &str = "{ viewer { secondFactors { passkeys { lastUsedAt } } } }";
        let read = service.send(Some(&access(&payload)), USED, Value::Null).await;
        let passkey = &read["data"]["viewer"]["secondFactors"]["passkeys"][0];
        assert!(passkey["lastUsedAt"].is_string());
    }
}

async fn a_challenge_logs_in_once_on_any_replica_and_not_after_a_failed_try(database: Database) {
    let mut service = Service::start(&database, FLAGS).await;
    let other = Service::start_at(&database, FLAGS, Arc::clone(&service.clock)).await;
    let mut browser = Browser::new();
    with_passkey(&service, &mut browser).await;
    let begun = begin_login(&service).await;
    let (token, response) = (&begun["challengeToken"], browser.get(&begun["options"]));
    let replicas = [&service, &other];
    let at_once = (0..20).map(|n| finish_login(replicas[n % 2], token, response.clone()));
    let opened = join_all(at_once).await;
    assert_eq!(opened.iter().filter(|payload| tokens(payload).is_some()).count(), 1);
    let refused = opened.iter().filter(|payload| tokens(payload).is_none());
    assert!(refused.into_iter().all(|payload| code(payload) == "CHALLENGE_EXPIRED"));

    let begun = begin_login(&service).await;
    let mut bad = browser.get(&begun["options"]);
    let right = bad.clone();
    bad["response"]["signature"] = json!("MEUCIQ");
    assert_eq!(code(&finish_login(&service, &begun["challengeToken"], bad).await), "INVALID_PROOF");
    let again = finish_login(&other, &begun["challengeToken"], right).await;
    assert_eq!(code(&again), "CHALLENGE_EXPIRED");

    // A page may stand open for ten minutes.
    let begun = begin_login(&service).await;
    service.pass(Duration::from_mins(10)).await;
    let late = browser.get(&begun["options"]);
    assert_eq!(
        code(&finish_login(&service, &begun["challengeToken"], late).await),
        "CHALLENGE_EXPIRED"
    );
    for token in [Value::Null, json!(""), json!("x"), json!("A".repeat(2_000))] {
        let begun = begin_login(&service).await;
        let response = browser.get(&begun["options"]);
        assert_eq!(code(&finish_login(&service, &token, response).await), "CHALLENGE_EXPIRED");
    }
}

async fn what_the_specification_refuses_is_refused_and_told_to_the_owner(database: Database) {
    let flags = format!("{FLAGS} --throttle false");
    let service = Service::start(&database, &flags).await;
    let mut browser = Browser::new();
    let id = with_passkey(&service, &mut browser).await;
    let right = (browser.origin, browser.flags, browser.user_handle.clone());
    let mut refuse = async |what: &str, change: &mut dyn FnMut(&mut Browser)| {
        change(&mut browser);
        let begun = begin_login(&service).await;
        let response = browser.get(&begun["options"]);
        let refused = finish_login(&service, &begun["challengeToken"], response).await;
        assert_eq!(code(&refused), "INVALID_PROOF", "{what}");
        assert!(refused["user"].is_null() && refused["challenge"].is_null(), "{what}");
        (browser.origin, browser.flags, browser.user_handle) = right.clone();
    };
    refuse("origin", &mut |it| it.origin = "https://example.com").await;
    refuse("user not verified", &mut |it| it.flags = 0x19).await;
    refuse("user not present", &mut |it| it.flags = 0x1c).await;
    refuse("eligibility flips", &mut |it| it.flags &= !(BE | 0x10)).await;
    refuse("backed up but not eligible", &mut |it| it.flags &= !BE).await;
    refuse("foreign user handle", &mut |it| it.user_handle = json!("AAAA")).await;
    refuse("no user handle", &mut |it| it.user_handle = Value::Null).await;
    let mut stranger = Browser::new();
    stranger.user_handle = right.2.clone();
    let begun = begin_login(&service).await;
    let unknown = stranger.get(&begun["options"]);
    let refused = finish_login(&service, &begun["challengeToken"], unknown).await;
    assert_eq!(code(&refused), "INVALID_PROOF");
    // A signature of another key.
    stranger.id.clone_from(&browser.id);
    let begun = begin_login(&service).await;
    let forged = stranger.get(&begun["options"]);
    let refused = finish_login(&service, &begun["challengeToken"], forged).await;
    assert_eq!(code(&refused), "INVALID_PROOF");
    let payload = login(&service, &mut browser).await;
    const EVENTS: &str = "{ viewer { id auditEvents(first: 20, filter: { kinds: [LOGIN_FAILED] }) {
        nodes { detail } } } }";
    let read = service.send(Some(&access(&payload)), EVENTS, Value::Null).await;
    assert_eq!(read["data"]["viewer"]["id"], json!(id));
    let events = read["data"]["viewer"]["auditEvents"]["nodes"].to_string();
    for detail in ["page of another origin", "the user was not verified", "eligibility changed"] {
        assert!(events.contains(detail), "{detail}: {events}");
    }
}

async fn a_counter_that_goes_back_is_refused_and_the_passkey_stays(database: Database) {
    let service = Service::start(&database, FLAGS).await;
    let mut browser = Browser::counting();
    with_passkey(&service, &mut browser).await;
    access(&login(&service, &mut browser).await);
    let counter = browser.counter;
    for copy in [counter - 1, counter - 2] {
        browser.counter = copy;
        assert_eq!(code(&login(&service, &mut browser).await), "INVALID_PROOF", "{copy}");
    }
    browser.counter = counter;
    let payload = login(&service, &mut browser).await;
    const EVENTS: &str = "{ viewer { auditEvents(first: 1, filter: { kinds: [LOGIN_FAILED] }) {
        nodes { detail } } } }";
    let read = service.send(Some(&access(&payload)), EVENTS, Value::Null).await;
    let detail = &read["data"]["viewer"]["auditEvents"]["nodes"][0]["detail"];
    assert_eq!(detail, "passkey: its counter went back, there may be a copy");
}

async fn of_logins_at_once_with_one_count_one_succeeds(database: Database) {
    let service = Service::start(&database, FLAGS).await;
    let other = Service::start_at(&database, FLAGS, Arc::clone(&service.clock)).await;
    let mut browser = Browser::counting();
    with_passkey(&service, &mut browser).await;
    let mut prepared = Vec::new();
    let counter = browser.counter;
    for _ in 0..10 {
        let begun = begin_login(&service).await;
        // Two copies of the key.
        browser.counter = counter;
        prepared.push((begun["challengeToken"].clone(), browser.get(&begun["options"])));
    }
    let replicas = [&service, &other];
    let at_once = prepared
        .iter()
        .enumerate()
        .map(|(n, (token, response))| finish_login(replicas[n % 2], token, response.clone()));
    let opened = join_all(at_once).await;
    assert_eq!(opened.iter().filter(|payload| tokens(payload).is_some()).count(), 1);
}

async fn a_deactivated_account_is_not_logged_in(database: Database) {
    let service = Service::start(&database, FLAGS).await;
    let mut browser = Browser::new();
    with_passkey(&service, &mut browser).await;
    let accounts = &service.core.auth.accounts;
    let found =
        service.core.auth.reads.user_named(Admin::operator(), "ada").await.unwrap().unwrap();
    let (by, origin) = (Admin::operator(), Origin::default());
    accounts.set_active(by, found.id, false, origin.clone()).await.unwrap();
    assert_eq!(code(&login(&service, &mut browser).await), "INVALID_PROOF");
    accounts.set_active(by, found.id, true, origin).await.unwrap();
    access(&login(&service, &mut browser).await);
}

fn cookies(answer: &Answer) -> Vec<String> {
    let all = answer.headers.get_all("set-cookie").iter();
    all.map(|value| value.to_str().unwrap().to_owned()).collect()
}

async fn with_cookies_the_token_is_in_one_of_its_own(database: Database) {
    let service = Service::start(&database, FLAGS).await;
    let mut browser = Browser::new();
    with_passkey(&service, &mut browser).await;
    let page = [&OWN_PAGE[..2], &[("origin", "https://auth.example.com")]].concat();
    const BEGIN: &str = "mutation { beginPasskeyLogin(transport: COOKIE) { challengeToken options errors { code } } }";
    let begun = send(&service, &page, BEGIN, Value::Null).await;
    assert!(begun.payload()["challengeToken"].is_null(), "{begun:?}");
    let set = cookies(&begun);
    let cookie = set.iter().find(|set| set.starts_with("__Host-sallyport-passkey=")).unwrap();
    assert!(set.len() == 1 && cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
    const LOGIN: &str = "mutation($c: WebAuthnJson!) {
        loginWithPasskey(input: { credential: $c, transport: COOKIE }) {
            tokens { accessToken refreshToken } errors { code } } }";
    let response = browser.get(&begun.payload()["options"]);
    let cookie = cookie.split(';').next().unwrap();
    let with_cookie = [&page[..], &[("cookie", cookie)]].concat();
    let done = send(&service, &with_cookie, LOGIN, json!({ "c": response })).await;
    assert!(!done.access().is_empty());
    assert!(done.payload()["tokens"]["refreshToken"].is_null());
    let set = cookies(&done);
    assert!(set.iter().any(|set| set.starts_with("__Host-sallyport-refresh=")), "{set:?}");
    assert!(set.iter().any(|set| set.starts_with("__Host-sallyport-passkey=;")), "{set:?}");
}

async fn attempts_are_limited_by_their_source(database: Database) {
    let service = Service::start(&database, FLAGS).await;
    let mut browser = Browser::new();
    with_passkey(&service, &mut browser).await;
    let mut refused = Vec::new();
    for _ in 0..70 {
        let begun = begin_login(&service).await;
        let payload = finish_login(&service, &begun["challengeToken"], json!({ "id": "x" })).await;
        refused.push(code(&payload).to_owned());
    }
    assert_eq!(refused.iter().filter(|code| *code == "INVALID_PROOF").count(), 60);
    assert_eq!(refused.last().unwrap(), "RATE_LIMITED");
}
