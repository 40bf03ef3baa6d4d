//! Refresh tokens of the old site at the endpoints.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::json;

use super::client::{
    BLACKLISTED, DONE, ENDPOINTS, EXPIRED, INVALID, VERIFIED_BLACKLISTED, WRONG_TYPE, blacklist,
    deactivate, pair, refresh, verify,
};
use crate::api::foreign_tokens::old_site::{self, MINUTE, OldSite, sign, sign_with};
use crate::api::service::Service;
use crate::databases::{Database, on_both};

on_both!(
    an_old_token_is_exchanged_once_and_then_blacklisted,
    at_a_site_without_rotation_an_old_token_goes_on,
    an_old_token_logs_out_before_and_after_its_exchange,
    old_tokens_that_are_not_accepted_are_refused_as_by_simplejwt,
    an_old_token_of_a_deactivated_account_is_told_so,
);

async fn with_old_site(database: &Database) -> (OldSite, Service) {
    let site = OldSite::new("");
    let service = site.service(database, ENDPOINTS).await;
    (site, service)
}

async fn an_old_token_is_exchanged_once_and_then_blacklisted(database: Database) {
    let (site, service) = with_old_site(&database).await;
    let old = site.outstanding(&database, "one").await;
    verify(&service, &old).await.is(DONE);
    let tokens = pair(&refresh(&service, &old).await);
    assert_eq!(service.refusal(&tokens.access).await, None);
    // The answer may have been lost.
    assert_eq!(pair(&refresh(&service, &old).await).refresh, tokens.refresh);
    verify(&service, &old).await.is(DONE);
    let next = pair(&refresh(&service, &tokens.refresh).await);
    refresh(&service, &old).await.is(BLACKLISTED);
    verify(&service, &old).await.is(VERIFIED_BLACKLISTED);
    assert_eq!(service.refusal(&next.access).await, None);
}

async fn at_a_site_without_rotation_an_old_token_goes_on(database: Database) {
    let (site, mut service) = with_old_site(&database).await;
    let settings = r#"UPDATE import_sources SET settings = '{"rotate_refresh_tokens":false}'"#;
    database.raw().await.execute(settings).await;
    let old = site.outstanding(&database, "one").await;
    for _ in 0..3 {
        let answer = refresh(&service, &old).await;
        let access = answer.text("access");
        assert_eq!(answer.body, format!(r#"{{"access":"{access}"}}"#));
        assert_eq!(service.refusal(&access).await, None);
        verify(&service, &old).await.is(DONE);
        service.pass(30 * MINUTE).await;
    }
    blacklist(&service, &old).await.is(DONE);
    refresh(&service, &old).await.is(BLACKLISTED);
    verify(&service, &old).await.is(VERIFIED_BLACKLISTED);
}

async fn an_old_token_logs_out_before_and_after_its_exchange(database: Database) {
    let (site, service) = with_old_site(&database).await;
    let (unused, used) =
        (site.outstanding(&database, "one").await, site.outstanding(&database, "two").await);
    let tokens = pair(&refresh(&service, &used).await);
    for old in [&unused, &used] {
        blacklist(&service, old).await.is(DONE);
        blacklist(&service, old).await.is(BLACKLISTED);
        refresh(&service, old).await.is(BLACKLISTED);
        verify(&service, old).await.is(VERIFIED_BLACKLISTED);
    }
    assert_eq!(service.refusal(&tokens.access).await.as_deref(), Some("SESSION_ENDED"));
}

async fn old_tokens_that_are_not_accepted_are_refused_as_by_simplejwt(database: Database) {
    let (site, mut service) = with_old_site(&database).await;
    let old = site.outstanding(&database, "one").await;
    let blacklisted = site.outstanding(&database, "two").await;
    old_site::blacklist(&database, "two").await;
    refresh(&service, &blacklisted).await.is(BLACKLISTED);
    verify(&service, &blacklisted).await.is(VERIFIED_BLACKLISTED);
    blacklist(&service, &blacklisted).await.is(BLACKLISTED);
    let forged =
        sign_with(&site.claims("one"), "another-secret-of-32-bytes-or-more", Algorithm::HS256);
    for token in [&sign(&site.claims("unknown")), &forged] {
        refresh(&service, token).await.is(INVALID);
        blacklist(&service, token).await.is(INVALID);
        verify(&service, token).await.is(INVALID);
    }
    let mut access = site.claims("three");
    access["token_type"] = json!("access");
    let access = sign(&access);
    refresh(&service, &access).await.is(WRONG_TYPE);
    blacklist(&service, &access).await.is(WRONG_TYPE);
    // Clients refresh after a 401, and get an access token of this service.
    verify(&service, &access).await.is(INVALID);
    service.pass(Duration::from_hours(25)).await;
    refresh(&service, &old).await.is(EXPIRED);
    blacklist(&service, &old).await.is(EXPIRED);
    verify(&service, &old).await.is(EXPIRED);
}

async fn an_old_token_of_a_deactivated_account_is_told_so(database: Database) {
    let (site, service) = with_old_site(&database).await;
    let old = site.outstanding(&database, "one").await;
    let ada = service.login("ada").await;
    let viewer = service.send(Some(&ada.access), "{ viewer { id } }", json!({})).await;
    deactivate(&service, viewer["data"]["viewer"]["id"].as_str().unwrap()).await;
    let told = (401, r#"{"detail":"No active account found for the given token."}"#);
    refresh(&service, &old).await.is(told);
}
