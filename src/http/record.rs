//! What is written down of each operation: one line of the log, and its counts. A subscription has
//! them when it is over.
//!
//! Rule: a line has words of closed sets, numbers, and the operation's name, which the parser took
//! for a name; nothing else that a client sent. No document, no variable, no header, no address.

use std::time::Duration;

use async_graphql::parser::types::OperationType;
use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::response::Response;

use crate::clock::Stopwatch;
use crate::graphql::document::Prepared;
use crate::metrics::{Metrics, OperationKind, Outcome};
use crate::store::Spent;

/// The most of an operation's name that is written down: a document may be one long name.
const MAX_NAME: usize = 100;

/// What a GraphQL request asked for, found in the extensions of its answer.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// What the document calls it.
    pub name: Option<String>,
    /// What it is.
    pub kind: OperationKind,
    /// What it cost the database.
    pub spent: Spent,
}

impl Operation {
    /// What a document asks for, before it has cost anything.
    pub(super) fn of(prepared: &Prepared) -> Self {
        let kind = match prepared.operation_type() {
            OperationType::Query => OperationKind::Query,
            OperationType::Mutation => OperationKind::Mutation,
            OperationType::Subscription => OperationKind::Subscription,
        };
        let name = prepared.operation_name().map(str::to_owned);
        Self { name, kind, spent: Spent::default() }
    }
}

/// How a GraphQL request ended, found in the extensions of its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended(pub Outcome);

/// A request that began.
pub(super) struct Asked {
    method: Method,
    route: Option<MatchedPath>,
    began: Stopwatch,
}

impl Asked {
    /// What will be said of this one.
    pub(super) fn of(request: &Request) -> Self {
        let method = request.method().clone();
        let route = request.extensions().get::<MatchedPath>().cloned();
        Self { method, route, began: Stopwatch::start() }
    }

    /// Writes it down, now that there is an answer.
    pub(super) fn record(self, metrics: &Metrics, response: &Response) {
        let took = self.began.elapsed();
        let status = response.status().as_u16();
        if let Some(Ended(outcome)) = response.extensions().get() {
            let operation = response.extensions().get();
            write_down(metrics, operation, *outcome, Some(status), took);
        } else {
            let (method, route) = (self.method, self.route.as_ref());
            let route = route.map_or("none", MatchedPath::as_str);
            tracing::debug!(%method, route, status, duration_ms = millis(took), "request");
        }
    }
}

/// Writes down how an operation ended; one that was refused before it was known is `None`. Only one
/// that is answered in a response of its own has a status.
pub(super) fn write_down(
    metrics: &Metrics,
    operation: Option<&Operation>,
    outcome: Outcome,
    status: Option<u16>,
    took: Duration,
) {
    let kind = operation.map_or(OperationKind::Unknown, |operation| operation.kind);
    let spent = operation.map(|operation| operation.spent).unwrap_or_default();
    let name = operation.and_then(|operation| operation.name.as_deref());
    // GraphQL's names are ASCII, so that a place in one is the end of a character.
    let name = name.map(|name| &name[..name.len().min(MAX_NAME)]);
    metrics.operation(kind, outcome, took);
    tracing::info!(
        operation = name,
        r#type = kind.as_str(),
        outcome = outcome.as_str(),
        status,
        duration_ms = millis(took),
        db_ms = millis(spent.time),
        db_statements = spent.statements,
        "operation"
    );
}

/// Milliseconds, to the microsecond.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
