//! TCP connection to an SMTP server before it is encrypted.
//!
//! Replies are read byte by byte until TLS begins. Otherwise bytes that an attacker appends to the reply to
//! STARTTLS would wait in a buffer and be taken for replies of the encrypted connection ("NO STARTTLS",
//! USENIX Security 2021). Read one by one, they are the beginning of the handshake, which fails. Their
//! number is limited, because a reply may have no end.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// First byte of a TLS handshake. No command of SMTP begins with it.
const TLS_HANDSHAKE: u8 = 0x16;

#[derive(Debug)]
pub(super) struct SmtpStream {
    tcp: TcpStream,
    is_encrypted: bool,
    /// How much may be read unencrypted.
    bytes_left: usize,
}

impl SmtpStream {
    /// More than all replies of a delivery have.
    const MAX_BYTES: usize = 16 * 1024;

    fn new(tcp: TcpStream) -> Self {
        Self { tcp, is_encrypted: false, bytes_left: Self::MAX_BYTES }
    }

    /// Connects to the first address of a host that answers in time.
    pub(super) async fn connect(host: &str, port: u16, limit: Duration) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in lookup_host((host, port)).await? {
            match timeout(limit, TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => return Ok(Self::new(tcp)),
                Ok(Err(error)) => last = error,
                Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, "no answer in time"),
            }
        }
        Err(last)
    }
}

impl AsyncRead for SmtpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        if stream.is_encrypted || buffer.remaining() == 0 {
            return Pin::new(&mut stream.tcp).poll_read(context, buffer);
        }
        if stream.bytes_left == 0 {
            return Poll::Ready(Err(io::Error::other("the replies of the server are too long")));
        }
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        ready!(Pin::new(&mut stream.tcp).poll_read(context, &mut one))?;
        stream.bytes_left -= one.filled().len();
        buffer.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for SmtpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let stream = self.get_mut();
        stream.is_encrypted |= bytes.first() == Some(&TLS_HANDSHAKE);
        Pin::new(&mut stream.tcp).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(context)
    }
}

impl AsyncTokioStream for SmtpStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.peer_addr()
    }
}
