//! What is around the views: the flag, CORS, headers, the log, the metrics, and failures.

use std::time::Duration;

use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::client::{
    BLACKLIST, ENDPOINTS, FORM, JSON, OBTAIN, REFRESH, VERIFY, VIEWS, ask, log_in, pair, post,
    refresh, verify,
};
use crate::api::service::{PASSWORD, Service};
use crate::databases::{Database, on_both};
use crate::program::Process;

on_both!(
    without_the_flag_there_are_no_endpoints,
    pages_of_listed_origins_may_call_and_no_others,
    each_request_is_one_line_of_the_log_and_counted_without_a_secret,
    a_failure_of_the_service_tells_nothing_of_itself,
);

async fn without_the_flag_there_are_no_endpoints(database: Database) {
    let service = Service::start(&database, "").await;
    for view in VIEWS {
        assert_eq!(post(&service, view, json!({})).await.status, 404);
    }
}

async fn pages_of_listed_origins_may_call_and_no_others(database: Database) {
    let flags = format!("{ENDPOINTS} --cors-origin https://app.example");
    let service = Service::start(&database, &flags).await;
    for view in VIEWS {
        for (origin, allowed) in
            [("https://app.example", "https://app.example"), ("https://evil.example", "")]
        {
            let preflight = [
                ("origin", origin),
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", "content-type"),
            ];
            let answer = ask(&service, "OPTIONS", view, &preflight, "").await;
            assert_eq!(answer.header("access-control-allow-origin"), allowed);
            let headers = [("origin", origin), ("content-type", JSON)];
            let answer = ask(&service, "POST", view, &headers, "{}").await;
            assert_eq!(answer.status, 400);
            assert_eq!(answer.header("access-control-allow-origin"), allowed);
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(answer.header("x-request-id").len(), 32);
        }
    }
}

/// Sends requests with secrets to a process; returns the secrets.
fn use_secrets(process: &Process) -> Vec<String> {
    let send = |path: &str, media_type: &str, body: &str| {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: {media_type}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = process.connect().exchange(request.as_bytes());
        serde_json::from_str::<Value>(&answer.body).unwrap_or_default()
    };
    let login = json!({ "username": "admin", "password": PASSWORD }).to_string();
    let tokens = send(OBTAIN, JSON, &login);
    let (access, refresh) =
        (tokens["access"].as_str().unwrap(), tokens["refresh"].as_str().unwrap());
    send(VERIFY, JSON, &json!({ "token": access }).to_string());
    let next = send(REFRESH, JSON, &json!({ "refresh": refresh }).to_string());
    let next = next["refresh"].as_str().unwrap();
    send(BLACKLIST, FORM, &format!("refresh={next}"));
    send(OBTAIN, JSON, &json!({ "username": "admin", "password": "canary-wrong" }).to_string());
    send(OBTAIN, JSON, r#"{"username":"canary-name","password":"canary-broken"#);
    send(REFRESH, JSON, r#"{"refresh":"canary-token"}"#);
    let parts = [access, refresh, next].into_iter().flat_map(|token| token.split('.').skip(1));
    let mut secrets: Vec<_> = parts.map(str::to_owned).collect();
    secrets.extend([PASSWORD, "canary-"].map(str::to_owned));
    secrets
}

async fn each_request_is_one_line_of_the_log_and_counted_without_a_secret(database: Database) {
    let variables = [
        ("SALLYPORT_ADMIN_PASSWORD", PASSWORD),
        ("RUST_LOG", "trace"),
        ("SALLYPORT_SECRET", "0123456789abcdefghijklmnopqrstuv"),
    ];
    let flags = format!("{ENDPOINTS} --log-format json --metrics-listen 127.0.0.1:0");
    let process = Process::start(&database, &flags, &variables);
    let secrets = use_secrets(&process);
    let metrics = process.metrics_page();
    for (outcome, count) in [("ok", 4), ("UNAUTHENTICATED", 2), ("BAD_USER_INPUT", 1)] {
        let line =
            format!("sallyport_operations_total{{type=\"rest\",outcome=\"{outcome}\"}} {count}\n");
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }
    let log = process.end();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines: Vec<_> = lines.filter(|line| line["message"] == "operation").collect();
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line["operation"].as_str().unwrap(), line["status"].as_u64().unwrap()))
        .collect();
    let (obtain, refresh) = ("Token Obtain Pair", "Token Refresh");
    let expected = [
        (obtain, 200),
        ("Token Verify", 200),
        (refresh, 200),
        ("Token Blacklist", 200),
        (obtain, 401),
        (obtain, 400),
        (refresh, 401),
    ];
    assert_eq!(told, expected, "{log}");
    assert!(lines[0]["db_statements"].as_u64() > Some(2), "{}", lines[0]);
    for secret in secrets {
        assert!(!log.contains(&secret) && !metrics.contains(&secret), "{secret}");
    }
}

async fn a_failure_of_the_service_tells_nothing_of_itself(database: Database) {
    let service = Service::start(&database, ENDPOINTS).await;
    service.make("ada", Role::User).await;
    let tokens = log_in(&service, "ada").await;
    database.raw().await.execute("ALTER TABLE sessions RENAME TO sessions_away").await;
    let failed = (500, r#"{"detail":"A server error occurred."}"#);
    refresh(&service, &tokens.refresh).await.is(failed);
    database.raw().await.execute("ALTER TABLE sessions_away RENAME TO sessions").await;
    let next = pair(&refresh(&service, &tokens.refresh).await);
    // Which sessions have ended has not been read for too long.
    service.clock.advance_monotonic(Duration::from_mins(1));
    let away = (503, r#"{"detail":"The service is temporarily unavailable. Try again."}"#);
    verify(&service, &next.access).await.is(away);
}
