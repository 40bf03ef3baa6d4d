//! Recovery codes: each once, told to the user, and never enough to change factors.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::super::email::mailbox::{newest, verified};
use super::super::service::{Service, code, tokens};
use super::app::{
    App, access, authentication, enroll, first_step, login, reason, reauthenticate, second_step,
};
use crate::databases::{Database, on_both};

on_both!(
    a_recovery_code_logs_in_once_and_is_told_to_the_user,
    one_recovery_code_on_two_replicas_at_once_logs_in_once,
    a_recovery_code_reads_but_changes_no_factors,
    new_codes_replace_the_old_ones,
);

async fn with_app(service: &Service) -> App {
    verified(service, "ada").await;
    let ada = service.login("ada").await;
    enroll(service, &ada.access).await
}

async fn a_recovery_code_logs_in_once_and_is_told_to_the_user(database: Database) {
    let service = Service::start(&database, "").await;
    let app = with_app(&service).await;
    let paper = &app.recovery_codes[4];
    let typed = paper.to_lowercase().replace('-', "");
    let first = first_step(&service, "ada").await;
    let second = second_step(&service, &first, json!({ "recoveryCode": typed })).await;
    let (session, claims) = authentication(&service, &access(&second)).await;
    assert_eq!(session, json!({ "amr": ["pwd", "rc", "mfa"], "assurance": "MULTI_FACTOR" }));
    assert_eq!(claims["acr"], "urn:sallyport:multi-factor");
    const EVENTS: &str = "{ viewer { secondFactors { recoveryCodesLeft }
        auditEvents(filter: { kinds: [RECOVERY_CODE_USED] }) { nodes { session { isCurrent } } } } }";
    let read = service.send(Some(&access(&second)), EVENTS, Value::Null).await;
    let viewer = &read["data"]["viewer"];
    assert_eq!(viewer["secondFactors"]["recoveryCodesLeft"], 9);
    assert_eq!(viewer["auditEvents"]["nodes"], json!([{ "session": { "isCurrent": true } }]));
    let mail = newest(&service, "notice-recovery-code-used").await;
    assert_eq!(mail.to, "ada@example.com");
    assert!(format!("{mail:?}").contains("Number(9)"), "{mail:?}");
    let first = first_step(&service, "ada").await;
    let again = second_step(&service, &first, json!({ "recoveryCode": paper })).await;
    assert_eq!(code(&again), "INVALID_PROOF");
}

async fn one_recovery_code_on_two_replicas_at_once_logs_in_once(database: Database) {
    let service = Service::start(&database, "--throttle false").await;
    let other = Service::start_at(&database, "--throttle false", Arc::clone(&service.clock)).await;
    let app = with_app(&service).await;
    let mut challenges = Vec::new();
    for _ in 0..20 {
        challenges.push(first_step(&service, "ada").await);
    }
    let replicas = [&service, &other];
    let at_once = challenges.iter().enumerate().map(|(n, first)| {
        second_step(replicas[n % 2], first, json!({ "recoveryCode": app.recovery_codes[0] }))
    });
    let opened = join_all(at_once).await;
    assert_eq!(opened.iter().filter(|payload| tokens(payload).is_some()).count(), 1);
}

async fn a_recovery_code_reads_but_changes_no_factors(database: Database) {
    let mut service = Service::start(&database, "").await;
    let app = with_app(&service).await;
    let first = first_step(&service, "ada").await;
    let second =
        second_step(&service, &first, json!({ "recoveryCode": app.recovery_codes[0] })).await;
    let by_paper = access(&second);
    for change in ["removeTotp { errors { code } }", "renewRecoveryCodes { recoveryCodes }"] {
        let document = format!("mutation {{ {change} }}");
        let refused = service.send(Some(&by_paper), &document, Value::Null).await;
        assert_eq!(reason(&refused), "REAUTHENTICATION_REQUIRED", "{change}");
        let extensions = &refused["errors"][0]["extensions"];
        assert_eq!(extensions["assurance"], "MULTI_FACTOR");
        assert_eq!(extensions["maxAge"], 300);
    }
    // With the app it may.
    let code_now = app.next_code(&mut service).await;
    let strong =
        access(&reauthenticate(&service, &by_paper, json!({ "totpCode": code_now })).await);
    let renewed = service.send(
        Some(&strong),
        "mutation { renewRecoveryCodes { recoveryCodes } }",
        Value::Null,
    );
    let renewed = renewed.await;
    assert_eq!(
        renewed["data"]["renewRecoveryCodes"]["recoveryCodes"].as_array().unwrap().len(),
        10
    );
}

async fn new_codes_replace_the_old_ones(database: Database) {
    let mut service = Service::start(&database, "").await;
    let app = with_app(&service).await;
    let ada = login(&mut service, "ada", &app).await;
    const RENEW: &str = "mutation { renewRecoveryCodes { recoveryCodes errors { code } } }";
    let renewed = service.send(Some(&ada.access), RENEW, Value::Null).await;
    let codes = renewed["data"]["renewRecoveryCodes"]["recoveryCodes"].clone();
    newest(&service, "notice-recovery-codes").await;
    for (paper, is_right) in [(json!(app.recovery_codes[0]), false), (codes[0].clone(), true)] {
        let first = first_step(&service, "ada").await;
        let second = second_step(&service, &first, json!({ "recoveryCode": paper })).await;
        assert_eq!(tokens(&second).is_some(), is_right, "{second}");
    }
}
