//! TCP stream of a connection, with its permit in the connection quota.
//!
//! A write of which the system takes no byte for some seconds fails, which ends the connection,
//! whatever it would have written: the timeouts of responses (`write_timeout`) do not see heads, nor
//! the last bytes of a response that was cancelled.
//!
//! It writes the header names of a response to a WebSocket upgrade in title case, because some
//! WebSocket clients compare `Upgrade` with regard to case. The HTTP library writes title case for all
//! responses of a connection or for none, and for all it costs each request three percent of its time.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::http::quota::Permit;

/// Start of the head of a response to an upgrade.
const SWITCHING_PROTOCOLS: &[u8] = b"HTTP/1.1 101 ";

/// A connection and its permit. A WebSocket to which a request is upgraded takes both over.
pub(super) struct ConnectionStream {
    stream: TcpStream,
    stall: StallTimer,
    upgrade: UpgradeFlag,
    _permit: Permit,
}

/// The time for which no byte could be written.
struct StallTimer {
    timeout: Duration,
    /// Only while a write waits.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl StallTimer {
    fn apply(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.sleep = None;
            return written;
        }
        let timeout = self.timeout;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        sleep.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Whether a response to an upgrade is about to be written.
#[derive(Clone, Debug, Default)]
pub(super) struct UpgradeFlag(Arc<AtomicBool>);

impl UpgradeFlag {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl ConnectionStream {
    pub(super) fn new(stream: TcpStream, stall_timeout: Duration, permit: Permit) -> Self {
        let stall = StallTimer { timeout: stall_timeout, sleep: None };
        Self { stream, stall, upgrade: UpgradeFlag::default(), _permit: permit }
    }

    /// Sends each write at once (`TCP_NODELAY`): responses are small, and waiting for a full packet
    /// would only delay them.
    pub(super) fn disable_nagle(&self) {
        // It fails only where the connection has ended.
        let _ = self.stream.set_nodelay(true);
    }

    pub(super) fn upgrade_flag(&self) -> UpgradeFlag {
        self.upgrade.clone()
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.get_mut().stream)
    }

    /// If these bytes are a head of a response to an upgrade: the same number of bytes, with header
    /// names in title case.
    fn upgrade_head(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let is_upgrade =
            self.upgrade.0.load(Ordering::Acquire) && bytes.starts_with(SWITCHING_PROTOCOLS);
        is_upgrade.then(|| in_title_case(bytes))
    }
}

/// The head with header names in title case, such as `Sec-Websocket-Accept`.
fn in_title_case(head: &[u8]) -> Vec<u8> {
    let mut cased = head.to_vec();
    for line in cased.split_inclusive_mut(|byte| *byte == b'\n').skip(1) {
        let mut is_first = true;
        for byte in line.iter_mut().take_while(|byte| **byte != b':') {
            if is_first {
                byte.make_ascii_uppercase();
            }
            is_first = *byte == b'-';
        }
    }
    cased
}

impl AsyncRead for ConnectionStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(context, buffer)
    }
}

impl AsyncWrite for ConnectionStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let head = self.upgrade_head(bytes);
        let Self { stream, stall, .. } = self.get_mut();
        let bytes = head.as_deref().unwrap_or(bytes);
        let written = Pin::new(stream).poll_write(context, bytes);
        stall.apply(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let head = slices.first().and_then(|head| self.upgrade_head(head));
        let Self { stream, stall, .. } = self.get_mut();
        let stream = Pin::new(stream);
        let written = match head {
            Some(head) => stream.poll_write(context, &head),
            None => stream.poll_write_vectored(context, slices),
        };
        stall.apply(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_with_capital_letters_and_values_stay() {
        let head = "HTTP/1.1 101 switching-it\r\nupgrade: web-socket\r\nsec-websocket-accept: a-b:c-d\r\n\r\n";
        let cased = "HTTP/1.1 101 switching-it\r\nUpgrade: web-socket\r\nSec-Websocket-Accept: a-b:c-d\r\n\r\n";
        assert_eq!(in_title_case(head.as_bytes()), cased.as_bytes());
    }
}
