//! Logins by the code or link of a mail.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sallyport::auth::Admin;
use sallyport::domain::id::UserId;
use sallyport::domain::origin::Origin;
use serde_json::{Value, json};

use super::super::service::{PASSWORD, Service, code, tokens};
use super::mailbox::{challenge_token, continue_login, login_with_link, newest, request, verified};
use crate::databases::{Database, on_both};
use crate::proof::rounds;

on_both!(
    a_code_and_a_link_log_in_and_are_one_proof,
    a_challenge_has_five_attempts_and_ten_minutes,
    of_many_uses_of_one_code_at_once_one_logs_in,
    of_many_wrong_codes_at_once_five_are_tried,
    of_many_wrong_codes_for_many_challenges_at_once_ten_are_tried,
    a_challenge_is_worthless_once_the_account_has_changed,
    a_token_of_one_purpose_is_of_no_use_for_another,
    wrong_codes_are_limited_across_challenges,
);

const LOGIN: &str = "requestEmailLogin";

async fn a_code_and_a_link_log_in_and_are_one_proof(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let asked = request(&service, LOGIN, "ada@example.com").await;
    assert_eq!(asked["errors"], json!([]));
    let challenge = &asked["challenge"];
    assert_eq!(challenge["sentTo"], "a***@example.com");
    assert_eq!(
        (&challenge["steps"], &challenge["attemptsLeft"]),
        (&json!(["EMAIL_CODE"]), &json!(5))
    );
    let mail = newest(&service, "login").await;
    assert_eq!(mail.to, "ada@example.com");
    assert!(mail.link().starts_with("http://127.0.0.1:8000/account/login#token="));
    let typed = format!(" {} {}", &mail.code()[..4], &mail.code()[4..]);
    let done = continue_login(&service, challenge_token(&asked), &typed).await;
    let session = tokens(&done).unwrap_or_else(|| panic!("{done}"));
    assert_eq!(service.refusal(&session.access).await, None);
    // The link was the same proof.
    let spent = login_with_link(&service, mail.token(), None).await;
    assert_eq!(code(&spent), "CHALLENGE_EXPIRED");
    let again = continue_login(&service, challenge_token(&asked), mail.code()).await;
    assert_eq!(code(&again), "CHALLENGE_EXPIRED");

    let asked = request(&service, LOGIN, "ADA").await;
    assert!(asked["challenge"]["sentTo"].is_null(), "a username tells no address");
    let mail = newest(&service, "login").await;
    let done = login_with_link(&service, mail.token(), None).await;
    assert!(tokens(&done).is_some(), "{done}");
    let spent = continue_login(&service, challenge_token(&asked), mail.code()).await;
    assert_eq!(code(&spent), "CHALLENGE_EXPIRED");
}

async fn a_challenge_has_five_attempts_and_ten_minutes(database: Database) {
    let service = Service::start(&database, "--throttle false").await;
    verified(&service, "ada").await;
    let asked = request(&service, LOGIN, "ada").await;
    let right = newest(&service, "login").await;
    let wrong = if right.code() == "00000000" { "00000001" } else { "00000000" };
    for left in (0..5).rev() {
        let refused = continue_login(&service, challenge_token(&asked), wrong).await;
        assert_eq!(code(&refused), "INVALID_PROOF");
        assert_eq!(refused["challenge"]["attemptsLeft"], left, "{refused}");
    }
    let refused = continue_login(&service, challenge_token(&asked), right.code()).await;
    assert_eq!(code(&refused), "CHALLENGE_EXPIRED");

    let asked = request(&service, LOGIN, "ada").await;
    let right = newest(&service, "login").await;
    service.clock.advance(Duration::from_mins(10));
    let refused = continue_login(&service, challenge_token(&asked), right.code()).await;
    assert_eq!(code(&refused), "CHALLENGE_EXPIRED");
    let refused = login_with_link(&service, right.token(), None).await;
    assert_eq!(code(&refused), "CHALLENGE_EXPIRED");
}

async fn of_many_uses_of_one_code_at_once_one_logs_in(database: Database) {
    let replicas = [Service::start(&database, "").await, Service::start(&database, "").await];
    verified(&replicas[0], "ada").await;
    let asked = request(&replicas[0], LOGIN, "ada").await;
    let mail = newest(&replicas[0], "login").await;
    let uses = join_all(
        (0..rounds(16, 100))
            .map(|n| continue_login(&replicas[n % 2], challenge_token(&asked), mail.code())),
    )
    .await;
    assert_eq!(uses.iter().filter(|done| tokens(done).is_some()).count(), 1, "{uses:?}");
    let sessions = "SELECT count(*) FROM sessions";
    assert_eq!(database.raw().await.number(sessions).await, 1);
}

