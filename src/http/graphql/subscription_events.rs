//! Events of a subscription, independent of the transport.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::{Executor, Response, ServerError, Value};
use futures_util::stream::{self, Stream, StreamExt};

use super::engine::{Engine, PreparedRequest};
use super::logged_stream::LoggedStream;
use super::response_errors;
use crate::auth::Auth;
use crate::telemetry::RequestId;

pub(super) enum SubscriptionEvent {
    Next(Response),
    /// The subscription was not started, and no event follows.
    Refused(Vec<ServerError>),
    /// No event follows.
    Complete,
}

/// The responses of a subscription, logged under the id of the current request. A panic ends the
/// subscription after an error.
pub(super) fn responses<E: Executor>(
    engine: &Engine<E>,
    prepared: PreparedRequest,
    id: Option<RequestId>,
    auth: &Arc<Auth>,
) -> LoggedStream {
    let PreparedRequest { request, document } = prepared;
    let logged_document = Arc::clone(&document);
    let executed = engine.subscribe(request);
    let sanitized = AssertUnwindSafe(executed).catch_unwind().map(move |outcome| {
        // The panic hook has logged the panic.
        let panicked = |_| Response::from_errors(vec![response_errors::internal_error()]);
        let mut response = outcome.unwrap_or_else(panicked);
        document.complete(&mut response);
        response_errors::sanitize(&mut response, &document, id);
        response
    });
    LoggedStream::new(sanitized.boxed(), Arc::clone(auth), &logged_document)
}

/// The responses as events. If the errors of the first response belong to the subscription itself, not
/// to a field of its event, the subscription was refused.
pub(super) fn events(
    responses: LoggedStream,
) -> impl Stream<Item = SubscriptionEvent> + Send + Unpin {
    let first = (responses, true);
    let events = stream::unfold(Some(first), |state| async move {
        let (mut responses, is_first) = state?;
        Some(match responses.next().await {
            None => (SubscriptionEvent::Complete, None),
            Some(response) if is_first && is_refusal(&response) => {
                (SubscriptionEvent::Refused(response.errors), None)
            }
            Some(response) => (SubscriptionEvent::Next(response), Some((responses, false))),
        })
    });
    Box::pin(events)
}

fn is_refusal(response: &Response) -> bool {
    response.data == Value::Null
        && response.is_err()
        && response.errors.iter().all(|error| error.path.len() < 2)
}
