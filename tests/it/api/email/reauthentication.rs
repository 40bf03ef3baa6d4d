//! Renewed proof by the code of a mail.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::service::{Service, code};
use super::mailbox::{newest, verified};
use crate::databases::{Database, on_both};

on_both!(a_code_renews_the_proof_of_its_session, a_code_needs_a_verified_address);

const BEGIN: &str = "mutation($s: Boolean!) { beginReauthentication(sendCode: $s) {
    challenge { challengeToken sentTo steps attemptsLeft } errors { code } } }";

const REAUTHENTICATE: &str = "mutation($t: String, $c: String!) {
    reauthenticate(input: { challengeToken: $t, proof: { emailCode: $c } }) {
        tokens { accessToken } errors { code } } }";

async fn a_code_renews_the_proof_of_its_session(database: Database) {
    let mut service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let (here, there) = (service.login("ada").await, service.login("ada").await);
    service.pass(Duration::from_mins(6)).await;
    let steps = service.send(Some(&here.access), BEGIN, json!({ "s": false })).await;
    let steps = &steps["data"]["beginReauthentication"]["challenge"];
    assert_eq!(steps["steps"], json!(["PASSWORD", "EMAIL_CODE"]), "{steps}");
    assert!(steps["challengeToken"].is_null() && steps["sentTo"].is_null());
    let asked = service.send(Some(&here.access), BEGIN, json!({ "s": true })).await;
    let token = &asked["data"]["beginReauthentication"]["challenge"]["challengeToken"];
    let mail = newest(&service, "reauthenticate").await;
    let sent = json!({ "t": token, "c": mail.code() });
    let stolen = service.send(Some(&there.access), REAUTHENTICATE, sent.clone()).await;
    assert_eq!(code(&stolen["data"]["reauthenticate"]), "CHALLENGE_EXPIRED");
    let done = service.send(Some(&here.access), REAUTHENTICATE, sent.clone()).await;
    let fresh = done["data"]["reauthenticate"]["tokens"]["accessToken"].as_str().unwrap();
    const EXPORT: &str = "mutation { exportAccount { errors { code } } }";
    let exported = service.send(Some(fresh), EXPORT, Value::Null).await;
    assert_eq!(exported["data"]["exportAccount"]["errors"], json!([]), "{exported}");
    let again = service.send(Some(&here.access), REAUTHENTICATE, sent).await;
    assert_eq!(code(&again["data"]["reauthenticate"]), "CHALLENGE_EXPIRED");
}

async fn a_code_needs_a_verified_address(database: Database) {
    use sallyport::domain::user::Role;
    let service = Service::start(&database, "").await;
    service.make("ada@example.com", Role::User).await;
    service.make("bob", Role::User).await;
    for (name, expected) in
        [("ada@example.com", "EMAIL_NOT_VERIFIED"), ("bob", "EMAIL_NOT_CONFIGURED")]
    {
        let user = service.login(name).await;
        let asked = service.send(Some(&user.access), BEGIN, json!({ "s": true })).await;
        assert_eq!(code(&asked["data"]["beginReauthentication"]), expected);
        let steps = service.send(Some(&user.access), BEGIN, json!({ "s": false })).await;
        let steps = &steps["data"]["beginReauthentication"]["challenge"]["steps"];
        assert_eq!(*steps, json!(["PASSWORD"]));
    }
}
