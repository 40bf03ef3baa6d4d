//! The second step of a login: a code of the app.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header;
use futures_util::future::join_all;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::super::service::{PASSWORD, Service, code, tokens};
use super::app::{
    App, STEP, access, authentication, enroll, first_step, reauthenticate, second_step,
    try_second_step,
};
use crate::databases::{Database, on_both};
use crate::http::browser::{Answer, OWN_PAGE, send};

on_both!(
    a_password_alone_gives_no_session_and_a_clear_message,
    a_code_is_accepted_one_step_early_or_late_and_once,
    one_code_on_two_replicas_at_once_logs_in_once,
    a_challenge_ends_after_five_wrong_proofs_ten_minutes_or_one_login,
    a_hundred_wrong_codes_at_once_are_five_attempts,
    a_change_of_the_account_makes_the_second_step_worthless,
    a_proof_of_another_kind_is_a_wrong_one,
    a_session_has_what_was_shown_and_a_refresh_keeps_it,
    with_cookies_no_script_sees_the_challenge,
);

async fn with_app(service: &Service) -> App {
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    enroll(service, &ada.access).await
}

async fn a_password_alone_gives_no_session_and_a_clear_message(database: Database) {
    let mut service = Service::start(&database, "").await;
    let app = with_app(&service).await;
    let first = first_step(&service, "ada").await;
    assert!(first["tokens"].is_null() && first["session"].is_null() && first["user"].is_null());
    assert_eq!(code(&first), "SECOND_STEP_REQUIRED");
    let challenge = &first["challenge"];
    assert_eq!(challenge["steps"], json!(["TOTP", "RECOVERY_CODE"]));
    assert_eq!((&challenge["attemptsLeft"], &challenge["sentTo"]), (&json!(5), &Value::Null));
    // What a client shows that knows no challenges.
    const OLD: &str =
        "mutation($u: String!, $p: String!) { login(input: { username: $u, password: $p }) {
        tokens { accessToken } errors { message } } }";
    let old = service.send(None, OLD, json!({ "u": "ada", "p": PASSWORD })).await;
    assert_eq!(
        old["data"]["login"]["errors"][0]["message"],
        "Another step is needed to log in. Enter a code from the authenticator app, or a recovery code."
    );
    let wrong = second_step(&service, &first, json!({ "totpCode": "000000" })).await;
    assert_eq!((code(&wrong), &wrong["challenge"]["attemptsLeft"]), ("INVALID_PROOF", &json!(4)));
    assert_eq!(wrong["challenge"]["steps"], challenge["steps"]);
    let code_now = app.next_code(&mut service).await;
    let second = second_step(&service, &first, json!({ "totpCode": code_now })).await;
    assert!(tokens(&second).is_some(), "{second}");
    assert_eq!(second["session"]["name"], "Laptop");
    // A wrong password tells nothing of the factor.
    assert_eq!(code(&service.try_login("ada", "wrong").await), "INVALID_CREDENTIALS");
}

async fn a_code_is_accepted_one_step_early_or_late_and_once(database: Database) {
    let mut service = Service::start(&database, "").await;
    let app = with_app(&service).await;
    service.pass(STEP * 4).await;
    let now = sallyport::clock::Clock::now(&*service.clock).as_seconds();
    for (seconds, is_right) in [
        (now - 60, false),
        (now + 60, false),
        (now - 30, true),
        (now - 30, false),
        (now, true),
        (now + 30, true),
        (now, false),
    ] {
        let first = first_step(&service, "ada").await;
        let second =
            second_step(&service, &first, json!({ "totpCode": app.code_at(seconds) })).await;
        assert_eq!(tokens(&second).is_some(), is_right, "{}", seconds - now);
    }
    // As people type it.
    let code_now = app.next_code(&mut service).await;
    let first = first_step(&service, "ada").await;
    service.pass(STEP).await;
    let spaced = format!(" {} {}", &code_now[..3], &code_now[3..]);
    let spaced_code = second_step(&service, &first, json!({ "totpCode": spaced })).await;
    assert!(tokens(&spaced_code).is_none(), "that step was used as the next one");
    let fresh = app.next_code(&mut service).await;
    let spaced = format!(" {} {}", &fresh[..3], &fresh[3..]);
    assert!(tokens(&second_step(&service, &first, json!({ "totpCode": spaced })).await).is_some());
}

