//! Registration of passkeys.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::super::email::mailbox::{count, verified};
use super::super::second_factors::app::{access, first_step, reason};
use super::super::service::{PASSWORD, Service, code, tokens};
use super::authenticator::{BE, Browser, FLAGS, begin_registration, enroll, login, register};
use crate::databases::{Database, on_both};

on_both!(
    a_passkey_is_the_first_factor_with_recovery_codes_and_is_told_to_the_user,
    a_registration_that_is_begun_leaves_nothing,
    a_challenge_registers_once_even_after_a_failed_try_and_in_its_session_only,
    what_the_specification_refuses_is_refused,
    one_authenticator_registers_once_over_all_accounts,
    a_passkey_is_added_during_a_login_that_needs_a_factor,
    where_there_are_no_passkeys_the_answer_says_so,
    of_registrations_at_once_on_two_replicas_one_adds_the_first_factor,
);

async fn begun(service: &Service, access: &str) -> Value {
    let begun = begin_registration(service, Some(access), None).await;
    begun["data"]["beginPasskeyRegistration"].clone()
}

async fn a_passkey_is_the_first_factor_with_recovery_codes_and_is_told_to_the_user(
    database: Database,
) {
    let service = Service::start(&database, FLAGS).await;
    verified(&service, "ada").await;
    let ada = service.login("ada").await;
    let mut browser = Browser::new();
    let begun = begun(&service, &ada.access).await;
    let options = &begun["options"];
    assert_eq!(options["rp"]["id"], "auth.example.com");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["user"]["name"], "ada");
    let done = register(&service, Some(&ada.access), &begun, browser.create(options)).await;
    assert_eq!(done["recoveryCodes"].as_array().unwrap().len(), 10, "{done}");
    let passkey = &done["passkey"];
    assert_eq!((&passkey["name"], &passkey["isSynced"]), (&json!("Phone"), &json!(true)));
    assert_eq!(passkey["transports"], json!(["hybrid", "internal"]));
    assert!(passkey["lastUsedAt"].is_null() && passkey["createdAt"].is_string());
    assert_eq!(count(&service, "notice-factor-added").await, 1);
    let first = first_step(&service, "ada").await;
    assert_eq!(first["challenge"]["steps"], json!(["PASSKEY", "RECOVERY_CODE"]), "{first}");
    // The second one excludes the first, has the same user handle, and gives no recovery codes.
    let strong = access(&login(&service, &mut browser).await);
    let again = self::begun(&service, &strong).await;
    assert_eq!(again["options"]["user"]["id"], options["user"]["id"]);
    assert_eq!(again["options"]["excludeCredentials"][0]["id"], passkey["credentialId"]);
    let (_, codes) = enroll(&service, &strong, &mut Browser::counting()).await;
    assert!(codes.is_null());
    const READ: &str = "query($id: ID!) { viewer { secondFactors { passkeyRpId passkeyUserHandle
        passkeys { id name isSynced } } } node(id: $id) { ... on Passkey { name } } }";
    let read = service.send(Some(&strong), READ, json!({ "id": passkey["id"] })).await;
    let factors = &read["data"]["viewer"]["secondFactors"];
    assert_eq!(factors["passkeys"].as_array().unwrap().len(), 2);
    assert_eq!(factors["passkeyRpId"], "auth.example.com");
    assert_eq!(factors["passkeyUserHandle"], options["user"]["id"]);
    assert_eq!(read["data"]["node"]["name"], "Phone");
    // Nobody else sees it.
    service.make("bob", Role::User).await;
    let bob = service.login("bob").await;
    let read = service.send(Some(&bob.access), READ, json!({ "id": passkey["id"] })).await;
    assert!(read["data"]["node"].is_null(), "{read}");
}

async fn a_registration_that_is_begun_leaves_nothing(database: Database) {
    let service = Service::start(&database, FLAGS).await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let mut raw = database.raw().await;
    let rows = "SELECT (SELECT count(*) FROM spent_tokens) + (SELECT count(*) FROM passkey_handles) \
                + (SELECT count(*) FROM challenges) + (SELECT count(*) FROM second_factors)";
    for _ in 0..20 {
        begun(&service, &ada.access).await;
        super::authenticator::begin_login(&service).await;
    }
    assert_eq!(raw.number(rows).await, 0);
    assert!(tokens(&service.try_login("ada", PASSWORD).await).is_some());
}

async fn a_challenge_registers_once_even_after_a_failed_try_and_in_its_session_only(
    database: Database,
) {
    let mut service = Service::start(&database, FLAGS).await;
    service.make("ada", Role::User).await;
    let (ada, other) = (service.login("ada").await, service.login("ada").await);
    let mut browser = Browser::new();
    let begun = begun(&service, &ada.access).await;
    let response = browser.create(&begun["options"]);
    // In another session of the same user.
    let elsewhere = register(&service, Some(&other.access), &begun, response.clone()).await;
    assert_eq!(code(&elsewhere), "CHALLENGE_EXPIRED");
    // It is used up by that.
    let again = register(&service, Some(&ada.access), &begun, response).await;
    assert_eq!(code(&again), "CHALLENGE_EXPIRED");
    // After a response that is refused.
    let begun = self::begun(&service, &ada.access).await;
    let bad =
        Browser { origin: "https://evil.example", ..Browser::new() }.create(&begun["options"]);
    let refused = register(&service, Some(&ada.access), &begun, bad).await;
    assert_eq!(code(&refused), "INVALID_PROOF");
    assert_eq!(refused["errors"][0]["path"], json!(["input", "credential"]));
    let right = browser.create(&begun["options"]);
    assert_eq!(
        code(&register(&service, Some(&ada.access), &begun, right).await),
        "CHALLENGE_EXPIRED"
    );
    // After ten minutes.
    let begun = self::begun(&service, &ada.access).await;
    service.pass(Duration::from_mins(10)).await;
    let right = browser.create(&begun["options"]);
    assert_eq!(
        code(&register(&service, Some(&ada.access), &begun, right).await),
        "CHALLENGE_EXPIRED"
    );
    // The challenge of a login.
    let login = super::authenticator::begin_login(&service).await;
    let options = json!({ "challenge": login["options"]["challenge"],
        "rp": { "id": "auth.example.com" }, "user": { "id": "AAAA" } });
    let crossed = register(&service, Some(&ada.access), &login, browser.create(&options)).await;
    assert_eq!(code(&crossed), "CHALLENGE_EXPIRED");
}

