//! Refreshes.

use std::time::Duration;

use futures_util::future::join_all;
use sallyport::domain::user::Role;

use super::client::{
    BLACKLISTED, ENDPOINTS, EXPIRED, INVALID, WRONG_TYPE, blacklist, deactivate, log_in, pair,
    refresh,
};
use crate::api::service::Service;
use crate::databases::{Database, on_both};

on_both!(
    a_refresh_gives_an_access_and_the_next_refresh_token_in_this_order,
    a_refresh_token_that_was_replaced_is_blacklisted,
    what_is_no_refresh_token_is_refused_as_by_simplejwt,
    tokens_of_a_deactivated_account_are_told_so,
    of_fifty_refreshes_at_once_one_session_goes_on,
    a_session_that_is_refreshed_too_often_is_throttled,
);

const DAYS: Duration = Duration::from_hours(24);

async fn a_refresh_gives_an_access_and_the_next_refresh_token_in_this_order(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    service.make("ada", Role::User).await;
    let tokens = log_in(&service, "ada").await;
    let answer = refresh(&service, &tokens.refresh).await;
    let next = pair(&answer);
    let expected = format!(r#"{{"access":"{}","refresh":"{}"}}"#, next.access, next.refresh);
    assert_eq!(answer.body, expected);
    assert_ne!(next.refresh, tokens.refresh);
    assert_eq!(service.refusal(&next.access).await, None);
}

async fn a_refresh_token_that_was_replaced_is_blacklisted(database: Database) {
    let mut service = Service::start(&database, ENDPOINTS).await;
    service.make("ada", Role::User).await;
    let first = log_in(&service, "ada").await;
    let second = pair(&refresh(&service, &first.refresh).await);
    // The answer may have been lost: the same pair again.
    assert_eq!(pair(&refresh(&service, &first.refresh).await).refresh, second.refresh);
    let third = pair(&refresh(&service, &second.refresh).await);
    refresh(&service, &first.refresh).await.is(BLACKLISTED);
    let fourth = pair(&refresh(&service, &third.refresh).await);
    service.pass(Duration::from_mins(1)).await;
    // It may have been stolen, so that its session ends.
    refresh(&service, &third.refresh).await.is(BLACKLISTED);
    refresh(&service, &fourth.refresh).await.is(BLACKLISTED);
    assert_eq!(service.refusal(&fourth.access).await.as_deref(), Some("SESSION_ENDED"));
}

async fn what_is_no_refresh_token_is_refused_as_by_simplejwt(database: Database) {
    let mut service = Service::start(&database, ENDPOINTS).await;
    service.make("ada", Role::User).await;
    let tokens = log_in(&service, "ada").await;
    let (head, signature) = tokens.refresh.rsplit_once('.').unwrap();
    let reversed: String = signature.chars().rev().collect();
    for token in ["garbage", "a.b.c", "..", &format!("{head}.{reversed}"), head] {
        refresh(&service, token).await.is(INVALID);
        blacklist(&service, token).await.is(INVALID);
    }
    refresh(&service, &tokens.access).await.is(WRONG_TYPE);
    blacklist(&service, &tokens.access).await.is(WRONG_TYPE);
    assert_eq!(blacklist(&service, &tokens.refresh).await.status, 200);
    refresh(&service, &tokens.access).await.is(WRONG_TYPE);
    let tokens = log_in(&service, "ada").await;
    service.pass(Duration::from_hours(1)).await;
    refresh(&service, &tokens.access).await.is(EXPIRED);
    blacklist(&service, &tokens.access).await.is(EXPIRED);
    service.pass(8 * DAYS).await;
    refresh(&service, &tokens.refresh).await.is(EXPIRED);
    blacklist(&service, &tokens.refresh).await.is(EXPIRED);
}

async fn tokens_of_a_deactivated_account_are_told_so(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    let ada = service.make("ada", Role::User).await;
    let tokens = log_in(&service, "ada").await;
    deactivate(&service, &ada).await;
    let told = (401, r#"{"detail":"No active account found for the given token."}"#);
    refresh(&service, &tokens.refresh).await.is(told);
    blacklist(&service, &tokens.refresh).await.is(BLACKLISTED);
}

async fn of_fifty_refreshes_at_once_one_session_goes_on(database: Database) {
    let service =
        Service::start(&database, &format!("{ENDPOINTS} --refresh-retry-window 0s")).await;
    service.make("ada", Role::User).await;
    let tokens = log_in(&service, "ada").await;
    let answers = join_all((0..50).map(|_| refresh(&service, &tokens.refresh))).await;
    let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(done.len(), 1);
    assert!(refused.iter().all(|answer| answer.body == BLACKLISTED.1), "{}", refused[0].body);
}

async fn a_session_that_is_refreshed_too_often_is_throttled(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    service.make("ada", Role::User).await;
    let mut token = log_in(&service, "ada").await.refresh;
    for _ in 0..1_000 {
        let answer = refresh(&service, &token).await;
        if answer.status == 429 {
            answer.has_headers();
            assert!(answer.body.starts_with(r#"{"detail":"Request was throttled. Expected"#));
            return;
        }
        token = pair(&answer).refresh;
    }
    panic!("never throttled");
}
