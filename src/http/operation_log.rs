//! Log line and metrics of each GraphQL operation, of a subscription when it ends, and of each request to a view
//! of SimpleJWT.
//!
//! A line has words of closed sets, numbers, and the name of the operation, which the parser accepted
//! as a GraphQL name, or of the view. It contains nothing else that the client sent: no document, variable, header or
//! address.

use std::time::Duration;

use async_graphql::parser::types::OperationType;
use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::response::Response;

use crate::clock::Stopwatch;
use crate::graphql::document::PreparedOperation;
use crate::metrics::{Metrics, OperationKind, Outcome};
use crate::store::QueryCost;

/// Bytes of the name that are logged. A document may consist of one long name.
const MAX_NAME_BYTES: usize = 100;

/// The executed operation, in the extensions of its response.
#[derive(Clone, Debug)]
pub(super) struct LoggedOperation {
    /// Its name in the document, or that of the view.
    pub name: Option<String>,
    pub kind: OperationKind,
    /// Its queries to the database.
    pub spent: QueryCost,
}

impl LoggedOperation {
    /// The operation of a document, before any query.
    pub(super) fn of(prepared: &PreparedOperation) -> Self {
        let kind = match prepared.operation_type() {
            OperationType::Query => OperationKind::Query,
            OperationType::Mutation => OperationKind::Mutation,
            OperationType::Subscription => OperationKind::Subscription,
        };
        let name = prepared.operation_name().map(str::to_owned);
        Self { name, kind, spent: QueryCost::default() }
    }
}

/// The outcome of a request to GraphQL or to a view, in the extensions of its response. Responses that stream a
/// subscription, and those of other routes, have none.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestOutcome(pub Outcome);

/// A request in progress.
pub(super) struct LoggedRequest {
    method: Method,
    route: Option<MatchedPath>,
    started: Stopwatch,
}

impl LoggedRequest {
    pub(super) fn start(request: &Request) -> Self {
        let method = request.method().clone();
        let route = request.extensions().get::<MatchedPath>().cloned();
        Self { method, route, started: Stopwatch::start() }
    }

    /// Logs the request once its response exists.
    pub(super) fn finish(self, metrics: &Metrics, response: &Response) {
        let duration = self.started.elapsed();
        let status = response.status().as_u16();
        if let Some(RequestOutcome(outcome)) = response.extensions().get() {
            let operation = response.extensions().get();
            log_operation(metrics, operation, *outcome, Some(status), duration);
        } else {
            let (method, route) = (self.method, self.route.as_ref());
            let route = route.map_or("none", MatchedPath::as_str);
            tracing::debug!(%method, route, status, duration_ms = millis(duration), "request");
        }
    }
}

/// Logs and counts an operation. `operation` is `None` where the request was refused before its
/// operation was known; `status` is `None` where the operation has no HTTP response of its own.
pub(super) fn log_operation(
    metrics: &Metrics,
    operation: Option<&LoggedOperation>,
    outcome: Outcome,
    status: Option<u16>,
    duration: Duration,
) {
    let kind = operation.map_or(OperationKind::Unknown, |operation| operation.kind);
    let spent = operation.map(|operation| operation.spent).unwrap_or_default();
    let name = operation.and_then(|operation| operation.name.as_deref());
    // Names are ASCII, so the cut is never inside a character.
    let name = name.map(|name| &name[..name.len().min(MAX_NAME_BYTES)]);
    metrics.operation(kind, outcome, duration);
    tracing::info!(
        operation = name,
        r#type = kind.as_str(),
        outcome = outcome.as_str(),
        status,
        duration_ms = millis(duration),
        db_ms = millis(spent.time),
        db_statements = spent.statements,
        "operation"
    );
}

/// Milliseconds, rounded to microseconds.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
