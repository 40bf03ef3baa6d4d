//! Response bodies that are counted and observed until their last byte is written.
//!
//! A response counts as unread until its last byte is written or it is cancelled, not only until the
//! HTTP library has taken it over. One part is handed over at a time. On HTTP/2 the end of all but
//! the smallest responses is sent after the last byte is written: a stream that has ended cannot be
//! reset, and the library would keep its unwritten rest for as long as the connection lives.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use bytes::Buf;
use futures_util::task::AtomicWaker;
use http_body::{Frame, SizeHint};

use super::buffered_bytes::BufferedBytes;
use super::connection_state::Exchange;
use super::write_timeout::WriteProgress;

/// The largest HTTP/2 response whose end is sent along with its bytes.
const MAX_WITH_END: u64 = 1024;

#[derive(Debug, thiserror::Error)]
#[error("the client did not read the response in time")]
struct WriteTimeout;

/// Marks a response whose body is part of the binary and occupies no memory. In the extensions of the
/// response.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct StaticContent;

/// A response in flight, until its body and the last part of it are dropped.
#[derive(Debug)]
struct ResponseInFlight {
    exchange: Exchange,
    progress: Arc<WriteProgress>,
    /// The bytes of the body where its size is known in advance.
    buffered: BufferedBytes,
    is_in_memory: bool,
    /// Whether a part is handed over and not yet written.
    is_part_waiting: AtomicBool,
    part_written: AtomicWaker,
}

impl Drop for ResponseInFlight {
    fn drop(&mut self) {
        let connection = self.exchange.connection();
        self.buffered.release(&connection.responses.unread, &connection.server.memory.responses);
        connection.responses.notify_freed();
    }
}

/// The body of a response.
pub(super) struct ActivityBody {
    body: Body,
    response: Arc<ResponseInFlight>,
    /// Whether the end is sent after the last part is written.
    ends_separately: bool,
}

impl ActivityBody {
    /// Returns the exchange where there is no memory for the response: where the other unread
    /// responses of the connection are above `max_of_connection`, or those of all connections are
    /// above their limit.
    pub(super) fn new(
        body: Body,
        exchange: Exchange,
        is_in_memory: bool,
        max_of_connection: usize,
    ) -> Result<Self, Exchange> {
        let size = http_body::Body::size_hint(&body).exact();
        let bytes = size.filter(|_| is_in_memory).and_then(|size| usize::try_from(size).ok());
        let bytes = bytes.unwrap_or_default();
        let connection = exchange.connection();
        let (responses, server) = (&connection.responses, &connection.server);
        let (max_of_all, memory) = (server.limits.max_unread_bytes, &server.memory);
        responses.record_size(bytes);
        let mut buffered = BufferedBytes::default();
        let fits = buffered.add(bytes, &responses.unread, &memory.responses, max_of_all);
        if !fits && memory.warning.is_over() {
            tracing::warn!(bytes = max_of_all, "too many unread responses; refusing requests");
        }
        let others = responses.unread.get().saturating_sub(bytes);
        if fits && (bytes == 0 || others <= max_of_connection) {
            Ok(Self::with(body, exchange, is_in_memory, buffered))
        } else {
            buffered.release(&responses.unread, &memory.responses);
            Err(exchange)
        }
    }

    /// A small body that is sent whatever the memory in use.
    pub(super) fn uncounted(body: Body, exchange: Exchange) -> Self {
        Self::with(body, exchange, true, BufferedBytes::default())
    }

    fn with(body: Body, exchange: Exchange, is_in_memory: bool, buffered: BufferedBytes) -> Self {
        let response = ResponseInFlight {
            exchange,
            progress: WriteProgress::current(),
            buffered,
            is_in_memory,
            is_part_waiting: AtomicBool::new(false),
            part_written: AtomicWaker::new(),
        };
        let size = http_body::Body::size_hint(&body).exact();
        let ends_separately = size.is_none_or(|size| size > MAX_WITH_END);
        Self { body, response: Arc::new(response), ends_separately }
    }

    /// For HTTP/1.1, where the whole connection is closed to cancel a response.
    pub(super) fn of_http_1(self) -> Self {
        Self { ends_separately: false, ..self }
    }
}

impl http_body::Body for ActivityBody {
    type Data = Part;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Part>, axum::Error>>> {
        let response = Arc::clone(&self.response);
        if response.progress.is_timed_out() {
            return Poll::Ready(Some(Err(axum::Error::new(WriteTimeout))));
        }
        if response.is_part_waiting.load(Ordering::Acquire) {
            response.part_written.register(context.waker());
            // Checked again: the part may have been written before the waker was registered.
            if response.is_part_waiting.load(Ordering::Acquire) {
                return Poll::Pending;
            }
        }
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_ready() {
            response.exchange.record_activity();
        }
        let part = |bytes| Part::new(bytes, response);
        frame.map(|frame| frame.map(|frame| frame.map(|frame| frame.map_data(part))))
    }

    fn is_end_stream(&self) -> bool {
        let is_end_held =
            self.ends_separately && self.response.is_part_waiting.load(Ordering::Acquire);
        !is_end_held && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Bytes of a response, until they are written.
pub(super) struct Part {
    bytes: Bytes,
    response: Arc<ResponseInFlight>,
}

impl Part {
    fn new(bytes: Bytes, response: Arc<ResponseInFlight>) -> Self {
        response.is_part_waiting.store(true, Ordering::Release);
        response.progress.part_started(response.is_in_memory);
        Self { bytes, response }
    }
}

impl Buf for Part {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.response.progress.bytes_written();
        self.response.exchange.record_activity();
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.response.progress.part_finished(self.response.is_in_memory);
        self.response.is_part_waiting.store(false, Ordering::Release);
        self.response.part_written.wake();
    }
}
