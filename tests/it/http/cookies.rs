//! Refresh tokens in cookies.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Request, header};
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::browser::{Browser, COOKIE, LOGIN, LOGOUT, OWN_PAGE, REFRESH, answer, send};
use crate::api::service::{PASSWORD, Service, code};
use crate::databases::{Database, on_both};

on_both!(
    the_token_goes_into_the_cookie_and_not_into_the_answer,
    two_tabs_whose_answers_arrive_reversed_both_go_on,
    a_new_login_ends_the_session_of_the_cookie_before_it,
    the_cookie_goes_with_its_session_and_for_no_other_reason,
);

const REGISTER: &str = r#"mutation($p: String!) {
    register(input: { username: "eve", password: $p, transport: COOKIE }) {
        tokens { accessToken refreshToken } errors { code }
    }
}"#;

/// The header that removes the cookie.
const REMOVED: &str =
    "__Host-sallyport-refresh=; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=0";

async fn started(database: &Database, flags: &str) -> Service {
    let service = Service::start(database, flags).await;
    service.make("ann", Role::User).await;
    service.make("bob", Role::User).await;
    service
}

async fn the_token_goes_into_the_cookie_and_not_into_the_answer(database: Database) {
    let service = started(&database, "--registration open").await;
    let browser = Browser::default();
    let login = browser.login(&service, "ann").await;
    assert_eq!(login.payload()["tokens"]["refreshToken"], Value::Null);
    let set = login.set_cookie().unwrap();
    let attributes = "HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=604";
    assert!(set.starts_with(&format!("{COOKIE}=")) && set.contains(attributes), "{set}");
    assert!(set.len() < 4096 && !set.contains("Domain"), "{set}");
    let cookie = browser.cookie().unwrap();
    assert!(!login.body.to_string().contains(&cookie));

    let next = browser.send(&service, None, REFRESH).await;
    assert_eq!(next.payload()["tokens"]["refreshToken"], Value::Null, "{next:?}");
    assert_eq!(next.payload()["session"]["generation"], 1);
    assert_ne!(browser.cookie().unwrap(), cookie);
    assert_eq!(service.refusal(next.access()).await, None);

    let new = Browser::default();
    let registered = new.request(&service, None, REGISTER, json!({ "p": PASSWORD })).await;
    new.apply(&registered);
    assert_eq!(registered.payload()["tokens"]["refreshToken"], Value::Null);
    assert_eq!(service.refusal(new.send(&service, None, REFRESH).await.access()).await, None);
}

async fn two_tabs_whose_answers_arrive_reversed_both_go_on(database: Database) {
    let service = started(&database, "").await;
    let browser = Browser::default();
    browser.login(&service, "ann").await;
    for reversed in [true, false] {
        let tab = || browser.request(&service, None, REFRESH, Value::Null);
        let (first, second) = tokio::join!(tab(), tab());
        let mut answers = [&first, &second];
        if reversed {
            answers.reverse();
        }
        for answer in answers {
            browser.apply(answer);
            assert_eq!(service.refusal(answer.access()).await, None);
        }
        assert_eq!(first.cookie(), second.cookie(), "one successor");
        let next = browser.send(&service, None, REFRESH).await;
        assert_eq!(service.refusal(next.access()).await, None);
    }
}

