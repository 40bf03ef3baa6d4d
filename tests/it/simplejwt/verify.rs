//! Verification of tokens.

use std::time::Duration;

use sallyport::domain::user::Role;

use super::client::{
    BLACKLISTED, DONE, ENDPOINTS, EXPIRED, INVALID, VERIFIED_BLACKLISTED, blacklist, log_in, pair,
    refresh, verify,
};
use crate::api::service::Service;
use crate::databases::{Database, on_both};

on_both!(
    tokens_of_both_types_are_valid,
    what_is_no_valid_token_is_refused_as_by_simplejwt,
    a_refresh_token_that_was_replaced_or_blacklisted_is_not_valid,
);

async fn tokens_of_both_types_are_valid(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    service.make("ada", Role::User).await;
    let tokens = log_in(&service, "ada").await;
    for token in [&tokens.access, &tokens.refresh, &tokens.refresh] {
        verify(&service, token).await.is(DONE);
    }
    assert_eq!(refresh(&service, &tokens.refresh).await.status, 200);
}

async fn what_is_no_valid_token_is_refused_as_by_simplejwt(database: Database) {
    let mut service = Service::start(&database, ENDPOINTS).await;
    service.make("ada", Role::User).await;
    let tokens = log_in(&service, "ada").await;
    for token in [&tokens.access, &tokens.refresh] {
        let (head, signature) = token.rsplit_once('.').unwrap();
        let reversed: String = signature.chars().rev().collect();
        verify(&service, &format!("{head}.{reversed}")).await.is(INVALID);
    }
    for token in ["garbage", "a.b.c", ".."] {
        verify(&service, token).await.is(INVALID);
    }
    service.pass(Duration::from_hours(1)).await;
    verify(&service, &tokens.access).await.is(EXPIRED);
    verify(&service, &tokens.refresh).await.is(DONE);
    service.pass(Duration::from_hours(8 * 24)).await;
    verify(&service, &tokens.refresh).await.is(EXPIRED);
}

async fn a_refresh_token_that_was_replaced_or_blacklisted_is_not_valid(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    service.make("ada", Role::User).await;
    let first = log_in(&service, "ada").await;
    let second = pair(&refresh(&service, &first.refresh).await);
    verify(&service, &first.refresh).await.is(VERIFIED_BLACKLISTED);
    verify(&service, &second.refresh).await.is(DONE);
    verify(&service, &first.access).await.is(DONE);
    blacklist(&service, &second.refresh).await.is(DONE);
    for token in [&first.refresh, &second.refresh] {
        verify(&service, token).await.is(VERIFIED_BLACKLISTED);
    }
    // SimpleJWT would accept it until it expires.
    verify(&service, &second.access).await.is(BLACKLISTED);
}
