//! Response stream of a subscription that is logged once, when it ends.
//!
//! One line is logged however the subscription ends: by itself, by its client, with its session or
//! with the service. The line has the id of the request that started the subscription, which all
//! subscriptions of a WebSocket share. Its duration is that of the subscription, its outcome that of
//! the first error, and its queries are all that the subscription made.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_graphql::Response;
use futures_util::stream::{BoxStream, Stream, StreamExt};

use super::response_errors;
use crate::auth::Auth;
use crate::clock::Stopwatch;
use crate::graphql::document::PreparedOperation;
use crate::http::operation_log::{LoggedOperation, log_operation};
use crate::metrics::Outcome;
use crate::store::QueryCostMeter;
use crate::telemetry::RequestId;

pub(super) struct LoggedStream {
    responses: BoxStream<'static, Response>,
    auth: Arc<Auth>,
    operation: LoggedOperation,
    outcome: Outcome,
    meter: QueryCostMeter,
    started: Stopwatch,
    request: Option<RequestId>,
}

impl LoggedStream {
    /// The stream of a subscription that the current request starts.
    pub(super) fn new(
        responses: BoxStream<'static, Response>,
        auth: Arc<Auth>,
        document: &PreparedOperation,
    ) -> Self {
        let (operation, meter) = (LoggedOperation::of(document), QueryCostMeter::default());
        let (started, request) = (Stopwatch::start(), RequestId::current());
        Self { responses, auth, operation, outcome: Outcome::Ok, meter, started, request }
    }
}

impl Stream for LoggedStream {
    type Item = Response;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Response>> {
        let Self { responses, outcome, meter, request, .. } = &mut *self;
        let polled = RequestId::within(*request, || {
            meter.measure_step(|| responses.poll_next_unpin(context))
        });
        if let Poll::Ready(Some(response)) = &polled
            && *outcome == Outcome::Ok
        {
            *outcome = response_errors::outcome(&response.errors);
        }
        polled
    }
}

impl Drop for LoggedStream {
    fn drop(&mut self) {
        self.operation.spent = self.meter.cost();
        let (operation, duration) = (Some(&self.operation), self.started.elapsed());
        let metrics = self.auth.system.metrics();
        RequestId::within(self.request, || {
            log_operation(metrics, operation, self.outcome, None, duration);
        });
    }
}
