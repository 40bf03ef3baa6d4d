//! Devices on which a login needs no second factor.

use std::time::Duration;

use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::super::email::mailbox::{newest, request, verified};
use super::super::second_factors::app::{App, access, authentication, enroll, first_step};
use super::super::service::{PASSWORD, Service, Tokens, code, tokens};
use crate::databases::{Database, on_both};
use crate::http::browser::{OWN_PAGE, send};

on_both!(
    a_trusted_device_needs_no_second_factor_for_thirty_days,
    any_change_of_a_credential_ends_the_trust,
    a_user_sees_and_removes_the_own_devices_only,
    a_recovery_code_trusts_nothing_and_the_operator_may_switch_it_off,
    with_cookies_the_device_is_remembered_by_one,
);

const LOGIN: &str = "mutation($u: String!, $p: String!, $d: String) {
    login(input: { username: $u, password: $p, deviceToken: $d }) {
        tokens { accessToken refreshToken } challenge { steps challengeToken trustDeviceSeconds }
        errors { code } } }";

async fn login_on(service: &Service, username: &str, device: &str) -> Value {
    let sent = json!({ "u": username, "p": PASSWORD, "d": device });
    service.send(None, LOGIN, sent).await["data"]["login"].clone()
}

async fn continue_and_trust(service: &Service, first: &Value, proof: Value) -> Value {
    const CONTINUE: &str = "mutation($t: String, $p: ProofInput!) {
        continueLogin(input: { challengeToken: $t, proof: $p, trustDevice: true }) {
            tokens { accessToken refreshToken } deviceToken errors { code } } }";
    let sent = json!({ "t": first["challenge"]["challengeToken"], "p": proof });
    service.send(None, CONTINUE, sent).await["data"]["continueLogin"].clone()
}

/// An account with an app, and the token of a device that it trusts.
async fn trusted(service: &mut Service) -> (App, String, Tokens) {
    verified(service, "ada").await;
    let ada = service.login("ada").await;
    let app = enroll(service, &ada.access).await;
    let code_now = app.next_code(service).await;
    let first = first_step(service, "ada").await;
    let done = continue_and_trust(service, &first, json!({ "totpCode": code_now })).await;
    let device = done["deviceToken"].as_str().unwrap_or_else(|| panic!("{done}")).to_owned();
    (app, device, tokens(&done).unwrap())
}

async fn a_trusted_device_needs_no_second_factor_for_thirty_days(database: Database) {
    let mut service = Service::start(&database, "").await;
    let (_, device, _) = trusted(&mut service).await;
    let here = login_on(&service, "ada", &device).await;
    let (session, _) = authentication(&service, &access(&here)).await;
    assert_eq!(session, json!({ "amr": ["pwd"], "assurance": "SINGLE_FACTOR" }));
    let untrusted = login_on(&service, "ada", "x").await;
    assert_eq!(code(&untrusted), "SECOND_STEP_REQUIRED");
    assert_eq!(untrusted["challenge"]["trustDeviceSeconds"], 30 * 24 * 60 * 60);
    assert_eq!(code(&service.try_login("ada", PASSWORD).await), "SECOND_STEP_REQUIRED");
    // A link of a mail is a first step, too.
    request(&service, "requestEmailLogin", "ada").await;
    let link = newest(&service, "login").await.token().to_owned();
    const LINK: &str = "mutation($l: String!, $d: String) {
        loginWithLink(input: { linkToken: $l, deviceToken: $d }) { tokens { accessToken }
            errors { code } } }";
    let by_link = service.send(None, LINK, json!({ "l": link, "d": device })).await;
    assert!(by_link["data"]["loginWithLink"]["tokens"].is_object(), "{by_link}");
    // Of another account it is worth nothing.
    service.make("bob", Role::User).await;
    let bob = service.login("bob").await;
    enroll(&service, &bob.access).await;
    assert_eq!(code(&login_on(&service, "bob", &device).await), "SECOND_STEP_REQUIRED");
    service.pass(Duration::from_hours(24 * 30)).await;
    assert_eq!(code(&login_on(&service, "ada", &device).await), "SECOND_STEP_REQUIRED");
}

async fn any_change_of_a_credential_ends_the_trust(database: Database) {
    const OTHER: &str = "velvet-kayak-hyphen-77";
    const CHANGE: &str = "mutation($c: String!, $n: String!) {
        changePassword(input: { currentPassword: $c, newPassword: $n }) { errors { code } } }";
    let mut service = Service::start(&database, "").await;
    let (app, device, session) = trusted(&mut service).await;
    for (from, to) in [(PASSWORD, OTHER), (OTHER, PASSWORD)] {
        let sent = json!({ "c": from, "n": to });
        let changed = service.send(Some(&session.access), CHANGE, sent).await;
        assert_eq!(changed["data"]["changePassword"]["errors"], json!([]), "{changed}");
    }
    assert_eq!(code(&login_on(&service, "ada", &device).await), "SECOND_STEP_REQUIRED");

    let code_now = app.next_code(&mut service).await;
    let first = first_step(&service, "ada").await;
    let done = continue_and_trust(&service, &first, json!({ "totpCode": code_now })).await;
    let device = done["deviceToken"].as_str().unwrap();
    assert!(tokens(&login_on(&service, "ada", device).await).is_some());
    let renewed = service
        .send(
            Some(&access(&done)),
            "mutation { renewRecoveryCodes { errors { code } } }",
            Value::Null,
        )
        .await;
    assert_eq!(renewed["data"]["renewRecoveryCodes"]["errors"], json!([]), "{renewed}");
    assert_eq!(code(&login_on(&service, "ada", device).await), "SECOND_STEP_REQUIRED");
}

