//! Changes of one's own address.

use std::time::Duration;

use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::super::service::{PASSWORD, Service, Tokens, code, tokens};
use super::mailbox::{count, mails, newest, verified};
use crate::databases::{Database, on_both};

on_both!(
    an_address_changes_when_the_new_one_is_proved,
    a_change_is_taken_back_for_seven_days_whatever_happened_since,
    a_taken_address_is_answered_alike,
    an_address_that_is_taken_meanwhile_is_refused,
    a_change_is_worthless_once_its_session_has_ended,
    a_link_that_is_pressed_elsewhere_leaves_nobody_in_the_account,
    once_the_owner_has_taken_the_address_back_the_thief_cannot,
    the_requests_for_a_taken_and_a_free_address_differ_in_nothing,
    the_former_address_stays_reserved_while_the_change_can_be_taken_back,
);

async fn ask(service: &Service, ada: &Tokens, email: &str) -> Value {
    const REQUEST: &str = "mutation($e: String!) { requestEmailChange(input: { email: $e }) {
        challenge { challengeToken sentTo steps } errors { code path } } }";
    let answer = service.send(Some(&ada.access), REQUEST, json!({ "e": email })).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["requestEmailChange"].clone()
}

async fn confirm(service: &Service, ada: Option<&Tokens>, proof: Value) -> Value {
    const CONFIRM: &str = "mutation($p: EmailProofInput!) { confirmEmailChange(
        input: { proof: $p }) { user { username email emailVerifiedAt pendingEmail } errors { code } } }";
    let bearer = ada.map(|ada| ada.access.as_str());
    let answer = service.send(bearer, CONFIRM, json!({ "p": proof })).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["confirmEmailChange"].clone()
}

async fn revert(service: &Service, token: &str) -> Value {
    const REVERT: &str = "mutation($l: String!) { revertEmailChange(input: { linkToken: $l }) {
        endedCount errors { code } } }";
    let answer = service.send(None, REVERT, json!({ "l": token })).await;
    answer["data"]["revertEmailChange"].clone()
}

async fn viewer(service: &Service, ada: &Tokens) -> Value {
    const VIEWER: &str = "{ viewer { username email pendingEmail } }";
    service.send(Some(&ada.access), VIEWER, Value::Null).await["data"]["viewer"].clone()
}

async fn an_address_changes_when_the_new_one_is_proved(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let ada = service.login("ada").await;
    assert_eq!(code(&ask(&service, &ada, "ADA@example.com").await), "INVALID_INPUT");
    assert_eq!(code(&ask(&service, &ada, "nonsense").await), "INVALID_INPUT");
    let asked = ask(&service, &ada, "new@example.com").await;
    assert_eq!(asked["challenge"]["sentTo"], "n***@example.com");
    let before = json!({ "username": "ada", "email": "ada@example.com",
        "pendingEmail": "new@example.com" });
    assert_eq!(viewer(&service, &ada).await, before);
    let mail = newest(&service, "change").await;
    assert_eq!(mail.to, "new@example.com");
    let token = asked["challenge"]["challengeToken"].as_str();
    let wrong = json!({ "code": { "challengeToken": token, "code": "0000 0000" } });
    if mail.code() != "00000000" {
        assert_eq!(code(&confirm(&service, Some(&ada), wrong).await), "INVALID_PROOF");
    }
    // The session asked for it, so the code alone is enough.
    let proof = json!({ "code": { "code": mail.code() } });
    let done = confirm(&service, Some(&ada), proof).await;
    assert_eq!(done["user"]["email"], "new@example.com", "{done}");
    assert!(done["user"]["emailVerifiedAt"].is_string() && done["user"]["pendingEmail"].is_null());
    assert_eq!(service.refusal(&ada.access).await, None);
    assert!(tokens(&service.try_login("new@example.com", PASSWORD).await).is_some());
    let former = service.try_login("ada@example.com", PASSWORD).await;
    assert_eq!(code(&former), "INVALID_CREDENTIALS");
    let spent = confirm(&service, None, json!({ "linkToken": mail.token() })).await;
    assert_eq!(code(&spent), "CHALLENGE_EXPIRED");
}

