//! Requests by a name tell nothing about accounts.

use sallyport::auth::Admin;
use sallyport::domain::id::UserId;
use sallyport::domain::origin::Origin;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::super::service::Service;
use super::mailbox::{
    challenge_token, continue_login, mails, register, request, reset_by_code, verified,
};
use crate::databases::{Database, on_both};

on_both!(
    a_name_that_nobody_has_is_answered_like_an_accounts,
    a_challenge_of_nobody_behaves_like_any_other,
    a_taken_address_is_answered_like_a_free_one_and_its_owner_is_told,
);

/// The answer without what is random, and its length.
fn shape(payload: &Value) -> (Value, usize) {
    let length = payload.to_string().len();
    let mut payload = payload.clone();
    let challenge = payload["challenge"].as_object_mut().unwrap();
    assert_eq!(challenge["challengeToken"].as_str().unwrap().len(), 43);
    challenge.remove("challengeToken");
    challenge.remove("expiresAt");
    (payload, length)
}

async fn a_name_that_nobody_has_is_answered_like_an_accounts(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "adal").await;
    // An account without an address, and one that is deactivated.
    service.make("anna", Role::User).await;
    let id = verified(&service, "alma").await;
    let user = UserId::parse(id.trim_start_matches("User:")).unwrap();
    let (by, origin) = (Admin::operator(), Origin::default());
    service.core.auth.accounts.set_active(by, user, false, origin).await.unwrap();
    for mutation in ["requestEmailLogin", "requestPasswordReset"] {
        let known = shape(&request(&service, mutation, "adal").await);
        for name in ["nobo", "anna", "alma"] {
            assert_eq!(shape(&request(&service, mutation, name).await), known, "{name}");
        }
        let known = shape(&request(&service, mutation, "adal@example.com").await);
        let unknown = shape(&request(&service, mutation, "axxx@example.com").await);
        assert_eq!(known, unknown);
        for text in ["", "\t", &"x".repeat(2_000)] {
            request(&service, mutation, text).await;
        }
    }
    let sent: Vec<String> = mails(&service).await.into_iter().map(|mail| mail.to).collect();
    assert!(sent.iter().all(|to| to == "adal@example.com") && sent.len() == 3, "{sent:?}");
}

async fn a_challenge_of_nobody_behaves_like_any_other(database: Database) {
    let service = Service::start(&database, "--throttle false").await;
    verified(&service, "ada").await;
    let mut answers = Vec::new();
    for name in ["ada", "nobody"] {
        let mut told = Vec::new();
        let login = request(&service, "requestEmailLogin", name).await;
        let reset = request(&service, "requestPasswordReset", name).await;
        for _ in 0..6 {
            told.push(continue_login(&service, challenge_token(&login), "12345678").await);
            let password = "velvet-kayak-hyphen-77";
            told.push(reset_by_code(&service, challenge_token(&reset), "12345678", password).await);
        }
        for (n, answer) in told.iter_mut().take(10).enumerate() {
            // The client's own token again.
            let token = answer["challenge"]["challengeToken"].take();
            let asked = if n % 2 == 0 { &login } else { &reset };
            assert_eq!(token, challenge_token(asked));
        }
        answers.push(told);
    }
    assert_eq!(answers[0], answers[1]);
}

async fn a_taken_address_is_answered_like_a_free_one_and_its_owner_is_told(database: Database) {
    let flags = "--registration open --unverified-email refuse";
    let service = Service::start(&database, flags).await;
    verified(&service, "ada").await;
    let taken = register(&service, "eve1", Some("ada@example.com")).await;
    let free = register(&service, "eve2", Some("eve@example.com")).await;
    let shape = |payload: &Value| {
        let mut payload = payload.clone();
        let challenge = payload["challenge"].as_object_mut().unwrap();
        assert_eq!(challenge.remove("challengeToken").unwrap().as_str().unwrap().len(), 43);
        challenge.remove("sentTo");
        payload
    };
    assert_eq!(shape(&taken), shape(&free));
    assert_eq!(taken["errors"][0]["code"], "SECOND_STEP_REQUIRED");
    let sent: Vec<_> =
        mails(&service).await.into_iter().map(|mail| (mail.purpose, mail.to)).collect();
    let expected = [("verify", "eve@example.com"), ("email-taken", "ada@example.com")];
    let expected = expected.map(|(purpose, to)| (purpose.to_owned(), to.to_owned()));
    assert_eq!(sent, expected);
    // Nothing completes the challenge of the taken address.
    let refused = continue_login(&service, challenge_token(&taken), "12345678").await;
    assert_eq!(refused["errors"][0]["code"], "INVALID_PROOF");
    assert_eq!(refused["challenge"]["attemptsLeft"], json!(4));
    let (accounts, addresses) = ("SELECT count(*) FROM users", "SELECT count(email) FROM users");
    let mut raw = database.raw().await;
    assert_eq!((raw.number(accounts).await, raw.number(addresses).await), (3, 2));
}
