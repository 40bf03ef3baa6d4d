//! The body of a request: it has to be there by a deadline, and there is so much memory for all.
//!
//! What is refused before it was read is read to its end and forgotten, within bounds: many clients
//! send all of it before they look for the answer, which closing the connection would take from them.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Sleep;

use super::Limits;
use super::activity::Activity;
use super::memory::{HeldBytes, Memory};

/// How much of a refused body is read.
const MAX_DRAINED: u64 = 16 * 1024 * 1024;

/// How many refused bodies are read at a time.
const MAX_DRAINING: usize = 256;

/// The body of a request did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("the body did not come in time")]
struct Late;

/// There is no memory for the body of a request.
#[derive(Debug, thiserror::Error)]
#[error("too many bodies are being received")]
struct Crowded;

/// Whether this error comes of a body that did not come in time.
pub(in crate::http) fn is_late(error: &(dyn Error + 'static)) -> bool {
    error.is::<Late>() || error.source().is_some_and(is_late)
}

/// Whether this error comes of bodies that take all the memory there is for them.
pub(in crate::http) fn is_crowded(error: &(dyn Error + 'static)) -> bool {
    error.is::<Crowded>() || error.source().is_some_and(is_crowded)
}

/// The body of a request, all of which has to come within a time of its head. A limit between its
/// parts would be no limit: a byte a second keeps within any.
pub(super) struct Punctual {
    /// Taken out where it is given up.
    body: Option<Incoming>,
    within: Duration,
    /// Set where the body is waited for, which most are not.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Whether the rest of it is read where it is given up.
    drains: bool,
    connection: Arc<Activity>,
    most: usize,
    held: HeldBytes,
}

impl Punctual {
    pub(super) fn new(
        body: Incoming,
        drains: bool,
        limits: &Limits,
        connection: &Arc<Activity>,
    ) -> Self {
        Self {
            body: Some(body),
            within: limits.body,
            deadline: None,
            drains,
            connection: Arc::clone(connection),
            most: limits.bodies,
            held: HeldBytes::default(),
        }
    }

    /// Whether there is memory for so many bytes more.
    fn count(&mut self, bytes: usize) -> bool {
        self.held.add(bytes, &self.connection.bodies, &self.connection.memory.bodies, self.most)
    }
}

impl http_body::Body for Punctual {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            let bytes = if let Some(Ok(frame)) = &frame {
                frame.data_ref().map_or(0, Bytes::len)
            } else {
                self.drains = false;
                0
            };
            if !self.count(bytes) {
                return Poll::Ready(Some(Err(Crowded.into())));
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let within = self.within;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(within)));
        deadline.as_mut().poll(context).map(|()| {
            // It has had its time.
            self.drains = false;
            Some(Err(Late.into()))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(http_body::Body::size_hint).unwrap_or_default()
    }
}

impl Drop for Punctual {
    fn drop(&mut self) {
        self.held.release(&self.connection.bodies, &self.connection.memory.bodies);
        let rest = self.body.take().filter(|body| self.drains && !body.is_end_stream());
        if let Some(rest) = rest
            && rest.size_hint().lower() <= MAX_DRAINED
            && self.connection.memory.draining.try_add(1, MAX_DRAINING)
        {
            tokio::spawn(drain(rest, self.within, Arc::clone(&self.connection.memory)));
        }
    }
}

/// Reads a body to its end, to a bound, or for a time.
async fn drain(mut body: Incoming, within: Duration, memory: Arc<Memory>) {
    let all = async {
        let mut left = MAX_DRAINED;
        while let Some(Ok(frame)) =
            std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
        {
            let read = frame.data_ref().map_or(0, |bytes| bytes.len() as u64);
            left = match left.checked_sub(read) {
                Some(left) => left,
                None => break,
            };
        }
    };
    let _ = tokio::time::timeout(within, all).await;
    memory.draining.remove(1);
}