async fn a_new_login_ends_the_session_of_the_cookie_before_it(database: Database) {
    let service = started(&database, "").await;
    let browser = Browser::default();
    let (before, cookie) = (browser.login(&service, "ann").await, browser.cookie().unwrap());
    // A wrong password ends no session and keeps the cookie.
    let wrong = json!({ "u": "ann", "p": "wrong-password" });
    let refused = browser.request(&service, None, LOGIN, wrong).await;
    assert_eq!(code(refused.payload()), "INVALID_CREDENTIALS");
    assert_eq!(refused.set_cookie(), None);
    assert_eq!(service.refusal(before.access()).await, None);

    // Also the session of another user: bob logs in where the cookie is ann's.
    let after = browser.login(&service, "bob").await;
    assert_ne!(browser.cookie().unwrap(), cookie);
    assert_eq!(service.refusal(before.access()).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(service.refusal(after.access()).await, None);
    let planted = Browser::with(&cookie).send(&service, None, REFRESH).await;
    assert_eq!(code(planted.payload()), "SESSION_ENDED");

    // A login with the transport BODY keeps the cookie.
    service.login("ann").await;
    assert_eq!(service.refusal(after.access()).await, None);
    // An invalid token in the cookie does not prevent a login.
    let nonsense = Browser::with("nonsense");
    let login = nonsense.login(&service, "ann").await;
    assert_eq!(service.refusal(login.access()).await, None);
}

async fn the_cookie_goes_with_its_session_and_for_no_other_reason(database: Database) {
    let mut service = started(&database, "--refresh-retry-window 30s").await;
    let browser = Browser::default();

    // Stale: another tab refreshed twice. The session continues.
    browser.login(&service, "ann").await;
    let old = Browser::with(&browser.cookie().unwrap());
    browser.send(&service, None, REFRESH).await;
    browser.send(&service, None, REFRESH).await;
    let stale = old.send(&service, None, REFRESH).await;
    assert_eq!((code(stale.payload()), stale.set_cookie()), ("REFRESH_TOKEN_STALE", None));

    // A reuse, which ends the session; then the ended session.
    service.pass(Duration::from_mins(1)).await;
    let reused = old.request(&service, None, REFRESH, Value::Null).await;
    assert_eq!(code(reused.payload()), "REFRESH_TOKEN_REUSED");
    assert_eq!(reused.set_cookie(), Some(REMOVED));
    let ended = browser.send(&service, None, REFRESH).await;
    assert_eq!((code(ended.payload()), ended.set_cookie()), ("SESSION_ENDED", Some(REMOVED)));
    assert_eq!(browser.cookie(), None);

    // A missing cookie is not removed; a cookie without a valid token is.
    let none = browser.send(&service, None, REFRESH).await;
    assert_eq!((code(none.payload()), none.set_cookie()), ("REFRESH_TOKEN_INVALID", None));
    let nonsense = Browser::with("nonsense").send(&service, None, REFRESH).await;
    assert_eq!(code(nonsense.payload()), "REFRESH_TOKEN_INVALID");
    assert_eq!(nonsense.set_cookie(), Some(REMOVED));

    // Expired.
    browser.login(&service, "ann").await;
    service.pass(Duration::from_hours(24 * 8)).await;
    let expired = browser.send(&service, None, REFRESH).await;
    assert_eq!(code(expired.payload()), "REFRESH_TOKEN_EXPIRED");
    assert_eq!(expired.set_cookie(), Some(REMOVED));
}

#[tokio::test]
async fn a_cookie_outlives_a_database_that_is_away() {
    let database = Database::sqlite();
    let service = started(&database, "").await;
    let browser = Browser::default();
    browser.login(&service, "ann").await;
    let mut raw = database.raw().await;
    raw.execute("ALTER TABLE sessions RENAME TO away").await;
    for document in [REFRESH, LOGOUT] {
        let failed = browser.send(&service, None, document).await;
        assert!(failed.body["errors"][0]["extensions"]["code"].is_string(), "{failed:?}");
        assert_eq!(failed.set_cookie(), None);
    }
    raw.execute("ALTER TABLE away RENAME TO sessions").await;
    let refreshed = browser.send(&service, None, REFRESH).await;
    assert_eq!(service.refusal(refreshed.access()).await, None);
}

#[tokio::test]
async fn a_logout_ends_the_session_of_the_cookie_and_removes_it() {
    let database = Database::sqlite();
    let mut service = started(&database, "").await;
    // With the cookie alone, with cookie and bearer token, and with an expired bearer token.
    for (with_bearer, wait) in [(false, 0), (true, 0), (true, 20)] {
        let browser = Browser::default();
        let login = browser.login(&service, "ann").await;
        service.pass(Duration::from_mins(wait)).await;
        let bearer = with_bearer.then(|| login.access());
        let out = browser.send(&service, bearer, LOGOUT).await;
        assert_eq!(out.payload()["endedCount"], 1, "{out:?}");
        assert_eq!(out.cookie(), Some(""));
        // A second logout succeeds, and there is no cookie to remove.
        let again = browser.send(&service, bearer, LOGOUT).await;
        assert_eq!(again.set_cookie(), None);
    }
}

#[tokio::test]
async fn of_all_sessions_the_cookies_goes_where_it_is_one_of_them() {
    let database = Database::sqlite();
    let mut service = started(&database, "").await;
    let logout = |scope: &str| {
        format!(
            "mutation {{ logout(input: {{ scope: {scope} }}) {{ endedCount errors {{ code }} }} }}"
        )
    };

    // The bearer token has expired, so the cookie determines the user.
    let browser = Browser::default();
    let login = browser.login(&service, "ann").await;
    let other = service.login("ann").await;
    service.pass(Duration::from_mins(20)).await;
    let others = browser.send(&service, Some(login.access()), &logout("OTHERS")).await;
    assert_eq!((&others.payload()["endedCount"], others.set_cookie()), (&json!(1), None));
    assert_eq!(code(&service.refresh(&other.refresh, None).await), "SESSION_ENDED");
    let all = browser.send(&service, Some(login.access()), &logout("ALL")).await;
    assert_eq!((&all.payload()["endedCount"], all.cookie()), (&json!(1), Some("")));

    // The bearer token belongs to another session of the user; OTHERS includes the session of the cookie.
    let browser = Browser::default();
    browser.login(&service, "ann").await;
    let other = service.login("ann").await;
    let others = browser.send(&service, Some(&other.access), &logout("OTHERS")).await;
    assert_eq!((&others.payload()["endedCount"], others.cookie()), (&json!(1), Some("")));
}

#[tokio::test]
async fn a_deletion_of_the_account_removes_its_cookie() {
    const DELETE: &str = "mutation { deleteAccount { endedCount errors { code } } }";
    let database = Database::sqlite();
    let service = started(&database, "").await;
    for (bearer, expected) in [("ann", None), ("bob", Some(""))] {
        let browser = Browser::default();
        browser.login(&service, "bob").await;
        let bearer = service.login(bearer).await.access;
        let deleted = browser.send(&service, Some(&bearer), DELETE).await;
        assert_eq!(deleted.payload()["errors"], json!([]), "{deleted:?}");
        assert_eq!(deleted.cookie(), expected);
    }
}

#[tokio::test]
async fn a_bearer_says_who_logs_out_whatever_the_cookie() {
    let database = Database::sqlite();
    let service = started(&database, "").await;
    let browser = Browser::default();
    let cookies = browser.login(&service, "ann").await;
    let other = service.login("bob").await;
    let out = browser.send(&service, Some(&other.access), LOGOUT).await;
    assert_eq!((&out.payload()["endedCount"], out.set_cookie()), (&json!(1), None));
    assert_eq!(service.refusal(&other.access).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(service.refusal(cookies.access()).await, None);
}

#[tokio::test]
async fn a_tab_whose_session_was_replaced_logs_its_browser_out() {
    let database = Database::sqlite();
    let service = started(&database, "").await;
    let browser = Browser::default();
    let before = browser.login(&service, "ann").await;
    let after = browser.login(&service, "ann").await;
    let out = browser.send(&service, Some(before.access()), LOGOUT).await;
    assert_eq!((&out.payload()["endedCount"], out.cookie()), (&json!(1), Some("")));
    assert_eq!(service.refusal(after.access()).await.as_deref(), Some("SESSION_ENDED"));
}

#[tokio::test]
async fn a_token_in_the_input_counts_before_the_cookie() {
    let database = Database::sqlite();
    let service = started(&database, "").await;
    let browser = Browser::default();
    let cookies = browser.login(&service, "ann").await;
    let kept = browser.cookie();
    let tokens = service.login("bob").await;
    let document = |token: &str, more: &str| {
        format!(
            "mutation {{ refresh(input: {{ refreshToken: \"{token}\" {more} }}) {{
                tokens {{ accessToken refreshToken }} errors {{ code path }} }} }}"
        )
    };
    // The next token is returned in the way in which the last one was sent.
    let next = browser.send(&service, None, &document(&tokens.refresh, "")).await;
    let token = next.payload()["tokens"]["refreshToken"].as_str().unwrap();
    assert_eq!(next.set_cookie(), None);
    // An invalid token in the body is no reason to remove the cookie.
    let bad = browser.send(&service, None, &document("nonsense", "")).await;
    assert_eq!((code(bad.payload()), bad.set_cookie()), ("REFRESH_TOKEN_INVALID", None));
    assert_eq!(browser.cookie(), kept);
    // With the transport COOKIE, into the cookie; the session that was there ends.
    let moved = browser.send(&service, None, &document(token, "transport: COOKIE")).await;
    assert_eq!(moved.payload()["tokens"]["refreshToken"], Value::Null, "{moved:?}");
    assert_eq!(service.refusal(cookies.access()).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(service.refusal(browser.send(&service, None, REFRESH).await.access()).await, None);
}

