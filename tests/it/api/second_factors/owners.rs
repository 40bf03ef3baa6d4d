//! Factors that somebody else added go with whoever added them, and what is refused uses nothing up.

use std::time::Duration;

use sallyport::auth::Admin;
use sallyport::domain::origin::Origin;
use serde_json::{Value, json};

use super::super::email::mailbox::{
    challenge_token, continue_login, newest, register, request, reset_by_link, verified,
    verify_by_code, verify_by_link,
};
use super::super::service::{PASSWORD, Service, code, tokens};
use super::app::{
    App, access, begin_totp, confirm_totp, enroll, first_step, reason, reauthenticate, second_step,
};
use crate::databases::{Database, on_both};

on_both!(
    the_first_proof_of_an_address_removes_the_factors_of_whoever_registered_it,
    a_registration_is_verified_after_a_factor_was_added,
    a_dead_challenge_uses_no_factor_up,
    a_purge_removes_a_registration_whose_factors_were_reset,
    many_sessions_are_not_many_times_the_guesses,
    a_change_of_the_address_that_is_taken_back_takes_its_factors_along,
    a_session_that_another_replica_ended_adds_no_factor,
    whoever_knows_the_password_locks_nobody_out_of_where_the_user_was,
    logins_that_wait_for_their_next_step_are_bounded,
);

const NEW: &str = "velvet-kayak-hyphen-77";

async fn the_first_proof_of_an_address_removes_the_factors_of_whoever_registered_it(
    database: Database,
) {
    let mut service = Service::start(&database, "--registration open").await;
    for by in ["code", "link", "reset"] {
        let (stranger, email) = (format!("mallory-{by}"), format!("{by}@example.com"));
        let registered = register(&service, &stranger, Some(&email)).await;
        enroll(&service, &access(&registered)).await;
        service.pass(Duration::from_mins(1)).await;
        let entered = match by {
            "code" => {
                let asked = request(&service, "requestEmailLogin", &email).await;
                let mail = newest(&service, "login").await;
                continue_login(&service, challenge_token(&asked), mail.code()).await
            }
            "link" => {
                request(&service, "requestEmailLogin", &email).await;
                let mail = newest(&service, "login").await;
                super::super::email::mailbox::login_with_link(&service, mail.token(), None).await
            }
            _ => {
                request(&service, "requestPasswordReset", &email).await;
                reset_by_link(&service, newest(&service, "reset").await.token(), NEW).await
            }
        };
        let owner = tokens(&entered).unwrap_or_else(|| panic!("{by}: {entered}"));
        const READ: &str = "{ viewer { secondFactors { totpSince recoveryCodesLeft }
            auditEvents(filter: { kinds: [FACTOR_REMOVED] }) { nodes { detail } } } }";
        let read = service.send(Some(&owner.access), READ, Value::Null).await;
        let viewer = &read["data"]["viewer"];
        let none = json!({ "totpSince": null, "recoveryCodesLeft": 0 });
        assert_eq!(viewer["secondFactors"], none, "{by}: {read}");
        assert_eq!(
            viewer["auditEvents"]["nodes"],
            json!([{ "detail": "all, by the first proof of the address" }])
        );
    }
}

async fn a_registration_is_verified_after_a_factor_was_added(database: Database) {
    for (policy, by_link) in [("optional", true), ("required", true), ("optional", false)] {
        let flags = format!("--registration open --second-factor {policy}");
        let service = Service::start(&database, &flags).await;
        let name = format!("ada-{policy}-{by_link}");
        let first = register(&service, &name, Some(&format!("{name}@example.com"))).await;
        let bearer = if policy == "optional" {
            let bearer = access(&first);
            enroll(&service, &bearer).await;
            bearer
        } else {
            let begun = begin_totp(&service, None, Some(challenge_token(&first))).await;
            let begun = &begun["data"]["beginTotp"];
            let app = App::new(begun["secret"].as_str().unwrap());
            let token = begun["challengeToken"].as_str().unwrap();
            let done = confirm_totp(&service, None, token, &app.code(&service)).await;
            access(&done["data"]["confirmTotp"]["login"])
        };
        let mail = newest(&service, "verify").await;
        let verified = if by_link {
            verify_by_link(&service, Some(&bearer), mail.token(), None).await
        } else {
            service.clock.advance(Duration::from_millis(1));
            let asked = "mutation { requestEmailVerification { errors { code } } }";
            service.send(Some(&bearer), asked, Value::Null).await;
            let mail = newest(&service, "verify").await;
            verify_by_code(&service, Some(&bearer), mail.code()).await
        };
        assert!(verified["user"]["emailVerifiedAt"].is_string(), "{policy}: {verified}");
        // By the user's own session: the factor stays.
        let first = service.try_login(&name, PASSWORD).await;
        assert_eq!(code(&first), "SECOND_STEP_REQUIRED");
    }
}

