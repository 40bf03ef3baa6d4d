//! Notices of changes to the verified address.

use std::time::Duration;

use sallyport::auth::{Admin, UserChanges};
use sallyport::domain::id::UserId;
use sallyport::domain::origin::Origin;
use serde_json::json;

use super::super::service::{PASSWORD, Service, code, tokens};
use super::mailbox::{count, mails, request, verified};
use crate::databases::{Database, on_both};

on_both!(
    a_login_from_a_new_device_is_told_once,
    changes_of_credentials_are_told,
    the_reuse_of_a_refresh_token_is_told_once,
    a_correction_of_the_address_loses_no_notice,
    nothing_is_told_to_an_address_that_is_not_verified,
);

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
                      (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";

async fn log_in_from(service: &Service, ip: &str, agent: &str) {
    const LOGIN: &str =
        "mutation($p: String!) { login(input: { username: \"ada\", password: $p }) {
        tokens { accessToken refreshToken } errors { code } } }";
    let answer = service.send_from((ip, agent), None, LOGIN, json!({ "p": PASSWORD })).await;
    assert!(tokens(&answer["data"]["login"]).is_some(), "{answer}");
}

async fn a_login_from_a_new_device_is_told_once(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    log_in_from(&service, "192.0.2.7", FIREFOX).await;
    assert_eq!(count(&service, "notice-new-login").await, 0, "the first one is no surprise");
    // A new version of the browser, and another browser in the same place.
    log_in_from(&service, "198.51.100.1", &FIREFOX.replace("145", "146")).await;
    log_in_from(&service, "192.0.2.7", SAFARI).await;
    assert_eq!(count(&service, "notice-new-login").await, 0);
    let service = Service::start(&database, "").await;
    let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                  Chrome/130.0.0.0 Safari/537.36";
    log_in_from(&service, "203.0.113.9", chrome).await;
    log_in_from(&service, "203.0.113.9", chrome).await;
    assert_eq!(count(&service, "notice-new-login").await, 1);
    let off = Service::start(&database, "--login-notices false").await;
    log_in_from(&off, "203.0.115.9", "curl/8.0").await;
    assert_eq!(count(&off, "notice-new-login").await, 1);
}

async fn changes_of_credentials_are_told(database: Database) {
    const NEW: &str = "velvet-kayak-hyphen-77";
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let ada = service.login("ada").await;
    const CHANGE: &str = "mutation($c: String!, $n: String!) {
        changePassword(input: { currentPassword: $c, newPassword: $n }) { errors { code } } }";
    service.send(Some(&ada.access), CHANGE, json!({ "c": PASSWORD, "n": NEW })).await;
    assert_eq!(count(&service, "notice-password-changed").await, 1);
    const DELETE: &str = "mutation { deleteAccount { errors { code } } }";
    service.send(Some(&ada.access), DELETE, json!({})).await;
    assert_eq!(count(&service, "notice-account-deleted").await, 1);
    assert!(mails(&service).await.iter().all(|mail| mail.to == "ada@example.com"));
}

async fn the_reuse_of_a_refresh_token_is_told_once(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let ada = service.login("ada").await;
    let next = tokens(&service.refresh(&ada.refresh, None).await).unwrap();
    service.clock.advance(Duration::from_mins(1));
    for outcome in ["REFRESH_TOKEN_REUSED", "SESSION_ENDED", "SESSION_ENDED"] {
        assert_eq!(code(&service.refresh(&ada.refresh, None).await), outcome);
    }
    assert_eq!(code(&service.refresh(&next.refresh, None).await), "SESSION_ENDED");
    assert_eq!(count(&service, "notice-refresh-reused").await, 1);
}

async fn nothing_is_told_to_an_address_that_is_not_verified(database: Database) {
    use sallyport::domain::user::Role;
    let service = Service::start(&database, "").await;
    service.make("ada@example.com", Role::User).await;
    let ada = service.login("ada@example.com").await;
    const CHANGE: &str = "mutation($c: String!, $n: String!) {
        changePassword(input: { currentPassword: $c, newPassword: $n }) { errors { code } } }";
    let sent = json!({ "c": PASSWORD, "n": "velvet-kayak-hyphen-77" });
    service.send(Some(&ada.access), CHANGE, sent).await;
    assert!(mails(&service).await.is_empty());
}

async fn a_correction_of_the_address_loses_no_notice(database: Database) {
    let service = Service::start(&database, "").await;
    let id = verified(&service, "ada").await;
    let user = UserId::parse(id.trim_start_matches("User:")).unwrap();
    let (by, accounts) = (Admin::operator(), &service.core.auth.accounts);
    let origin = Origin::default();
    accounts.set_password(by, user, "velvet-kayak-hyphen-77", origin.clone()).await.unwrap();
    request(&service, "requestEmailLogin", "ada").await;
    let changes = UserChanges { email: Some("new@example.com"), ..UserChanges::default() };
    accounts.update_user(by, user, changes, origin).await.unwrap();
    assert_eq!(count(&service, "notice-password-changed").await, 1);
    assert_eq!(count(&service, "login").await, 0, "the code is dead");
}