async fn a_change_is_taken_back_for_seven_days_whatever_happened_since(database: Database) {
    const NEW: &str = "velvet-kayak-hyphen-77";
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let thief = service.login("ada").await;
    ask(&service, &thief, "thief@example.com").await;
    let word = newest(&service, "notice-email-change").await;
    assert_eq!(word.to, "ada@example.com");
    let mail = newest(&service, "change").await;
    confirm(&service, Some(&thief), json!({ "linkToken": mail.token() })).await;
    const CHANGE: &str = "mutation($c: String!, $n: String!) {
        changePassword(input: { currentPassword: $c, newPassword: $n }) { errors { code } } }";
    service.send(Some(&thief.access), CHANGE, json!({ "c": PASSWORD, "n": NEW })).await;
    service.clock.advance(Duration::from_hours(7 * 24 - 1));
    let here = tokens(&service.try_login("ada", NEW).await).unwrap();
    let reverted = revert(&service, word.token()).await;
    assert!(reverted["endedCount"].as_u64().unwrap() >= 1, "{reverted}");
    assert_eq!(service.refusal(&here.access).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(code(&revert(&service, word.token()).await), "CHALLENGE_EXPIRED");
    // The password that was set since is the thief's.
    assert_eq!(code(&service.try_login("ada", NEW).await), "INVALID_CREDENTIALS");
    super::mailbox::request(&service, "requestPasswordReset", "ada@example.com").await;
    let reset = newest(&service, "reset").await;
    assert_eq!(reset.to, "ada@example.com");
    // Before the confirmation it stops the change.
    service.clock.advance(Duration::from_mins(1));
    verified(&service, "bob").await;
    let bob = service.login("bob").await;
    ask(&service, &bob, "bob2@example.com").await;
    let (mail, word) =
        (newest(&service, "change").await, newest(&service, "notice-email-change").await);
    assert_eq!(revert(&service, word.token()).await["errors"], json!([]));
    let stopped = confirm(&service, None, json!({ "linkToken": mail.token() })).await;
    assert_eq!(code(&stopped), "CHALLENGE_EXPIRED");
}

async fn a_taken_address_is_answered_alike(database: Database) {
    let service = Service::start(&database, "").await;
    for name in ["ada", "bob"] {
        verified(&service, name).await;
    }
    let ada = service.login("ada").await;
    let taken = ask(&service, &ada, "bob@example.com").await;
    let free = ask(&service, &ada, "bib@example.com").await;
    for payload in [&taken, &free] {
        assert_eq!(payload["challenge"]["sentTo"], "b***@example.com");
        assert_eq!(payload["errors"], json!([]));
    }
    assert_eq!(count(&service, "email-taken").await, 1);
    let sent: Vec<_> =
        mails(&service).await.into_iter().map(|mail| (mail.purpose, mail.to)).collect();
    assert!(sent.contains(&("email-taken".to_owned(), "bob@example.com".to_owned())), "{sent:?}");
}

async fn a_change_is_worthless_once_its_session_has_ended(database: Database) {
    const OUT: &str = "mutation($s: LogoutScope!) { logout(input: { scope: $s }) { endedCount } }";
    let mut service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let ada = service.login("ada").await;
    for scope in ["CURRENT", "OTHERS", "ALL"] {
        // The newest mail has a time of its own.
        service.pass(Duration::from_secs(1)).await;
        let thief = service.login("ada").await;
        let asked = ask(&service, &thief, "thief@example.com").await;
        let mail = newest(&service, "change").await;
        let by = if scope == "CURRENT" { &thief } else { &ada };
        service.send(Some(&by.access), OUT, json!({ "s": scope })).await;
        let code_proof = json!({ "code": { "code": mail.code(),
            "challengeToken": asked["challenge"]["challengeToken"] } });
        for proof in [json!({ "linkToken": mail.token() }), code_proof] {
            let refused = confirm(&service, None, proof).await;
            assert_eq!(code(&refused), "CHALLENGE_EXPIRED", "{scope}");
        }
        if scope != "ALL" {
            assert!(viewer(&service, &ada).await["pendingEmail"].is_null());
        }
    }
}

