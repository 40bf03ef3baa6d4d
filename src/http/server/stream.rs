//! The stream of a connection.
//!
//! Some clients of sockets look for `Upgrade` in the answer to an upgrade by these very letters. Rule:
//! the names of that answer's headers are written in title case, here, where it leaves: the library
//! does so for all answers of a connection or for none, which costs every request three percent of its
//! time.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::places::Place;

/// How the head of an answer to an upgrade begins.
const SWITCHING: &[u8] = b"HTTP/1.1 101 ";

/// A connection and its place among those there may be. A socket that a request was upgraded to
/// takes both along.
pub(super) struct ConnectionStream {
    stream: TcpStream,
    upgrades: Upgrades,
    _place: Place,
}

/// Whether the answer to an upgrade is about to be written.
#[derive(Clone, Debug, Default)]
pub(super) struct Upgrades(Arc<AtomicBool>);

impl Upgrades {
    /// Marks the next head as the answer to an upgrade.
    pub(super) fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl ConnectionStream {
    pub(super) fn new(stream: TcpStream, place: Place) -> Self {
        Self { stream, upgrades: Upgrades::default(), _place: place }
    }

    /// Does not wait to fill a packet: answers are small, and it would only make them late.
    pub(super) fn send_at_once(&self) {
        // A connection that cannot be told so is over.
        let _ = self.stream.set_nodelay(true);
    }

    /// To be told of upgrades.
    pub(super) fn upgrades(&self) -> Upgrades {
        self.upgrades.clone()
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.get_mut().stream)
    }

    /// The head of the answer to an upgrade as it is to be written, where these bytes are one: as many.
    fn head_of_upgrade(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let is_one = self.upgrades.0.load(Ordering::Acquire) && bytes.starts_with(SWITCHING);
        is_one.then(|| in_title_case(bytes))
    }
}

/// A head whose names of headers begin each of their words with a capital letter.
fn in_title_case(head: &[u8]) -> Vec<u8> {
    let mut cased = head.to_vec();
    for line in cased.split_inclusive_mut(|byte| *byte == b'\n').skip(1) {
        let mut begins = true;
        for byte in line.iter_mut().take_while(|byte| **byte != b':') {
            if begins {
                byte.make_ascii_uppercase();
            }
            begins = *byte == b'-';
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
        match self.head_of_upgrade(bytes) {
            Some(head) => self.stream().poll_write(context, &head),
            None => self.stream().poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match slices.first().and_then(|head| self.head_of_upgrade(head)) {
            Some(head) => self.stream().poll_write(context, &head),
            None => self.stream().poll_write_vectored(context, slices),
        }
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
