//! A passkey as second step, and as fresh proof in a session.

use std::time::Duration;

use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::super::email::mailbox::{login_with_link, newest, request, verified};
use super::super::second_factors::app::{
    access, authentication, first_step, reason, second_step, try_second_step,
};
use super::super::service::{PASSWORD, Service, code, tokens};
use super::authenticator::{Browser, FLAGS, enroll};
use crate::databases::{Database, on_both};

on_both!(
    a_passkey_is_the_second_step_of_every_way_in,
    each_attempt_has_another_challenge,
    a_passkey_makes_a_session_fresh_and_phishing_resistant,
);

/// The options with the right to change them.
fn options(challenge: &Value) -> Value {
    let options = &challenge["passkeyOptions"];
    assert!(options.is_object(), "{challenge}");
    options.clone()
}

/// The first step with its passkey options.
async fn first(service: &Service) -> Value {
    const LOGIN: &str =
        "mutation($p: String!) { login(input: { username: \"ada\", password: $p }) {
        tokens { accessToken } errors { code message }
        challenge { challengeToken steps attemptsLeft passkeyOptions } } }";
    let answer = service.send(None, LOGIN, json!({ "p": PASSWORD })).await;
    answer["data"]["login"].clone()
}

async fn a_passkey_is_the_second_step_of_every_way_in(database: Database) {
    let service = Service::start(&database, FLAGS).await;
    verified(&service, "ada").await;
    let ada = service.login("ada").await;
    let mut browser = Browser::new();
    enroll(&service, &ada.access, &mut browser).await;
    let by_password = first(&service).await;
    assert_eq!(
        by_password["errors"][0]["message"],
        "Another step is needed to log in. Use a passkey, a code from the authenticator app, or a \
         recovery code."
    );
    let asked = options(&by_password["challenge"]);
    assert_eq!(asked["allowCredentials"].as_array().unwrap().len(), 1);
    let response = browser.get(&asked);
    let second = second_step(&service, &by_password, json!({ "passkey": response })).await;
    let (session, claims) = authentication(&service, &access(&second)).await;
    assert_eq!(session["amr"], json!(["pwd", "swk", "user", "mfa"]));
    assert_eq!(session["assurance"], "PHISHING_RESISTANT");
    assert_eq!(claims["acr"], "urn:sallyport:phishing-resistant");

    request(&service, "requestEmailLogin", "ada").await;
    let by_link = login_with_link(&service, newest(&service, "login").await.token(), None).await;
    assert_eq!(by_link["challenge"]["steps"], json!(["PASSKEY", "RECOVERY_CODE"]));
    // The client computes nothing: a wrong proof gives the options again.
    let wrong = try_wrong(&service, &by_link).await;
    let response = browser.get(&options(&wrong["challenge"]));
    let second = second_step(&service, &by_link, json!({ "passkey": response })).await;
    assert!(tokens(&second).is_some(), "{second}");
}

/// A wrong proof; the payload has the options of the next attempt.
async fn try_wrong(service: &Service, first: &Value) -> Value {
    const CONTINUE: &str = "mutation($t: String, $p: ProofInput!) {
        continueLogin(input: { challengeToken: $t, proof: $p }) { tokens { accessToken }
            challenge { challengeToken steps attemptsLeft passkeyOptions } errors { code } } }";
    let sent = json!({ "t": first["challenge"]["challengeToken"], "p": { "recoveryCode": "x" } });
    let answer = service.send(None, CONTINUE, sent).await;
    answer["data"]["continueLogin"].clone()
}