async fn an_address_that_is_taken_meanwhile_is_refused(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let ada = service.login("ada").await;
    ask(&service, &ada, "bob@example.com").await;
    let mail = newest(&service, "change").await;
    verified(&service, "bob").await;
    let refused = confirm(&service, Some(&ada), json!({ "linkToken": mail.token() })).await;
    assert_eq!(code(&refused), "EMAIL_TAKEN");
}

async fn the_former_address_stays_reserved_while_the_change_can_be_taken_back(database: Database) {
    let service = Service::start(&database, "--registration open").await;
    verified(&service, "ada").await;
    let ada = service.login("ada").await;
    ask(&service, &ada, "new@example.com").await;
    let mail = newest(&service, "change").await;
    confirm(&service, None, json!({ "linkToken": mail.token() })).await;
    let taken = super::mailbox::register(&service, "eve", Some("ada@example.com")).await;
    assert_eq!(code(&taken), "EMAIL_TAKEN");
    service.clock.advance(Duration::from_hours(7 * 24));
    let free = super::mailbox::register(&service, "eve", Some("ada@example.com")).await;
    assert!(tokens(&free).is_some(), "{free}");
}

async fn a_link_that_is_pressed_elsewhere_leaves_nobody_in_the_account(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("mallory", Role::User).await;
    let mallory = service.login("mallory").await;
    ask(&service, &mallory, "ada@example.com").await;
    let mail = newest(&service, "change").await;
    let done = confirm(&service, None, json!({ "linkToken": mail.token() })).await;
    assert_eq!(done["errors"], json!([]), "{done}");
    assert_eq!(service.refusal(&mallory.access).await.as_deref(), Some("SESSION_ENDED"));
    let refused = service.try_login("mallory", PASSWORD).await;
    assert_eq!(code(&refused), "INVALID_CREDENTIALS");
}

async fn once_the_owner_has_taken_the_address_back_the_thief_cannot(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let thief = service.login("ada").await;
    ask(&service, &thief, "thief1@example.com").await;
    let word = newest(&service, "notice-email-change").await;
    let link = newest(&service, "change").await;
    confirm(&service, Some(&thief), json!({ "linkToken": link.token() })).await;
    service.clock.advance(Duration::from_secs(1));
    ask(&service, &thief, "thief2@example.com").await;
    let of_thief = newest(&service, "notice-email-change").await;
    assert_eq!(of_thief.to, "thief1@example.com");
    assert_eq!(revert(&service, word.token()).await["errors"], json!([]));
    assert_eq!(code(&revert(&service, of_thief.token()).await), "CHALLENGE_EXPIRED");
    assert!(tokens(&service.try_login("ada@example.com", PASSWORD).await).is_some());
}

async fn the_requests_for_a_taken_and_a_free_address_differ_in_nothing(database: Database) {
    let service = Service::start(&database, "").await;
    for name in ["ada", "bea", "bob"] {
        verified(&service, name).await;
    }
    let mut seen = Vec::new();
    for (name, new) in [("ada", "bob@example.com"), ("bea", "bib@example.com")] {
        let user = service.login(name).await;
        ask(&service, &user, new).await;
        let pending = viewer(&service, &user).await["pendingEmail"] == new;
        let mut wrong = Vec::new();
        for _ in 0..6 {
            let proof = json!({ "code": { "code": "00000000" } });
            wrong.push(code(&confirm(&service, Some(&user), proof).await).to_owned());
        }
        seen.push((pending, wrong));
    }
    assert!(seen[0].0);
    assert_eq!(seen[0], seen[1]);
    assert_eq!(count(&service, "notice-email-change").await, 2);
}