async fn a_dead_challenge_uses_no_factor_up(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let ada = service.login("ada").await;
    let app = enroll(&service, &ada.access).await;
    let first = first_step(&service, "ada").await;
    const CHANGE: &str = "mutation($o: String!, $n: String!) {
        changePassword(input: { currentPassword: $o, newPassword: $n }) { errors { code } } }";
    let sent = json!({ "o": PASSWORD, "n": NEW });
    service.send(Some(&ada.access), CHANGE, sent).await;
    let proof = json!({ "recoveryCode": app.recovery_codes[0] });
    let refused = second_step(&service, &first, proof).await;
    assert_eq!(code(&refused), "CHALLENGE_EXPIRED");
    let read = "{ viewer { secondFactors { recoveryCodesLeft } } }";
    let left = service.send(Some(&ada.access), read, Value::Null).await;
    assert_eq!(left["data"]["viewer"]["secondFactors"]["recoveryCodesLeft"], 10);
    // Nor does a session that another replica ended.
    let other = Service::start_at(&database, "", service.clock.clone()).await;
    other.logout(Some(&ada.access), None, "ALL").await;
    const REAUTHENTICATE: &str = "mutation($c: String!) {
        reauthenticate(input: { proof: { recoveryCode: $c } }) { tokens { accessToken } } }";
    let sent = json!({ "c": app.recovery_codes[1] });
    let ended = service.send(Some(&ada.access), REAUTHENTICATE, sent).await;
    assert_eq!(reason(&ended), "SESSION_ENDED");
    let left = service.core.store.factors(user(&service, "ada").await).await.unwrap();
    assert_eq!(left.recovery_codes_left, 10);
}

async fn user(service: &Service, name: &str) -> sallyport::domain::id::UserId {
    let found = service.core.auth.reads.user_named(Admin::operator(), name).await.unwrap();
    found.unwrap().id
}

async fn a_purge_removes_a_registration_whose_factors_were_reset(database: Database) {
    let flags = "--registration open --unverified-email refuse";
    let mut service = Service::start(&database, flags).await;
    verified(&service, "ada").await;
    register(&service, "mallory", Some("ada@example.com")).await;
    let (by, origin) = (Admin::operator(), Origin::default());
    let mallory = user(&service, "mallory").await;
    service.core.auth.enrollments.reset_factors(by, mallory, None, origin).await.unwrap();
    service.pass(Duration::from_hours(72)).await;
    service.core.auth.system.purge().await.unwrap();
    assert!(service.core.auth.reads.user_named(by, "mallory").await.unwrap().is_none());
}

async fn many_sessions_are_not_many_times_the_guesses(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let mut stolen = Vec::new();
    for _ in 0..5 {
        stolen.push(service.login("ada").await);
    }
    enroll(&service, &service.login("ada").await.access).await;
    let mut judged = 0;
    for session in &stolen {
        for n in 0..15 {
            let proof = json!({ "totpCode": format!("{n:06}") });
            let refused = reauthenticate(&service, &session.access, proof).await;
            judged += u32::from(code(&refused) == "INVALID_PROOF");
        }
    }
    assert_eq!(judged, 20);
}