async fn a_user_sees_and_removes_the_own_devices_only(database: Database) {
    let mut service = Service::start(&database, "").await;
    let (_, device, session) = trusted(&mut service).await;
    const DEVICES: &str =
        "{ viewer { secondFactors { trustedDevices { id name createdAt expiresAt } }
            auditEvents(filter: { kinds: [DEVICE_TRUSTED] }) { nodes { session { isCurrent } } } } }";
    let read = service.send(Some(&session.access), DEVICES, Value::Null).await;
    let devices = &read["data"]["viewer"]["secondFactors"]["trustedDevices"];
    assert_eq!(devices[0]["name"], "Laptop", "{read}");
    let events = &read["data"]["viewer"]["auditEvents"]["nodes"];
    assert_eq!(*events, json!([{ "session": { "isCurrent": true } }]));
    const REMOVE: &str =
        "mutation($id: ID!) { removeTrustedDevice(input: { trustedDeviceId: $id }) {
        user { secondFactors { trustedDevices { id } } } errors { code path } } }";
    service.make("bob", Role::User).await;
    let bob = service.login("bob").await;
    let id = json!({ "id": devices[0]["id"] });
    let foreign = service.send(Some(&bob.access), REMOVE, id.clone()).await;
    assert_eq!(code(&foreign["data"]["removeTrustedDevice"]), "NOT_FOUND");
    const NODE: &str = "query($id: ID!) { node(id: $id) { id } }";
    let seen = service.send(Some(&bob.access), NODE, id.clone()).await;
    assert!(seen["data"]["node"].is_null());
    let seen = service.send(Some(&session.access), NODE, id.clone()).await;
    assert_eq!(seen["data"]["node"]["id"], id["id"]);
    let removed = service.send(Some(&session.access), REMOVE, id).await;
    let left = &removed["data"]["removeTrustedDevice"]["user"]["secondFactors"]["trustedDevices"];
    assert_eq!(*left, json!([]), "{removed}");
    assert_eq!(code(&login_on(&service, "ada", &device).await), "SECOND_STEP_REQUIRED");
}

async fn a_recovery_code_trusts_nothing_and_the_operator_may_switch_it_off(database: Database) {
    let mut service = Service::start(&database, "").await;
    let (app, device, _) = trusted(&mut service).await;
    let first = first_step(&service, "ada").await;
    let paper = json!({ "recoveryCode": app.recovery_codes[0] });
    let done = continue_and_trust(&service, &first, paper).await;
    assert!(done["tokens"].is_object() && done["deviceToken"].is_null(), "{done}");
    let off = "--trusted-device-lifetime off";
    let mut off = Service::start_at(&database, off, service.clock.clone()).await;
    let untrusted = login_on(&off, "ada", &device).await;
    assert_eq!(code(&untrusted), "SECOND_STEP_REQUIRED");
    assert!(untrusted["challenge"]["trustDeviceSeconds"].is_null());
    let code_now = app.next_code(&mut off).await;
    let first = first_step(&off, "ada").await;
    let done = continue_and_trust(&off, &first, json!({ "totpCode": code_now })).await;
    assert!(done["tokens"].is_object() && done["deviceToken"].is_null(), "{done}");
}

async fn with_cookies_the_device_is_remembered_by_one(database: Database) {
    let mut service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let app = enroll(&service, &ada.access).await;
    const WITH_COOKIE: &str = "mutation($u: String!, $p: String!) {
        login(input: { username: $u, password: $p, transport: COOKIE }) {
            tokens { accessToken } challenge { steps } errors { code } } }";
    const CONTINUE: &str = "mutation($c: String!) {
        continueLogin(input: { proof: { totpCode: $c }, trustDevice: true }) {
            tokens { accessToken } deviceToken errors { code } } }";
    let credentials = json!({ "u": "ada", "p": PASSWORD });
    let first = send(&service, OWN_PAGE, WITH_COOKIE, credentials.clone()).await;
    let set = |answer: &crate::http::browser::Answer, name: &str| {
        let all = answer.headers.get_all("set-cookie").iter();
        let all: Vec<_> = all.map(|value| value.to_str().unwrap().to_owned()).collect();
        let found = all.iter().find(|set| set.starts_with(name));
        found.unwrap_or_else(|| panic!("{all:?}")).split(';').next().unwrap().to_owned()
    };
    let cookie = set(&first, "__Host-sallyport-login=");
    let code_now = app.next_code(&mut service).await;
    let headers = [OWN_PAGE, &[("cookie", cookie.as_str())]].concat();
    let done = send(&service, &headers, CONTINUE, json!({ "c": code_now })).await;
    assert!(done.payload()["deviceToken"].is_null(), "{done:?}");
    let cookie = set(&done, "__Host-sallyport-device=");
    let headers = [OWN_PAGE, &[("cookie", cookie.as_str())]].concat();
    let here = send(&service, &headers, WITH_COOKIE, credentials.clone()).await;
    assert!(!here.access().is_empty());
    // A page of another site cannot use it.
    let foreign = [("cookie", cookie.as_str()), ("origin", "https://evil.example")];
    const BODY: &str = "mutation($u: String!, $p: String!) {
        login(input: { username: $u, password: $p }) { tokens { accessToken } errors { code } } }";
    let there = send(&service, &foreign, BODY, credentials).await;
    assert!(there.payload()["tokens"].is_null(), "{there:?}");
}
