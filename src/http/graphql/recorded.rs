//! A subscription as it is written down: once, when it is over.
//!
//! Rule: however it ends, by itself, by its client, with its session or with the service, one line
//! says so, under the id of the request that it came by; a socket's are all of one request. Its
//! duration is its life, its outcome that of its first error, and it pays for what it asks of the
//! database.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_graphql::Response;
use futures_util::stream::{BoxStream, Stream, StreamExt};

use super::errors;
use crate::auth::Auth;
use crate::clock::Stopwatch;
use crate::graphql::document::Prepared;
use crate::http::record::{Operation, write_down};
use crate::metrics::Outcome;
use crate::store::Account;
use crate::telemetry::RequestId;

/// The answers of a subscription, which is written down when this is dropped.
pub(super) struct Recorded {
    answers: BoxStream<'static, Response>,
    auth: Arc<Auth>,
    operation: Operation,
    outcome: Outcome,
    account: Account,
    began: Stopwatch,
    request: Option<RequestId>,
}

impl Recorded {
    /// The answers to what was `prepared`, for the request that is under way here.
    pub(super) fn new(
        answers: BoxStream<'static, Response>,
        auth: Arc<Auth>,
        prepared: &Prepared,
    ) -> Self {
        let (operation, account) = (Operation::of(prepared), Account::default());
        let (began, request) = (Stopwatch::start(), RequestId::current());
        Self { answers, auth, operation, outcome: Outcome::Ok, account, began, request }
    }
}

impl Stream for Recorded {
    type Item = Response;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Response>> {
        let Self { answers, outcome, account, request, .. } = &mut *self;
        let polled =
            RequestId::within(*request, || account.pay_step(|| answers.poll_next_unpin(context)));
        if let Poll::Ready(Some(answer)) = &polled
            && *outcome == Outcome::Ok
        {
            *outcome = errors::outcome(&answer.errors);
        }
        polled
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        self.operation.spent = self.account.spent();
        let (operation, took) = (Some(&self.operation), self.began.elapsed());
        let metrics = self.auth.system.metrics();
        RequestId::within(self.request, || {
            write_down(metrics, operation, self.outcome, None, took);
        });
    }
}