async fn of_many_wrong_codes_at_once_five_are_tried(database: Database) {
    let flags = "--throttle false";
    let replicas = [Service::start(&database, flags).await, Service::start(&database, flags).await];
    verified(&replicas[0], "ada").await;
    let asked = request(&replicas[0], LOGIN, "ada").await;
    let mail = newest(&replicas[0], "login").await;
    let wrong = if mail.code() == "00000000" { "00000001" } else { "00000000" };
    let answers =
        join_all((0..16).map(|n| continue_login(&replicas[n % 2], challenge_token(&asked), wrong)))
            .await;
    let tried = answers.iter().filter(|payload| code(payload) == "INVALID_PROOF").count();
    assert_eq!(tried, 5, "{answers:?}");
}

async fn of_many_wrong_codes_for_many_challenges_at_once_ten_are_tried(database: Database) {
    let first = Service::start(&database, "").await;
    // The first wait is as long as the clocks may differ.
    let clock = Arc::clone(&first.clock);
    let replicas = [first, Service::start_at(&database, "", clock).await];
    verified(&replicas[0], "ada").await;
    let mut challenges = Vec::new();
    for _ in 0..4 {
        challenges.push(request(&replicas[0], LOGIN, "ada").await);
    }
    let answers = join_all((0..20).map(|n| {
        let token = challenge_token(&challenges[n % 4]);
        continue_login(&replicas[n % 2], token, "a guess")
    }))
    .await;
    let tried = answers.iter().filter(|payload| code(payload) == "INVALID_PROOF").count();
    assert_eq!(tried, 10, "{answers:?}");
}

async fn a_challenge_is_worthless_once_the_account_has_changed(database: Database) {
    const NEW: &str = "velvet-kayak-hyphen-77";
    let service = Service::start(&database, "").await;
    let changes: [&str; 3] = ["password", "address", "activity"];
    for (n, change) in changes.into_iter().enumerate() {
        let name = format!("user{n}");
        let id = verified(&service, &name).await;
        let user = UserId::parse(id.trim_start_matches("User:")).unwrap();
        let asked = request(&service, LOGIN, &name).await;
        let mail = newest(&service, "login").await;
        let (by, origin) = (Admin::operator(), Origin::default());
        let accounts = &service.core.auth.accounts;
        match change {
            "password" => drop(accounts.set_password(by, user, NEW, origin).await.unwrap()),
            "address" => {
                let email = Some("other@example.com");
                let changes = sallyport::auth::UserChanges { email, ..Default::default() };
                drop(accounts.update_user(by, user, changes, origin).await.unwrap());
            }
            _ => {
                for active in [false, true] {
                    accounts.set_active(by, user, active, origin.clone()).await.unwrap();
                }
            }
        }
        for refused in [
            continue_login(&service, challenge_token(&asked), mail.code()).await,
            login_with_link(&service, mail.token(), None).await,
        ] {
            assert_eq!(code(&refused), "CHALLENGE_EXPIRED", "{change}");
        }
    }
}

async fn a_token_of_one_purpose_is_of_no_use_for_another(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let reset = request(&service, "requestPasswordReset", "ada").await;
    let mail = newest(&service, "reset").await;
    let refused = continue_login(&service, challenge_token(&reset), mail.code()).await;
    assert_eq!(code(&refused), "CHALLENGE_EXPIRED");
    assert_eq!(code(&login_with_link(&service, mail.token(), None).await), "CHALLENGE_EXPIRED");
    let login = request(&service, LOGIN, "ada").await;
    let mail = newest(&service, "login").await;
    let refused = super::mailbox::reset_by_link(&service, mail.token(), PASSWORD).await;
    assert_eq!(code(&refused), "CHALLENGE_EXPIRED");
    for token in ["", "short", challenge_token(&login), &"A".repeat(43)] {
        assert_eq!(code(&login_with_link(&service, token, None).await), "CHALLENGE_EXPIRED");
    }
}

async fn wrong_codes_are_limited_across_challenges(database: Database) {
    let mut service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let mut refused: Vec<Value> = Vec::new();
    let mut names = Vec::new();
    for name in ["ada", "nobody"] {
        for n in 0..3 {
            let asked = request(&service, LOGIN, name).await;
            for _ in 0..(if n < 2 { 5 } else { 1 }) {
                let payload = continue_login(&service, challenge_token(&asked), "12345678").await;
                refused.push(payload["errors"][0]["code"].clone());
            }
        }
        names.push(std::mem::take(&mut refused));
        service.pass(Duration::from_hours(1)).await;
    }
    // Ten wrong ones, and then a wait; the same for a name without an account.
    assert_eq!(names[0], names[1]);
    assert_eq!(names[0][9], "INVALID_PROOF");
    assert_eq!(names[0][10], "RATE_LIMITED");
}