#[tokio::test]
async fn a_token_in_a_cookie_stays_there() {
    let database = Database::sqlite();
    let service = started(&database, "").await;
    let browser = Browser::default();
    browser.login(&service, "ann").await;
    let asked = "mutation { refresh(input: { transport: BODY }) {
        tokens { refreshToken } errors { code path } } }";
    let refused = browser.send(&service, None, asked).await;
    assert_eq!(code(refused.payload()), "INVALID_INPUT");
    assert_eq!(refused.payload()["errors"][0]["path"], json!(["input", "transport"]));
    assert_eq!(refused.set_cookie(), None);
    let next = browser.send(&service, None, REFRESH).await;
    assert_eq!(next.payload()["session"]["generation"], 1, "it was not used: {next:?}");
}

#[tokio::test]
async fn where_tokens_do_not_rotate_the_cookie_stays_as_it_is() {
    let database = Database::sqlite();
    let service = started(&database, "--rotate-refresh-tokens false").await;
    let browser = Browser::default();
    browser.login(&service, "ann").await;
    let next = browser.send(&service, None, REFRESH).await;
    assert_eq!(next.set_cookie(), None);
    assert_eq!(service.refusal(next.access()).await, None);
    // A session that moves into a cookie continues.
    let tokens = service.login("ann").await;
    let moving = format!(
        "mutation {{ refresh(input: {{ refreshToken: \"{}\", transport: COOKIE }}) {{
            tokens {{ accessToken refreshToken }} errors {{ code }} }} }}",
        tokens.refresh
    );
    let moved = browser.send(&service, None, &moving).await;
    assert_eq!(moved.cookie(), Some(tokens.refresh.as_str()));
}

