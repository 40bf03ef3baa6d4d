//! The first proof of an address ends what was there before it, unless it comes from where the account was
//! registered.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use super::super::service::{PASSWORD, Service, Tokens, code, tokens};
use super::mailbox::{
    challenge_token, continue_login, login_with_link, newest, register, request, reset_by_link,
    verify_by_link,
};
use crate::databases::{Database, on_both};

on_both!(
    whoever_registered_the_address_of_another_is_out_once_its_owner_logs_in,
    whoever_registered_the_address_of_another_is_out_once_its_owner_verifies_it,
    whoever_registered_the_address_of_another_is_out_once_its_owner_resets_the_password,
    the_link_of_a_login_that_another_person_began_strips_the_account,
    a_session_or_the_token_of_the_registration_shows_the_same_browser,
    the_cookie_of_the_registration_shows_the_same_browser,
    a_second_proof_ends_nothing,
);

const OPEN: &str = "--registration open";

/// The session of somebody who registered Ada's address.
async fn mallory(service: &Service) -> Tokens {
    let registered = register(service, "mallory", Some("ada@example.com")).await;
    tokens(&registered).unwrap_or_else(|| panic!("{registered}"))
}

async fn assert_out(service: &Service, mallory: &Tokens) {
    assert_eq!(service.refusal(&mallory.access).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(code(&service.refresh(&mallory.refresh, None).await), "SESSION_ENDED");
    let by_password = service.try_login("mallory", PASSWORD).await;
    assert_eq!(code(&by_password), "INVALID_CREDENTIALS");
}

async fn whoever_registered_the_address_of_another_is_out_once_its_owner_logs_in(
    database: Database,
) {
    for by_link in [false, true] {
        let service = Service::start(&database, OPEN).await;
        let thief = if by_link {
            let registered = register(&service, "mallory2", Some("eva@example.com")).await;
            tokens(&registered).unwrap()
        } else {
            mallory(&service).await
        };
        let address = if by_link { "eva@example.com" } else { "ada@example.com" };
        let asked = request(&service, "requestEmailLogin", address).await;
        let mail = newest(&service, "login").await;
        let done = if by_link {
            login_with_link(&service, mail.token(), None).await
        } else {
            continue_login(&service, challenge_token(&asked), mail.code()).await
        };
        let owner = tokens(&done).unwrap_or_else(|| panic!("{done}"));
        assert_eq!(service.refusal(&owner.access).await, None);
        assert_eq!(service.refusal(&thief.access).await.as_deref(), Some("SESSION_ENDED"));
        if !by_link {
            assert_out(&service, &thief).await;
        }
    }
}

async fn whoever_registered_the_address_of_another_is_out_once_its_owner_verifies_it(
    database: Database,
) {
    let service = Service::start(&database, OPEN).await;
    let thief = mallory(&service).await;
    let mail = newest(&service, "verify").await;
    let done = verify_by_link(&service, None, mail.token(), None).await;
    assert_eq!(done["endedCount"], 1, "{done}");
    assert!(done["user"].is_null(), "whoever has the link only sees nothing of the account");
    assert_out(&service, &thief).await;
}

async fn whoever_registered_the_address_of_another_is_out_once_its_owner_resets_the_password(
    database: Database,
) {
    let service = Service::start(&database, OPEN).await;
    let thief = mallory(&service).await;
    request(&service, "requestPasswordReset", "ada@example.com").await;
    let mail = newest(&service, "reset").await;
    let done = reset_by_link(&service, mail.token(), "velvet-kayak-hyphen-77").await;
    assert!(done["user"]["emailVerifiedAt"].is_string(), "{done}");
    assert_out(&service, &thief).await;
}

/// A right password of an unverified account mails a code and a link. Whoever knows the password may not be
/// the owner of the address.
async fn the_link_of_a_login_that_another_person_began_strips_the_account(database: Database) {
    let service = Service::start(&database, "--registration open --unverified-email refuse").await;
    for (name, is_same) in [("ada", false), ("bob", true)] {
        register(&service, name, Some(&format!("{name}@example.com"))).await;
        service.clock.advance(Duration::from_millis(1));
        let begun = service.try_login(name, PASSWORD).await;
        assert_eq!(code(&begun), "SECOND_STEP_REQUIRED", "{begun}");
        let mail = newest(&service, "login").await;
        assert_eq!(mail.to, format!("{name}@example.com"));
        let shown = is_same.then(|| challenge_token(&begun));
        let done = login_with_link(&service, mail.token(), shown).await;
        assert!(tokens(&done).is_some(), "{done}");
        let again = service.try_login(name, PASSWORD).await;
        assert_eq!(tokens(&again).is_some(), is_same, "{again}");
    }
}

async fn a_session_or_the_token_of_the_registration_shows_the_same_browser(database: Database) {
    let service = Service::start(&database, OPEN).await;
    let ada = tokens(&register(&service, "ada", Some("ada@example.com")).await).unwrap();
    let mail = newest(&service, "verify").await;
    let done = verify_by_link(&service, Some(&ada.access), mail.token(), None).await;
    assert_eq!(done["endedCount"], 0, "{done}");
    assert_eq!(service.refusal(&ada.access).await, None);
    assert!(tokens(&service.try_login("ada", PASSWORD).await).is_some());

    let service = Service::start(&database, "--registration open --unverified-email refuse").await;
    let asked = register(&service, "bob", Some("bob@example.com")).await;
    let mail = newest(&service, "verify").await;
    let done = verify_by_link(&service, None, mail.token(), Some(challenge_token(&asked))).await;
    assert_eq!(done["errors"], json!([]), "{done}");
    assert!(tokens(&service.try_login("bob", PASSWORD).await).is_some(), "the password stays");
    // The token of another account's registration shows nothing.
    let other = register(&service, "eve", Some("eve@example.com")).await;
    register(&service, "joe", Some("joe@example.com")).await;
    let mail = newest(&service, "verify").await;
    assert_eq!(mail.to, "joe@example.com");
    verify_by_link(&service, None, mail.token(), Some(challenge_token(&other))).await;
    let refused = service.try_login("joe", PASSWORD).await;
    assert_eq!(code(&refused), "INVALID_CREDENTIALS");
}

async fn the_cookie_of_the_registration_shows_the_same_browser(database: Database) {
    let service = Service::start(&database, OPEN).await;
    const REGISTER: &str = "mutation($p: String!) { register(input: { username: \"ada\",
        email: \"ada@example.com\", password: $p, transport: COOKIE }) { errors { code } } }";
    let post = |text: &str, variables: Value, cookies: &str| {
        let body = json!({ "query": text, "variables": variables }).to_string();
        Request::post("/graphql")
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-sallyport-csrf", "1")
            .header(header::COOKIE, cookies)
            .body(Body::from(body))
            .unwrap()
    };
    let response = service.answer(post(REGISTER, json!({ "p": PASSWORD }), "")).await;
    let set: Vec<String> = response
        .headers()
        .get_all(header::SET_COOKIE)
        .iter()
        .map(|value| value.to_str().unwrap().to_owned())
        .collect();
    let login = set.iter().find(|cookie| cookie.starts_with("__Host-sallyport-login=")).unwrap();
    for attribute in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(login.contains(attribute), "{login}");
    }
    let cookie = login.split(';').next().unwrap();
    let mail = newest(&service, "verify").await;
    const VERIFY: &str = "mutation($l: String!) { verifyEmail(
        input: { proof: { linkToken: $l } }) { endedCount errors { code } } }";
    let (_, done) = service.call(post(VERIFY, json!({ "l": mail.token() }), cookie)).await;
    let expected = json!({ "endedCount": 0, "errors": [] });
    assert_eq!(done["data"]["verifyEmail"], expected, "{done}");
    assert!(tokens(&service.try_login("ada", PASSWORD).await).is_some());
}

async fn a_second_proof_ends_nothing(database: Database) {
    let service = Service::start(&database, "").await;
    super::mailbox::verified(&service, "ada").await;
    let ada = service.login("ada").await;
    request(&service, "requestEmailLogin", "ada").await;
    let mail = newest(&service, "login").await;
    assert!(tokens(&login_with_link(&service, mail.token(), None).await).is_some());
    assert_eq!(service.refusal(&ada.access).await, None);
    assert!(tokens(&service.try_login("ada", PASSWORD).await).is_some());
}