async fn a_change_of_the_address_that_is_taken_back_takes_its_factors_along(database: Database) {
    let mut service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let thief = service.login("ada").await;
    const CHANGE: &str = "mutation { requestEmailChange(input: { email: \"thief@example.com\" }) {
        errors { code } } }";
    service.send(Some(&thief.access), CHANGE, Value::Null).await;
    let revert = newest(&service, "notice-email-change").await;
    service.pass(Duration::from_secs(1)).await;
    enroll(&service, &thief.access).await;
    const REVERT: &str = "mutation($l: String!) { revertEmailChange(input: { linkToken: $l }) {
        endedCount errors { code } } }";
    let reverted = service.send(None, REVERT, json!({ "l": revert.token() })).await;
    assert_eq!(reverted["data"]["revertEmailChange"]["errors"], json!([]), "{reverted}");
    service.pass(Duration::from_mins(1)).await;
    request(&service, "requestPasswordReset", "ada").await;
    let mail = newest(&service, "reset").await;
    let owner = reset_by_link(&service, mail.token(), NEW).await;
    assert!(tokens(&owner).is_some(), "{owner}");
}

async fn a_session_that_another_replica_ended_adds_no_factor(database: Database) {
    let one = Service::start(&database, "").await;
    let two = Service::start_at(&database, "", one.clock.clone()).await;
    verified(&one, "ada").await;
    let thief = one.login("ada").await;
    let begun = begin_totp(&two, Some(&thief.access), None).await["data"]["beginTotp"].clone();
    let app = App::new(begun["secret"].as_str().unwrap());
    one.logout(Some(&thief.access), None, "ALL").await;
    let token = begun["challengeToken"].as_str().unwrap();
    let done = confirm_totp(&two, Some(&thief.access), token, &app.code(&two)).await;
    assert_eq!(code(&done["data"]["confirmTotp"]), "CHALLENGE_EXPIRED");
    one.login("ada").await;
}

async fn whoever_knows_the_password_locks_nobody_out_of_where_the_user_was(database: Database) {
    const HOME: (&str, &str) = ("203.0.113.7", "Firefox");
    const ELSEWHERE: (&str, &str) = ("198.51.100.9", "curl");
    const LOGIN: &str =
        "mutation($p: String!) { login(input: { username: \"ada\", password: $p }) {
        tokens { accessToken } challenge { challengeToken } errors { code } } }";
    const CONTINUE: &str = "mutation($t: String!, $c: String!) {
        continueLogin(input: { challengeToken: $t, proof: { totpCode: $c } }) {
            tokens { accessToken } errors { code } } }";
    let mut service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let first = async |service: &Service, from| {
        let answer = service.send_from(from, None, LOGIN, json!({ "p": PASSWORD })).await;
        answer["data"]["login"].clone()
    };
    let second = async |service: &Service, from, first: &Value, code: &str| {
        let sent = json!({ "t": first["challenge"]["challengeToken"], "c": code });
        service.send_from(from, None, CONTINUE, sent).await["data"]["continueLogin"].clone()
    };
    let app = enroll(&service, &access(&first(&service, HOME).await)).await;
    for _ in 0..3 {
        let begun = first(&service, ELSEWHERE).await;
        for _ in 0..5 {
            second(&service, ELSEWHERE, &begun, "000000").await;
        }
    }
    let code_now = app.next_code(&mut service).await;
    let begun = first(&service, ELSEWHERE).await;
    second(&service, ELSEWHERE, &begun, "000000").await;
    let limited = second(&service, ELSEWHERE, &begun, &code_now).await;
    assert_eq!(code(&limited), "RATE_LIMITED");
    let begun = first(&service, HOME).await;
    let home = second(&service, HOME, &begun, &code_now).await;
    assert!(home["tokens"].is_object(), "{home}");
}

async fn logins_that_wait_for_their_next_step_are_bounded(database: Database) {
    let service = Service::start(&database, "--throttle false").await;
    verified(&service, "ada").await;
    let ada = service.login("ada").await;
    enroll(&service, &ada.access).await;
    for _ in 0..60 {
        first_step(&service, "ada").await;
    }
    let rows = "SELECT count(*) FROM challenges WHERE purpose = 'SECOND_STEP'";
    assert_eq!(database.raw().await.number(rows).await, 50);
}
