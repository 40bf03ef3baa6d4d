//! Internal errors: logged with all details, hidden from the client.

use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;

use super::*;
use crate::telemetry;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

/// Collects log lines.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends a query and returns the response and its log lines.
async fn logged(query: &str) -> (Answer, Vec<String>) {
    let log = Log::default();
    let writer = log.clone();
    let lines = telemetry::log(telemetry::Format::Json, false, move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(LevelFilter::WARN).with(lines);
    let guard = tracing::subscriber::set_default(subscriber);
    // With a single dispatcher, tracing caches for a call site whether it is enabled, and a test on
    // another thread without a dispatcher may reach it first. A second dispatcher turns that off.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let answer = ask(JSON, query, json!({})).await;
    drop(guard);
    let bytes = log.0.lock().clone();
    let lines = String::from_utf8(bytes).unwrap();
    (answer, lines.lines().map(str::to_owned).collect())
}

#[track_caller]
fn assert_told_nothing(answer: &Answer) {
    assert_eq!(answer.code(), "INTERNAL_SERVER_ERROR");
    assert_eq!(answer.message(), crate::graphql::INTERNAL);
    assert!(!answer.text.contains("secret"), "{}", answer.text);
}

#[tokio::test]
async fn an_error_without_a_code_is_logged_once_and_its_text_kept_back() {
    for (query, text) in [
        ("{ hello broken }", "secret.example:5432 is gone"),
        ("{ hello disguised }", "Failed to parse"),
        ("{ hello needed }", "Failed to find the secret"),
    ] {
        let (answer, lines) = logged(query).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_told_nothing(&answer);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("ERROR") && lines[0].contains(text), "{lines:?}");
        assert!(lines[0].contains(answer.header("x-request-id").unwrap()), "{lines:?}");
    }
}

#[tokio::test]
async fn mistakes_of_the_client_are_not_logged_as_faults() {
    for query in ["{", "{ nothing }", "{ even(number: 1) }", "{ refused }"] {
        let (_, lines) = logged(query).await;
        assert!(lines.is_empty(), "{query}: {lines:?}");
    }
}

#[tokio::test]
async fn a_panic_is_a_500_in_json_with_the_same_id_as_its_line_in_the_log() {
    // As in the service, in addition to the hook of the tests.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        telemetry::log_panic(panic);
        hook(panic);
    }));
    let (answer, lines) = logged("{ panics }").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_told_nothing(&answer);
    assert_eq!(answer.body.get("data"), None);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("secret thoughts"), "{lines:?}");
    assert!(lines[0].contains(answer.header("x-request-id").unwrap()), "{lines:?}");
}
