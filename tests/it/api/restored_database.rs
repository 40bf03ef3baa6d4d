//! A restored older database, and a standby without the last commits.

use std::time::Duration;

use sallyport::domain::user::Role;

use super::service::{Service, code, tokens};
use crate::databases::{Database, on_both};

on_both!(
    a_refresh_token_that_the_database_has_not_heard_of_is_no_theft,
    an_old_refresh_token_is_a_theft_after_a_restore_too,
);

/// Takes the last rotation back, as if it had never been committed.
async fn forget_the_last_rotation(database: &Database) {
    let mut raw = database.raw().await;
    raw.execute(
        "DELETE FROM blacklist_entries WHERE token_id IN (SELECT previous_token_id FROM sessions); \
         UPDATE sessions SET token_id = previous_token_id, previous_token_id = NULL, \
         rotated_at = NULL, attempt_hash = NULL, generation = generation - 1",
    )
    .await;
}

async fn events(database: &Database, kind: &str) -> i64 {
    let events = format!("SELECT count(*) FROM audit_events WHERE kind = '{kind}'");
    database.raw().await.number(events).await
}

async fn a_refresh_token_that_the_database_has_not_heard_of_is_no_theft(database: Database) {
    let mut service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    service.pass(Duration::from_mins(1)).await;
    let next = tokens(&service.refresh(&ada.refresh, None).await).unwrap();
    forget_the_last_rotation(&database).await;
    service.pass(Duration::from_mins(1)).await;

    let payload = service.refresh(&next.refresh, Some("an attempt of ada")).await;
    assert_eq!(code(&payload), "SESSION_ENDED");
    assert_eq!(events(&database, "REFRESH_REUSED").await, 0);
    let metrics = service.core.auth.system.metrics_text(0);
    let reused = metrics.lines().filter(|line| line.contains("reused"));
    assert!(reused.clone().all(|line| line.ends_with(" 0")), "{:?}", reused.collect::<Vec<_>>());
    // The token of the copy is good for nothing any more, in whosever hands it is.
    assert_eq!(code(&service.refresh(&ada.refresh, None).await), "SESSION_ENDED");
    assert_eq!(service.refusal(&next.access).await.as_deref(), Some("SESSION_ENDED"));
    service.login("ada").await;
}

async fn an_old_refresh_token_is_a_theft_after_a_restore_too(database: Database) {
    let mut service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    service.pass(Duration::from_mins(1)).await;
    let honest = tokens(&service.refresh(&ada.refresh, None).await).unwrap();
    forget_the_last_rotation(&database).await;
    service.pass(Duration::from_mins(1)).await;
    // Somebody has kept the token that is the outstanding one again.
    tokens(&service.refresh(&ada.refresh, None).await).unwrap();
    assert_eq!(code(&service.refresh(&honest.refresh, None).await), "REFRESH_TOKEN_REUSED");
    assert_eq!(events(&database, "REFRESH_REUSED").await, 1);
}
