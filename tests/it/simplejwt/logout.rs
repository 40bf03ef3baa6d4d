//! Logouts, by the view that blacklists.

use sallyport::domain::user::Role;

use super::client::{
    BLACKLIST, BLACKLISTED, DONE, ENDPOINTS, JSON, ask, blacklist, log_in, pair, refresh,
};
use crate::api::service::Service;
use crate::databases::{Database, on_both};

on_both!(
    a_logout_ends_its_session_only_and_a_second_one_is_refused,
    a_logout_needs_no_bearer_token_and_ignores_one,
    a_logout_by_a_replaced_token_is_refused_and_ends_the_session,
);

async fn a_logout_ends_its_session_only_and_a_second_one_is_refused(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    service.make("ada", Role::User).await;
    let (first, other) = (log_in(&service, "ada").await, log_in(&service, "ada").await);
    blacklist(&service, &first.refresh).await.is(DONE);
    for _ in 0..2 {
        blacklist(&service, &first.refresh).await.is(BLACKLISTED);
    }
    refresh(&service, &first.refresh).await.is(BLACKLISTED);
    assert_eq!(service.refusal(&first.access).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(service.refusal(&other.access).await, None);
    pair(&refresh(&service, &other.refresh).await);
}

async fn a_logout_needs_no_bearer_token_and_ignores_one(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    service.make("ada", Role::User).await;
    service.make("bob", Role::User).await;
    let bob = log_in(&service, "bob").await;
    for bearer in [format!("Bearer {}", bob.access), "Bearer garbage".to_owned()] {
        let ada = log_in(&service, "ada").await;
        let body = format!(r#"{{"refresh":"{}"}}"#, ada.refresh);
        let headers = [("authorization", &*bearer), ("content-type", JSON)];
        ask(&service, "POST", BLACKLIST, &headers, body).await.is(DONE);
        assert_eq!(service.refusal(&ada.access).await.as_deref(), Some("SESSION_ENDED"));
    }
    assert_eq!(service.refusal(&bob.access).await, None);
}

async fn a_logout_by_a_replaced_token_is_refused_and_ends_the_session(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    service.make("ada", Role::User).await;
    let first = log_in(&service, "ada").await;
    let second = pair(&refresh(&service, &first.refresh).await);
    blacklist(&service, &first.refresh).await.is(BLACKLISTED);
    assert_eq!(service.refusal(&second.access).await.as_deref(), Some("SESSION_ENDED"));
    refresh(&service, &second.refresh).await.is(BLACKLISTED);
}
