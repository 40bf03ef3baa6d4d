//! `/healthz` and `/readyz`: the faults that fail each of them, and the time to an answer.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sallyport::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use super::service::Service;
use crate::databases::{Database, on_both, on_postgres};

on_both!(
    a_service_that_has_all_it_needs_is_ready,
    an_old_view_of_ended_sessions_is_a_reason,
    a_schema_of_another_version_is_a_reason_unless_it_only_adds,
);

on_postgres!(
    a_database_that_hangs_is_a_reason_and_keeps_nobody_waiting,
    a_clock_that_is_off_the_databases_and_not_corrected_is_a_reason,
);

async fn get(service: &Service, path: &str) -> (StatusCode, Value) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(10), service.call(request));
    answer.await.expect("an answer in time")
}

/// Sets the clock of the test, which stands still, to the time of the database.
fn set_clock(service: &Service) {
    let (real, shown) = (SystemClock::new().now(), service.clock.now());
    let behind = real.as_micros() - shown.as_micros();
    service.clock.advance(Duration::from_micros(u64::try_from(behind).unwrap_or(0)));
}

/// The reasons, each without its words.
async fn red(service: &Service) -> Vec<String> {
    assert_eq!(get(service, "/healthz").await.0, StatusCode::OK);
    let (status, body) = get(service, "/readyz").await;
    let reasons = body["reasons"].as_array().unwrap();
    assert_eq!(body["ready"], json!(reasons.is_empty()), "{body}");
    assert_eq!(status == StatusCode::OK, reasons.is_empty(), "{body}");
    let name = |reason: &Value| reason.as_str().unwrap().split(':').next().unwrap().to_owned();
    reasons.iter().map(name).collect()
}

async fn a_service_that_has_all_it_needs_is_ready(database: Database) {
    let service = Service::start(&database, "").await;
    set_clock(&service);
    let (status, body) = get(&service, "/readyz").await;
    assert_eq!(status, StatusCode::OK);
    let checks = json!({ "database": "ok", "migrations": "ok", "feed": "ok", "keys": "ok",
                         "clock": "ok" });
    assert_eq!(body, json!({ "ready": true, "reasons": [], "checks": checks }));
}

async fn an_old_view_of_ended_sessions_is_a_reason(database: Database) {
    let mut service = Service::start(&database, "").await;
    service.clock.advance_monotonic(Duration::from_secs(6));
    set_clock(&service);
    assert_eq!(red(&service).await, ["feed"]);
    service.feed.read().await.unwrap();
    assert_eq!(red(&service).await, Vec::<String>::new());
}

async fn a_schema_of_another_version_is_a_reason_unless_it_only_adds(database: Database) {
    let service = Service::start(&database, "").await;
    set_clock(&service);
    let mut raw = database.raw().await;
    let applied = |number: u32, name: &str| {
        format!(
            "INSERT INTO sallyport_migrations (version, description, success, checksum, execution_time) \
             SELECT {number}, '{name}', success, checksum, 0 FROM sallyport_migrations WHERE version = 1"
        )
    };
    raw.execute(applied(9998, "add nicknames")).await;
    assert_eq!(red(&service).await, Vec::<String>::new());
    raw.execute(applied(9999, "drop sessions")).await;
    assert_eq!(red(&service).await, ["migrations"]);
}

async fn a_database_that_hangs_is_a_reason_and_keeps_nobody_waiting(database: Database) {
    let service = Service::start(&database, "").await;
    let mut raw = database.raw().await;
    raw.execute("BEGIN; LOCK TABLE sallyport_migrations IN ACCESS EXCLUSIVE MODE").await;
    assert_eq!(red(&service).await, ["database", "migrations", "clock"]);
    raw.execute("COMMIT").await;
    set_clock(&service);
    assert_eq!(red(&service).await, Vec::<String>::new());
}

async fn a_clock_that_is_off_the_databases_and_not_corrected_is_a_reason(database: Database) {
    let service = Service::start(&database, "").await;
    service.clock.advance(Duration::from_mins(5));
    assert_eq!(red(&service).await, ["clock"]);
}
