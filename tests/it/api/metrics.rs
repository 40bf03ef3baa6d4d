//! Metrics for Prometheus.

use std::collections::BTreeMap;
use std::time::Duration;

use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{PASSWORD, Service, code};
use crate::databases::{Database, on_both};

on_both!(outcomes_are_counted_and_no_series_grows_with_users);

const NAMES: [&str; 17] = [
    "sallyport_build info",
    "sallyport_clock_correction_seconds gauge",
    "sallyport_database_connections gauge",
    "sallyport_database_connections_max gauge",
    "sallyport_email_queue_seconds gauge",
    "sallyport_emails counter",
    "sallyport_ended_sessions gauge",
    "sallyport_feed_staleness_seconds gauge",
    "sallyport_hashing gauge",
    "sallyport_log_lines_dropped counter",
    "sallyport_logins counter",
    "sallyport_open_sockets gauge",
    "sallyport_operation_duration_seconds histogram",
    "sallyport_operations counter",
    "sallyport_refreshes counter",
    "sallyport_session_ends counter",
    "sallyport_uptime_seconds gauge",
];

/// Each series with its value.
fn series(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let series = lines.map(|line| line.rsplit_once(' ').unwrap());
    series.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect()
}

fn names(text: &str) -> Vec<String> {
    series(text).into_keys().collect()
}

async fn outcomes_are_counted_and_no_series_grows_with_users(database: Database) {
    let mut service =
        Service::start(&database, "--max-sessions-per-user 2 --access-token-lifetime 1h").await;
    let before = service.core.auth.system.metrics_text(0);
    let mut types: Vec<_> =
        before.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    types.sort_unstable();
    assert_eq!(types, NAMES);

    for n in 0..20 {
        let name = format!("user{n}");
        service.make(&name, Role::User).await;
        assert_eq!(
            code(&service.try_login(&name, "another-password").await),
            "INVALID_CREDENTIALS"
        );
        // The limit ends the oldest one.
        let first = service.login(&name).await;
        service.pass(Duration::from_secs(1)).await;
        let second = service.login(&name).await;
        service.pass(Duration::from_secs(1)).await;
        let third = service.login(&name).await;
        assert_eq!(code(&service.refresh(&first.refresh, None).await), "SESSION_ENDED");
        assert!(service.refresh(&second.refresh, None).await["errors"] == json!([]));
        assert!(service.refresh(&second.refresh, None).await["errors"] == json!([]));
        assert_eq!(code(&service.refresh("none", None).await), "REFRESH_TOKEN_INVALID");
        service.logout(None, Some(&third.refresh), "CURRENT").await;
        let query = format!("query Of{n} {{ viewer {{ id }} }}");
        service.send(None, &query, Value::Null).await;
        service.pass(Duration::from_mins(1)).await;
        assert_eq!(code(&service.refresh(&second.refresh, None).await), "REFRESH_TOKEN_REUSED");
    }
    let after = service.core.auth.system.metrics_text(0);
    assert_eq!(names(&after), names(&before));
    let counted = series(&after);
    for (series, count) in [
        ("sallyport_logins_total{result=\"succeeded\"}", 60.0),
        ("sallyport_logins_total{result=\"invalid_credentials\"}", 20.0),
        ("sallyport_refreshes_total{outcome=\"rotated\"}", 20.0),
        ("sallyport_refreshes_total{outcome=\"retried\"}", 20.0),
        ("sallyport_refreshes_total{outcome=\"ended\"}", 20.0),
        ("sallyport_refreshes_total{outcome=\"invalid\"}", 20.0),
        ("sallyport_refreshes_total{outcome=\"reused\"}", 20.0),
        ("sallyport_refreshes_total{outcome=\"stale\"}", 0.0),
        ("sallyport_session_ends_total{reason=\"SESSION_LIMIT\"}", 20.0),
        ("sallyport_session_ends_total{reason=\"LOGOUT\"}", 20.0),
        ("sallyport_session_ends_total{reason=\"REFRESH_REUSED\"}", 20.0),
        ("sallyport_operations_total{type=\"query\",outcome=\"UNAUTHENTICATED\"}", 20.0),
        ("sallyport_operation_duration_seconds_count{type=\"query\"}", 20.0),
        ("sallyport_feed_staleness_seconds", 0.0),
        ("sallyport_ended_sessions", 60.0),
        ("sallyport_clock_correction_seconds", 0.0),
    ] {
        assert_eq!(counted.get(series), Some(&count), "{series} in {after}");
    }
    assert!(!after.contains("user1") && !after.contains(PASSWORD) && !after.contains("Of1"));
}