async fn one_code_on_two_replicas_at_once_logs_in_once(database: Database) {
    let mut service = Service::start(&database, "--throttle false").await;
    let other = Service::start_at(&database, "--throttle false", Arc::clone(&service.clock)).await;
    let app = with_app(&service).await;
    let code_now = app.next_code(&mut service).await;
    let mut challenges = Vec::new();
    for _ in 0..20 {
        challenges.push(first_step(&service, "ada").await);
    }
    let replicas = [&service, &other];
    let at_once = challenges
        .iter()
        .enumerate()
        .map(|(n, first)| second_step(replicas[n % 2], first, json!({ "totpCode": code_now })));
    let opened = join_all(at_once).await;
    assert_eq!(opened.iter().filter(|payload| tokens(payload).is_some()).count(), 1);
    let refused = opened.iter().filter(|payload| tokens(payload).is_none());
    assert!(refused.clone().all(|payload| code(payload) == "INVALID_PROOF"), "{opened:?}");
}

async fn a_challenge_ends_after_five_wrong_proofs_ten_minutes_or_one_login(database: Database) {
    let mut service = Service::start(&database, "--throttle false").await;
    let app = with_app(&service).await;
    let first = first_step(&service, "ada").await;
    for left in (0..5).rev() {
        let wrong = second_step(&service, &first, json!({ "totpCode": "000000" })).await;
        assert_eq!(wrong["challenge"]["attemptsLeft"], left);
    }
    let code_now = app.next_code(&mut service).await;
    let right = json!({ "totpCode": code_now });
    assert_eq!(code(&second_step(&service, &first, right.clone()).await), "CHALLENGE_EXPIRED");
    // The last of five attempts is as good as the first.
    let first = first_step(&service, "ada").await;
    for _ in 0..4 {
        second_step(&service, &first, json!({ "recoveryCode": "nothing" })).await;
    }
    assert!(tokens(&second_step(&service, &first, right).await).is_some());
    let code_now = app.next_code(&mut service).await;
    let again = second_step(&service, &first, json!({ "totpCode": code_now })).await;
    assert_eq!(code(&again), "CHALLENGE_EXPIRED");
    let first = first_step(&service, "ada").await;
    service.pass(Duration::from_mins(10)).await;
    let late = second_step(&service, &first, json!({ "totpCode": app.code(&service) })).await;
    assert_eq!(code(&late), "CHALLENGE_EXPIRED");
}

async fn a_hundred_wrong_codes_at_once_are_five_attempts(database: Database) {
    let service = Service::start(&database, "--throttle false").await;
    let other = Service::start_at(&database, "--throttle false", Arc::clone(&service.clock)).await;
    with_app(&service).await;
    let first = first_step(&service, "ada").await;
    let token = first["challenge"]["challengeToken"].as_str();
    let replicas = [&service, &other];
    let at_once = (0..100).map(|n| {
        let proof = json!({ "totpCode": format!("{n:06}") });
        try_second_step(replicas[n % 2], token, proof)
    });
    let judged = join_all(at_once).await;
    let judged = judged.iter().filter(|answer| {
        let payload = &answer["data"]["continueLogin"];
        payload["errors"][0]["code"] == "INVALID_PROOF"
    });
    assert!(judged.count() <= 5);
}

async fn a_change_of_the_account_makes_the_second_step_worthless(database: Database) {
    let mut service = Service::start(&database, "--throttle false").await;
    let app = with_app(&service).await;
    const CHANGE: &str = "mutation($c: String!, $n: String!) {
        changePassword(input: { currentPassword: $c, newPassword: $n }) { errors { code } } }";
    let session = super::app::login(&mut service, "ada", &app).await;
    for (from, to) in [(PASSWORD, "velvet-kayak-hyphen-77"), ("velvet-kayak-hyphen-77", PASSWORD)] {
        let first = if from == PASSWORD {
            first_step(&service, "ada").await
        } else {
            service.try_login("ada", from).await
        };
        let sent = json!({ "c": from, "n": to });
        let changed = service.send(Some(&session.access), CHANGE, sent).await;
        assert_eq!(changed["data"]["changePassword"]["errors"], json!([]), "{changed}");
        let code_now = app.next_code(&mut service).await;
        let second = second_step(&service, &first, json!({ "totpCode": code_now })).await;
        assert_eq!(code(&second), "CHALLENGE_EXPIRED");
    }
    // New recovery codes.
    let first = first_step(&service, "ada").await;
    const RENEW: &str = "mutation { renewRecoveryCodes { recoveryCodes errors { code } } }";
    let code_now = app.next_code(&mut service).await;
    let strong =
        access(&reauthenticate(&service, &session.access, json!({ "totpCode": code_now })).await);
    let renewed = service.send(Some(&strong), RENEW, Value::Null).await;
    assert_eq!(renewed["data"]["renewRecoveryCodes"]["errors"], json!([]), "{renewed}");
    let code_now = app.next_code(&mut service).await;
    let second = second_step(&service, &first, json!({ "totpCode": code_now })).await;
    assert_eq!(code(&second), "CHALLENGE_EXPIRED");
}

