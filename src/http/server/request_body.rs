//! Request bodies with a deadline and a limit of memory for all of them together.
//!
//! The rest of a refused body is read and discarded, within limits: many clients send a whole body
//! before they read the response, and closing the connection would take the response from them.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Sleep;

use super::buffered_bytes::BufferedBytes;
use super::connection_state::ConnectionState;
use super::server_state::ServerState;

/// Most bytes of a refused body that are read.
const MAX_DRAINED_BYTES: u64 = 16 * 1024 * 1024;

/// Most refused bodies that are read at the same time.
const MAX_DRAINING: usize = 256;

#[derive(Debug, thiserror::Error)]
#[error("the request body did not arrive in time")]
struct BodyTimeout;

#[derive(Debug, thiserror::Error)]
#[error("request bodies use all memory they may use")]
struct BodyMemoryExhausted;

/// Whether the error, or one of its sources, is that the body did not arrive before its deadline.
pub(in crate::http) fn is_body_timeout(error: &(dyn Error + 'static)) -> bool {
    error.is::<BodyTimeout>() || error.source().is_some_and(is_body_timeout)
}

/// Whether the error, or one of its sources, is that request bodies use all memory they may use.
pub(in crate::http) fn is_body_memory_exhausted(error: &(dyn Error + 'static)) -> bool {
    error.is::<BodyMemoryExhausted>() || error.source().is_some_and(is_body_memory_exhausted)
}

/// The body of a request, with one deadline for all of it. A timeout for each part would be no limit:
/// a client that sends a byte per second is within any.
pub(super) struct DeadlineBody {
    /// Taken out when this is dropped.
    body: Option<Incoming>,
    /// Set once the body has to be waited for, which most need not.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Whether the rest of the body is read when this is dropped.
    drains: bool,
    connection: Arc<ConnectionState>,
    buffered: BufferedBytes,
}

impl DeadlineBody {
    pub(super) fn new(body: Incoming, drains: bool, connection: &Arc<ConnectionState>) -> Self {
        Self {
            body: Some(body),
            deadline: None,
            drains,
            connection: Arc::clone(connection),
            buffered: BufferedBytes::default(),
        }
    }

    fn timeout(&self) -> Duration {
        self.connection.server.limits.body_timeout
    }

    /// Counts bytes; false where there is no memory for them.
    fn count(&mut self, bytes: usize) -> bool {
        let ConnectionState { bodies, server, .. } = &*self.connection;
        self.buffered.add(bytes, bodies, &server.memory.bodies, server.limits.max_body_bytes)
    }
}

impl http_body::Body for DeadlineBody {
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
                return Poll::Ready(Some(Err(BodyMemoryExhausted.into())));
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let timeout = self.timeout();
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        deadline.as_mut().poll(context).map(|()| {
            // A body that is late once would be late again.
            self.drains = false;
            Some(Err(BodyTimeout.into()))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(http_body::Body::size_hint).unwrap_or_default()
    }
}

impl Drop for DeadlineBody {
    fn drop(&mut self) {
        let ConnectionState { bodies, server, .. } = &*self.connection;
        self.buffered.release(bodies, &server.memory.bodies);
        let rest = self.body.take().filter(|body| self.drains && !body.is_end_stream());
        if let Some(rest) = rest
            && rest.size_hint().lower() <= MAX_DRAINED_BYTES
            && server.memory.draining.try_add(1, MAX_DRAINING)
        {
            tokio::spawn(drain(rest, Arc::clone(server)));
        }
    }
}

/// Reads a body to its end, up to a number of bytes and for a time.
async fn drain(mut body: Incoming, server: Arc<ServerState>) {
    let read_all = async {
        let mut left = MAX_DRAINED_BYTES;
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
    let _ = tokio::time::timeout(server.limits.body_timeout, read_all).await;
    server.memory.draining.remove(1);
}
