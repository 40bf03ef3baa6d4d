//! The server on a local port, and a TCP client that writes and reads raw bytes.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use sallyport::http;
use sallyport::http::server::ConnectionLimits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::api::service::Service;
use crate::databases::Database;

/// Longer than all limits in these tests. A wait of this time counts as endless.
pub const LONG_TIMEOUT: Duration = Duration::from_secs(20);

/// Limits with timeouts that a test can wait for.
pub const SHORT_LIMITS: ConnectionLimits = ConnectionLimits {
    max_connections: 100,
    max_per_address: 100,
    proxies: Vec::new(),
    first_request_timeout: Duration::from_millis(300),
    idle_timeout: Duration::from_millis(300),
    body_timeout: Duration::from_millis(300),
    close_timeout: Duration::from_millis(100),
    stall_timeout: Duration::from_millis(300),
    response_timeout: Duration::from_secs(1),
    max_unread_bytes: 64 * 1024 * 1024,
    max_body_bytes: 64 * 1024 * 1024,
};

/// Idle connections stay open; unread responses time out.
pub fn without_idle_timeouts() -> ConnectionLimits {
    ConnectionLimits {
        first_request_timeout: LONG_TIMEOUT,
        idle_timeout: LONG_TIMEOUT,
        ..SHORT_LIMITS
    }
}

/// Fails where the future does not complete.
pub async fn with_timeout<T>(done: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG_TIMEOUT, done).await.expect("it completes")
}

pub struct Server {
    pub address: SocketAddr,
    stopping: oneshot::Sender<()>,
    running: JoinHandle<()>,
    _database: Option<Database>,
}

impl Server {
    pub async fn start(flags: &str, limits: ConnectionLimits) -> Self {
        let database = Database::sqlite();
        let service = Service::start(&database, flags).await;
        Self { _database: Some(database), ..Self::with(service.router(), limits).await }
    }

    /// A server with these routes.
    pub async fn with(router: Router, limits: ConnectionLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stopping, stopped) = oneshot::channel();
        let stop = async move { drop(stopped.await) };
        let running = tokio::spawn(http::serve(listener, router, limits, stop));
        Self { address, stopping, running, _database: None }
    }

    pub async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    /// Waits until a connection is accepted, after others have ended.
    pub async fn wait_for_free_connection(&self) {
        with_timeout(async {
            loop {
                let mut client = self.connect().await;
                client.write("HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
                let said = client.read_to_end_of_stream().await;
                if !said.is_empty() && !said.starts_with("HTTP/1.1 503") {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
    }

    /// Starts the shutdown. The task ends when the server has stopped.
    pub fn stop(self) -> JoinHandle<()> {
        self.stopping.send(()).unwrap();
        self.running
    }
}

pub struct Client<S = TcpStream>(S);

impl Client {
    /// The halves for reading and for writing.
    pub fn split(self) -> (Client<OwnedReadHalf>, Client<OwnedWriteHalf>) {
        let (reader, writer) = self.0.into_split();
        (Client(reader), Client(writer))
    }

    pub async fn get(&mut self, path: &str) -> String {
        self.write(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
        self.read_response().await
    }
}

impl<S: AsyncWriteExt + Unpin> Client<S> {
    /// Writes bytes; fails where the server does not read them.
    pub async fn must_write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.expect("the server reads");
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        // Ignored: the server may have closed the connection.
        let _ = self.0.write_all(bytes.as_ref()).await;
    }
}

impl<S: AsyncReadExt + Unpin> Client<S> {
    /// Reads until the server closes the connection.
    pub async fn read_to_end_of_stream(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(LONG_TIMEOUT, self.0.read_to_end(&mut bytes)).await;
        // An error, such as a reset, is an end, too.
        let _ = read.expect("the server closes");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads one response with `Content-Length`.
    pub async fn read_response(&mut self) -> String {
        let mut text = String::new();
        loop {
            let bytes = self.read_some().await;
            text.push_str(&String::from_utf8_lossy(&bytes));
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.unwrap().parse().unwrap() {
                return text;
            }
        }
    }

    /// Reads some bytes; fails at the end of the stream.
    pub async fn read_some(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; 64 * 1024];
        let read = tokio::time::timeout(LONG_TIMEOUT, self.0.read(&mut bytes)).await;
        let count = read.expect("an answer").unwrap();
        assert_ne!(count, 0, "the server closed");
        bytes.truncate(count);
        bytes
    }
}

/// The head of a request with a body of this many bytes.
pub fn head(length: usize) -> String {
    format!(
        "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n"
    )
}