#[tokio::test]
async fn of_two_cookies_none_counts() {
    let database = Database::sqlite();
    let service = started(&database, "").await;
    let browser = Browser::default();
    let login = browser.login(&service, "ann").await;
    let cookie = browser.cookie().unwrap();
    let both = format!("{COOKIE}={cookie}; {COOKIE}={cookie}");
    let headers = [OWN_PAGE, &[("cookie", both.as_str())]].concat();
    let refused = send(&service, &headers, REFRESH, Value::Null).await;
    assert_eq!(code(refused.payload()), "REFRESH_TOKEN_INVALID");
    assert_eq!(service.refusal(login.access()).await, None);
}

#[tokio::test]
async fn the_cookie_counts_beside_cookies_of_any_bytes() {
    let database = Database::sqlite();
    let service = started(&database, "").await;
    for other in ["city=Zürich".as_bytes(), b"city=Z\xfcrich", "mood=😀".as_bytes(), b"=\xff"] {
        let ask = async |cookie: &str, query: &str, variables: Value| {
            let body = json!({ "query": query, "variables": variables }).to_string();
            let ours = format!("{COOKIE}={cookie}");
            let mut request = Request::post("/graphql")
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::COOKIE, HeaderValue::from_bytes(other).unwrap())
                .header(header::COOKIE, [other, ours.as_bytes(), other].join(b"; ".as_slice()));
            for (name, value) in OWN_PAGE {
                request = request.header(*name, *value);
            }
            answer(&service, request.body(Body::from(body)).unwrap()).await
        };
        let before = Browser::default().login(&service, "ann").await;
        let login = json!({ "u": "ann", "p": PASSWORD });
        let after = ask(before.cookie().unwrap(), LOGIN, login).await;
        assert_eq!(service.refusal(before.access()).await.as_deref(), Some("SESSION_ENDED"));
        let next = ask(after.cookie().unwrap(), REFRESH, Value::Null).await;
        assert_eq!(service.refusal(next.access()).await, None);
        let out = ask(next.cookie().unwrap(), LOGOUT, Value::Null).await;
        assert_eq!((&out.payload()["endedCount"], out.cookie()), (&json!(1), Some("")));
    }
}

#[tokio::test]
async fn without_tls_the_cookie_has_another_name() {
    let database = Database::sqlite();
    let service = started(&database, "--insecure-cookies true").await;
    let variables = json!({ "u": "ann", "p": PASSWORD });
    let login = send(&service, OWN_PAGE, LOGIN, variables).await;
    let set = login.set_cookie().unwrap();
    assert!(set.starts_with("sallyport-refresh="), "{set}");
    assert!(set.contains("; HttpOnly; SameSite=Strict; Path=/; Max-Age=604"), "{set}");
    let (cookie, _) = set.split_once(';').unwrap();
    let headers = [OWN_PAGE, &[("cookie", cookie)]].concat();
    let next = send(&service, &headers, REFRESH, Value::Null).await;
    assert_eq!(service.refusal(next.access()).await, None);
}