async fn each_attempt_has_another_challenge(database: Database) {
    let service = Service::start(&database, FLAGS).await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let mut browser = Browser::new();
    enroll(&service, &ada.access, &mut browser).await;
    let one = first(&service).await;
    let asked = options(&one["challenge"]);
    // A response for another login of the same account.
    let other = first(&service).await;
    let crossed = browser.get(&options(&other["challenge"]));
    let refused = second_step(&service, &one, json!({ "passkey": crossed })).await;
    assert_eq!(
        (code(&refused), &refused["challenge"]["attemptsLeft"]),
        ("INVALID_PROOF", &json!(4))
    );
    // The response for the attempt before.
    let stale = browser.get(&asked);
    let refused = second_step(&service, &one, json!({ "passkey": stale })).await;
    assert_eq!(code(&refused), "INVALID_PROOF");
    let wrong = try_wrong(&service, &one).await;
    assert_eq!(wrong["challenge"]["attemptsLeft"], 2);
    let right = browser.get(&options(&wrong["challenge"]));
    let done = second_step(&service, &one, json!({ "passkey": right.clone() })).await;
    assert!(tokens(&done).is_some(), "{done}");
    let again = try_second_step(
        &service,
        one["challenge"]["challengeToken"].as_str(),
        json!({ "passkey": right }),
    )
    .await;
    assert_eq!(code(&again["data"]["continueLogin"]), "CHALLENGE_EXPIRED");
    // Another user's passkey.
    service.make("bob", Role::User).await;
    let bob = service.login("bob").await;
    let mut others = Browser::new();
    enroll(&service, &bob.access, &mut others).await;
    let one = first(&service).await;
    let foreign = others.get(&options(&one["challenge"]));
    let refused = second_step(&service, &one, json!({ "passkey": foreign })).await;
    assert_eq!(code(&refused), "INVALID_PROOF");
    // A login that asks for something else.
    let single = first_step(&service, "nobody").await;
    assert_eq!(code(&single), "INVALID_CREDENTIALS");
}

async fn a_passkey_makes_a_session_fresh_and_phishing_resistant(database: Database) {
    let mut service = Service::start(&database, FLAGS).await;
    service.make("ada", Role::User).await;
    let (ada, other) = (service.login("ada").await, service.login("ada").await);
    let mut browser = Browser::counting();
    enroll(&service, &ada.access, &mut browser).await;
    service.pass(Duration::from_mins(6)).await;
    const REMOVE: &str = "mutation { renewRecoveryCodes { recoveryCodes } }";
    let refused = service.send(Some(&ada.access), REMOVE, Value::Null).await;
    assert_eq!(reason(&refused), "REAUTHENTICATION_REQUIRED");
    const BEGIN: &str = "mutation { beginReauthentication { errors { code }
        challenge { challengeToken steps passkeyOptions } } }";
    let begin = async |service: &Service, access: &str| {
        let answer = service.send(Some(access), BEGIN, Value::Null).await;
        answer["data"]["beginReauthentication"]["challenge"].clone()
    };
    let finish = async |service: &Service, access: &str, challenge: &Value, response: Value| {
        const REAUTHENTICATE: &str = "mutation($t: String, $c: WebAuthnJson!) {
            reauthenticate(input: { challengeToken: $t, proof: { passkey: $c } }) {
                tokens { accessToken } session { amr assurance } errors { code } } }";
        let sent = json!({ "t": challenge["challengeToken"], "c": response });
        let answer = service.send(Some(access), REAUTHENTICATE, sent).await;
        answer["data"]["reauthenticate"].clone()
    };
    let challenge = begin(&service, &ada.access).await;
    assert_eq!(challenge["steps"], json!(["PASSWORD", "PASSKEY", "RECOVERY_CODE"]));
    // In another session, and a second time.
    let response = browser.get(&options(&challenge));
    let elsewhere = finish(&service, &other.access, &challenge, response.clone()).await;
    assert_eq!(code(&elsewhere), "CHALLENGE_EXPIRED");
    let spent = finish(&service, &ada.access, &challenge, response).await;
    assert_eq!(code(&spent), "CHALLENGE_EXPIRED");
    let challenge = begin(&service, &ada.access).await;
    let response = browser.get(&options(&challenge));
    let done = finish(&service, &ada.access, &challenge, response).await;
    assert_eq!(done["session"]["assurance"], "PHISHING_RESISTANT", "{done}");
    assert_eq!(done["session"]["amr"], json!(["pwd", "hwk", "user", "mfa"]));
    let renewed = service.send(Some(&access(&done)), REMOVE, Value::Null).await;
    assert!(renewed["data"]["renewRecoveryCodes"]["recoveryCodes"].is_array(), "{renewed}");
}