async fn a_proof_of_another_kind_is_a_wrong_one(database: Database) {
    let service = Service::start(&database, "--throttle false").await;
    with_app(&service).await;
    let first = first_step(&service, "ada").await;
    for (proof, left) in [
        (json!({ "password": PASSWORD }), 4),
        (json!({ "emailCode": "12345678" }), 3),
        (json!({ "totpCode": "not a code" }), 2),
        (json!({ "recoveryCode": "0000-0000-0000-0000" }), 1),
    ] {
        let wrong = second_step(&service, &first, proof.clone()).await;
        assert_eq!(code(&wrong), "INVALID_PROOF", "{proof}");
        assert_eq!(wrong["challenge"]["attemptsLeft"], left, "{proof}");
    }
    let nobodys = try_second_step(&service, Some("x"), json!({ "totpCode": "123456" })).await;
    assert_eq!(code(&nobodys["data"]["continueLogin"]), "CHALLENGE_EXPIRED");
}

async fn a_session_has_what_was_shown_and_a_refresh_keeps_it(database: Database) {
    let mut service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let single = service.login("ada").await;
    let (session, claims) = authentication(&service, &single.access).await;
    assert_eq!(session, json!({ "amr": ["pwd"], "assurance": "SINGLE_FACTOR" }));
    assert_eq!(claims["amr"], json!(["pwd"]));
    assert_eq!(claims["acr"], "urn:sallyport:single-factor");
    let app = enroll(&service, &single.access).await;
    let double = super::app::login(&mut service, "ada", &app).await;
    let (session, claims) = authentication(&service, &double.access).await;
    assert_eq!(session, json!({ "amr": ["pwd", "otp", "mfa"], "assurance": "MULTI_FACTOR" }));
    assert_eq!(claims["amr"], json!(["pwd", "otp", "mfa"]));
    assert_eq!(claims["acr"], "urn:sallyport:multi-factor");
    service.pass(Duration::from_mins(2)).await;
    let refreshed = tokens(&service.refresh(&double.refresh, None).await).unwrap();
    let after = super::app::claims(&refreshed.access);
    for claim in ["amr", "acr", "auth_time"] {
        assert_eq!(after[claim], claims[claim], "{claim}");
    }
    // The session that added the app is lifted by using it, not by having added it.
    let lifted =
        reauthenticate(&service, &single.access, json!({ "totpCode": app.code(&service) }));
    let lifted = lifted.await;
    assert_eq!(lifted["session"]["assurance"], "MULTI_FACTOR", "{lifted}");
    assert_eq!(lifted["session"]["amr"], json!(["pwd", "otp", "mfa"]));
}

async fn with_cookies_no_script_sees_the_challenge(database: Database) {
    let mut service = Service::start(&database, "").await;
    let app = with_app(&service).await;
    const LOGIN: &str = "mutation($u: String!, $p: String!) {
        login(input: { username: $u, password: $p, transport: COOKIE }) {
            challenge { challengeToken steps } errors { code } } }";
    const CONTINUE: &str = "mutation($c: String!) {
        continueLogin(input: { proof: { totpCode: $c } }) {
            tokens { accessToken refreshToken } errors { code } } }";
    let first = send(&service, OWN_PAGE, LOGIN, json!({ "u": "ada", "p": PASSWORD })).await;
    assert_eq!(first.payload()["challenge"]["challengeToken"], Value::Null);
    let cookie = cookies(&first).into_iter().find(|set| set.starts_with(LOGIN_COOKIE)).unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let with_cookie = [OWN_PAGE, &[("cookie", cookie.as_str())]].concat();
    let code_now = app.next_code(&mut service).await;
    // Another page may not use it.
    let foreign = [("origin", "https://evil.example"), ("cookie", cookie.as_str())];
    let refused = send(&service, &foreign, CONTINUE, json!({ "c": code_now })).await;
    assert!(refused.payload()["tokens"].is_null(), "{refused:?}");
    let second = send(&service, &with_cookie, CONTINUE, json!({ "c": code_now })).await;
    assert!(second.payload()["tokens"]["refreshToken"].is_null());
    assert!(!second.access().is_empty());
    let set = cookies(&second);
    assert!(set.iter().any(|set| set.starts_with("__Host-sallyport-refresh=")), "{set:?}");
    let cleared = format!("{LOGIN_COOKIE}=;");
    assert!(set.iter().any(|set| set.starts_with(&cleared)), "{set:?}");
}

const LOGIN_COOKIE: &str = "__Host-sallyport-login";

fn cookies(answer: &Answer) -> Vec<String> {
    let all = answer.headers.get_all(header::SET_COOKIE).iter();
    all.map(|value| value.to_str().unwrap().to_owned()).collect()
}