async fn what_the_specification_refuses_is_refused(database: Database) {
    let service = Service::start(&database, FLAGS).await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    for (what, mut browser) in [
        (
            "foreign origin",
            Browser { origin: "https://auth.example.com.evil.example", ..Browser::new() },
        ),
        ("without TLS", Browser { origin: "http://auth.example.com", ..Browser::new() }),
        ("user not verified", Browser { flags: 0x01, ..Browser::new() }),
        ("user not present", Browser { flags: 0x04, ..Browser::new() }),
        ("backed up but not eligible", Browser { flags: 0x15, ..Browser::new() }),
    ] {
        let begun = begun(&service, &ada.access).await;
        let response = browser.create(&begun["options"]);
        let refused = register(&service, Some(&ada.access), &begun, response).await;
        assert_eq!(code(&refused), "INVALID_PROOF", "{what}");
    }
    for response in [json!({}), json!({ "id": "x" }), json!({ "id": "A".repeat(20_000) })] {
        let begun = begun(&service, &ada.access).await;
        let refused = register(&service, Some(&ada.access), &begun, response).await;
        assert_eq!(code(&refused), "INVALID_PROOF");
    }
    assert_eq!(BE, 0x08);
    assert!(tokens(&service.try_login("ada", PASSWORD).await).is_some());
}

async fn one_authenticator_registers_once_over_all_accounts(database: Database) {
    let service = Service::start(&database, FLAGS).await;
    let mut browser = Browser::new();
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    enroll(&service, &ada.access, &mut browser).await;
    service.make("bob", Role::User).await;
    let bob = service.login("bob").await;
    let begun = begun(&service, &bob.access).await;
    let response = browser.create(&begun["options"]);
    let refused = register(&service, Some(&bob.access), &begun, response).await;
    assert_eq!(code(&refused), "INVALID_PROOF");
    assert!(tokens(&service.try_login("bob", PASSWORD).await).is_some());
}

async fn a_passkey_is_added_during_a_login_that_needs_a_factor(database: Database) {
    let flags = format!("{FLAGS} --second-factor required");
    let service = Service::start(&database, &flags).await;
    service.make("ada", Role::User).await;
    let first = first_step(&service, "ada").await;
    let token = first["challenge"]["challengeToken"].as_str();
    let begun = begin_registration(&service, None, token).await;
    let begun = &begun["data"]["beginPasskeyRegistration"];
    let mut browser = Browser::counting();
    let done = register(&service, None, begun, browser.create(&begun["options"])).await;
    let fresh = access(&done["login"]);
    assert_eq!(done["recoveryCodes"].as_array().unwrap().len(), 10);
    let (session, claims) =
        super::super::second_factors::app::authentication(&service, &fresh).await;
    assert_eq!(session["amr"], json!(["pwd", "hwk", "user", "mfa"]));
    assert_eq!(
        (&session["assurance"], &claims["acr"]),
        (&json!("MULTI_FACTOR"), &json!("urn:sallyport:multi-factor"))
    );
    assert_eq!(done["passkey"]["isSynced"], false);
    access(&login(&service, &mut browser).await);
}

async fn where_there_are_no_passkeys_the_answer_says_so(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    assert_eq!(code(&begun(&service, &ada.access).await), "FORBIDDEN");
    assert_eq!(code(&super::authenticator::begin_login(&service).await), "FORBIDDEN");
    assert_eq!(reason(&begin_registration(&service, None, None).await), "NO_TOKEN");
}

async fn of_registrations_at_once_on_two_replicas_one_adds_the_first_factor(database: Database) {
    let service = Service::start(&database, FLAGS).await;
    let other = Service::start_at(&database, FLAGS, Arc::clone(&service.clock)).await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let mut begun_ones = Vec::new();
    for _ in 0..10 {
        let begun = begun(&service, &ada.access).await;
        let response = Browser::new().create(&begun["options"]);
        begun_ones.push((begun, response));
    }
    let replicas = [&service, &other];
    let at_once = begun_ones.into_iter().enumerate().map(async |(n, (begun, response))| {
        register(replicas[n % 2], Some(&ada.access), &begun, response).await
    });
    let done = join_all(at_once).await;
    let added: Vec<_> = done.iter().filter(|done| !done["passkey"].is_null()).collect();
    assert_eq!(added.len(), 1, "the others were begun with other factors: {done:?}");
    assert_eq!(added[0]["recoveryCodes"].as_array().unwrap().len(), 10);
}
