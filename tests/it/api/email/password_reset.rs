//! New passwords by the code or link of a mail.

use futures_util::future::join_all;
use serde_json::json;

use super::super::service::{PASSWORD, Service, code, tokens};
use super::mailbox::{
    challenge_token, continue_login, count, mails, newest, request, reset_by_code, reset_by_link,
    verified,
};
use crate::databases::{Database, on_both};

on_both!(
    a_reset_sets_the_password_ends_all_sessions_and_logs_in,
    a_weak_password_spends_nothing,
    requests_change_nothing,
    of_many_resets_by_one_code_at_once_one_sets_its_password,
    a_reset_makes_other_challenges_worthless,
);

const RESET: &str = "requestPasswordReset";
const NEW: &str = "velvet-kayak-hyphen-77";

async fn a_reset_sets_the_password_ends_all_sessions_and_logs_in(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let before = service.login("ada").await;
    let asked = request(&service, RESET, "ada").await;
    let mail = newest(&service, "reset").await;
    let done = reset_by_code(&service, challenge_token(&asked), mail.code(), NEW).await;
    let session = tokens(&done).unwrap_or_else(|| panic!("{done}"));
    assert_eq!(service.refusal(&session.access).await, None);
    assert_eq!(service.refusal(&before.access).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(code(&service.refresh(&before.refresh, None).await), "SESSION_ENDED");
    assert_eq!(code(&service.try_login("ada", PASSWORD).await), "INVALID_CREDENTIALS");
    assert!(tokens(&service.try_login("ada", NEW).await).is_some());
    const SESSIONS: &str =
        "{ viewer { sessions(filter: { state: ENDED }) { nodes { endReason } } } }";
    let ended = service.send(Some(&session.access), SESSIONS, json!({})).await;
    let expected = json!([{ "endReason": "PASSWORD_RESET" }]);
    assert_eq!(ended["data"]["viewer"]["sessions"]["nodes"], expected, "{ended}");
    assert_eq!(count(&service, "notice-password-reset").await, 1);
}

async fn a_weak_password_spends_nothing(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let asked = request(&service, RESET, "ada").await;
    let mail = newest(&service, "reset").await;
    for _ in 0..7 {
        let weak = reset_by_code(&service, challenge_token(&asked), mail.code(), "ada").await;
        assert_eq!(code(&weak), "WEAK_PASSWORD");
        assert_eq!(weak["errors"][0]["path"], json!(["input", "newPassword"]));
    }
    assert_eq!(code(&reset_by_link(&service, mail.token(), "ada").await), "WEAK_PASSWORD");
    assert!(tokens(&reset_by_link(&service, mail.token(), NEW).await).is_some());
    let spent = reset_by_code(&service, challenge_token(&asked), mail.code(), NEW).await;
    assert_eq!(code(&spent), "CHALLENGE_EXPIRED");
}

async fn requests_change_nothing(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let ada = service.login("ada").await;
    for _ in 0..5 {
        request(&service, RESET, "ada").await;
    }
    assert_eq!(service.refusal(&ada.access).await, None);
    assert!(tokens(&service.try_login("ada", PASSWORD).await).is_some());
}

async fn of_many_resets_by_one_code_at_once_one_sets_its_password(database: Database) {
    let flags = "--throttle false";
    let replicas = [Service::start(&database, flags).await, Service::start(&database, flags).await];
    verified(&replicas[0], "ada").await;
    let asked = request(&replicas[0], RESET, "ada").await;
    let mail = newest(&replicas[0], "reset").await;
    let passwords: Vec<String> = (0..8).map(|n| format!("{NEW}-{n}")).collect();
    let resets = join_all(passwords.iter().enumerate().map(|(n, password)| {
        reset_by_code(&replicas[n % 2], challenge_token(&asked), mail.code(), password)
    }))
    .await;
    let won: Vec<_> = resets.iter().map(|done| tokens(done).is_some()).collect();
    assert_eq!(won.iter().filter(|won| **won).count(), 1, "{resets:?}");
    for (password, won) in passwords.iter().zip(won) {
        let login = replicas[0].try_login("ada", password).await;
        assert_eq!(tokens(&login).is_some(), won, "{login}");
    }
}

async fn a_reset_makes_other_challenges_worthless(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let login = request(&service, "requestEmailLogin", "ada").await;
    let login_mail = newest(&service, "login").await;
    request(&service, RESET, "ada").await;
    let reset_mail = newest(&service, "reset").await;
    assert_eq!(mails(&service).await.len(), 2);
    assert!(tokens(&reset_by_link(&service, reset_mail.token(), NEW).await).is_some());
    let refused = continue_login(&service, challenge_token(&login), login_mail.code()).await;
    assert_eq!(code(&refused), "CHALLENGE_EXPIRED");
}
