//! The body of an answer on its way to the client.
//!
//! Rule: it counts until the last byte is written, or until it is given up, and not only until the
//! library has taken it over. One part is handed over at a time, and on HTTP/2 the end of all but the
//! smallest after the last byte: a stream that has ended cannot be reset, and the library would keep
//! what is left of it for as long as the connection lives.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use bytes::Buf;
use futures_util::task::AtomicWaker;
use http_body::{Frame, SizeHint};

use super::activity::Exchange;
use super::memory::HeldBytes;
use super::progress::Progress;

/// The largest answer of HTTP/2 whose end goes along with its bytes.
const SMALL: u64 = 1024;

/// The client did not read the answer.
#[derive(Debug, thiserror::Error)]
#[error("the client did not read the answer")]
struct Unread;

/// The body of an answer, which is a part of the binary and takes no memory. In the extensions of the
/// answer.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct InBinary;

/// An answer under way, until its body and the last part of it are gone.
#[derive(Debug)]
struct Sending {
    exchange: Exchange,
    progress: Arc<Progress>,
    /// The memory it takes, where that is known beforehand.
    held: HeldBytes,
    is_owned: bool,
    /// Whether a part is handed over and not written.
    is_waiting: AtomicBool,
    written: AtomicWaker,
}

impl Drop for Sending {
    fn drop(&mut self) {
        let connection = self.exchange.connection();
        self.held.release(&connection.unread, &connection.memory.answers);
        connection.answered();
    }
}

/// The body of an answer.
pub(super) struct Watched {
    body: Body,
    sending: Arc<Sending>,
    ends_apart: bool,
}

/// How many bytes unread answers may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Those of the connection, before another one is added.
    pub(super) connection: usize,
    /// Those of all connections.
    pub(super) all: usize,
}

impl Watched {
    /// # Errors
    /// The exchange, where there is no room for the answer.
    pub(super) fn new(
        body: Body,
        exchange: Exchange,
        is_owned: bool,
        most: Bounds,
    ) -> Result<Self, Exchange> {
        let size = http_body::Body::size_hint(&body).exact();
        let bytes = size.filter(|_| is_owned).and_then(|size| usize::try_from(size).ok());
        let bytes = bytes.unwrap_or_default();
        let connection = exchange.connection();
        let memory = &connection.memory;
        connection.made(bytes);
        let mut held = HeldBytes::default();
        let has_room = held.add(bytes, &connection.unread, &memory.answers, most.all);
        if !has_room && memory.warning.is_over() {
            tracing::warn!(bytes = most.all, "no memory for more unread answers: refusing");
        }
        let others = connection.unread.amount().saturating_sub(bytes);
        if has_room && (bytes == 0 || others <= most.connection) {
            Ok(Self::of(body, exchange, is_owned, held))
        } else {
            held.release(&connection.unread, &memory.answers);
            Err(exchange)
        }
    }

    /// A body that is always the same few bytes.
    pub(super) fn free(body: Body, exchange: Exchange) -> Self {
        Self::of(body, exchange, true, HeldBytes::default())
    }

    fn of(body: Body, exchange: Exchange, is_owned: bool, held: HeldBytes) -> Self {
        let sending = Sending {
            exchange,
            progress: Progress::current(),
            held,
            is_owned,
            is_waiting: AtomicBool::new(false),
            written: AtomicWaker::new(),
        };
        let size = http_body::Body::size_hint(&body).exact();
        let ends_apart = size.is_none_or(|size| size > SMALL);
        Self { body, sending: Arc::new(sending), ends_apart }
    }

    /// For HTTP/1.1, where the end of an answer takes nothing back.
    pub(super) fn of_http_1(self) -> Self {
        Self { ends_apart: false, ..self }
    }
}

impl http_body::Body for Watched {
    type Data = Part;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Part>, axum::Error>>> {
        let sending = Arc::clone(&self.sending);
        if sending.progress.is_given_up() {
            return Poll::Ready(Some(Err(axum::Error::new(Unread))));
        }
        if sending.is_waiting.load(Ordering::Acquire) {
            sending.written.register(context.waker());
            if sending.is_waiting.load(Ordering::Acquire) {
                return Poll::Pending;
            }
        }
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_ready() {
            sending.exchange.moved();
        }
        let part = |bytes| Part::new(bytes, sending);
        frame.map(|frame| frame.map(|frame| frame.map(|frame| frame.map_data(part))))
    }

    fn is_end_stream(&self) -> bool {
        let is_held = self.ends_apart && self.sending.is_waiting.load(Ordering::Acquire);
        !is_held && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Bytes of an answer, until they are written.
pub(super) struct Part {
    bytes: Bytes,
    sending: Arc<Sending>,
}

impl Part {
    fn new(bytes: Bytes, sending: Arc<Sending>) -> Self {
        sending.is_waiting.store(true, Ordering::Release);
        sending.progress.begin(sending.is_owned);
        Self { bytes, sending }
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
        self.sending.progress.moved();
        self.sending.exchange.moved();
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.sending.progress.end(self.sending.is_owned);
        self.sending.is_waiting.store(false, Ordering::Release);
        self.sending.written.wake();
    }
}
