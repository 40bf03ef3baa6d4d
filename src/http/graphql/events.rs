//! What a subscription gives its client, whatever the transport.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::{Executor, Response, ServerError, Value};
use futures_util::stream::{self, Stream, StreamExt};

use super::recorded::Recorded;
use super::{Admitted, GraphqlEndpoint, errors};
use crate::auth::Auth;
use crate::telemetry::RequestId;

/// One of the things that a subscription gives.
pub(super) enum Event {
    /// An answer.
    Next(Response),
    /// Nothing was subscribed to, and nothing follows.
    Refused(Vec<ServerError>),
    /// Nothing follows.
    Complete,
}

/// The answers of a subscription as they come, for the request that is under way here. One that
/// panics is at its end.
pub(super) fn answers<E: Executor>(
    endpoint: &GraphqlEndpoint<E>,
    admitted: Admitted,
    id: Option<RequestId>,
    auth: &Arc<Auth>,
) -> Recorded {
    let Admitted { request, prepared } = admitted;
    let of = Arc::clone(&prepared);
    let executed = endpoint.executor.execute_stream(request, None);
    let settled = AssertUnwindSafe(executed).catch_unwind().map(move |outcome| {
        // The hook has logged the panic.
        let panicked = |_| Response::from_errors(vec![errors::internal_error()]);
        let mut answer = outcome.unwrap_or_else(panicked);
        prepared.complete(&mut answer);
        errors::settle(&mut answer, &prepared, id);
        answer
    });
    Recorded::new(settled.boxed(), Arc::clone(auth), &of)
}

/// The same as events. A first answer whose errors are of the subscription itself, and not of a field
/// of its event, says that there is no subscription.
pub(super) fn events(answers: Recorded) -> impl Stream<Item = Event> + Send + Unpin {
    let first = (answers, true);
    let events = stream::unfold(Some(first), |state| async move {
        let (mut answers, is_first) = state?;
        Some(match answers.next().await {
            None => (Event::Complete, None),
            Some(answer) if is_first && is_refusal(&answer) => {
                (Event::Refused(answer.errors), None)
            }
            Some(answer) => (Event::Next(answer), Some((answers, false))),
        })
    });
    Box::pin(events)
}

fn is_refusal(answer: &Response) -> bool {
    answer.data == Value::Null
        && answer.is_err()
        && answer.errors.iter().all(|error| error.path.len() < 2)
}
