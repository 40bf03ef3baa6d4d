//! The real server on a port of its own, and clients that write bytes.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use sallyport::http::server::{self, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::api::service::Service;
use crate::databases::Database;

/// Longer than any limit of these tests, so that what takes this long never ends.
pub const NEVER: Duration = Duration::from_secs(20);

/// Limits that a test can wait for.
pub const SHORT: Limits = Limits {
    connections: 100,
    of_address: 100,
    shared: Vec::new(),
    first_request: Duration::from_millis(300),
    idle: Duration::from_millis(300),
    body: Duration::from_millis(300),
    farewell: Duration::from_millis(100),
    stalled: Duration::from_millis(300),
    answer: Duration::from_secs(1),
    answers: 64 * 1024 * 1024,
    bodies: 64 * 1024 * 1024,
};

/// Connections live on; answers that nobody reads do not.
pub fn patient() -> Limits {
    Limits { first_request: NEVER, idle: NEVER, ..SHORT }
}

/// Fails where that is never done.
pub async fn in_time<T>(done: impl Future<Output = T>) -> T {
    tokio::time::timeout(NEVER, done).await.expect("an end")
}

/// A server. It is told to stop with [`stop`](Self::stop).
pub struct Server {
    pub address: SocketAddr,
    stopping: oneshot::Sender<()>,
    running: JoinHandle<()>,
    _database: Option<Database>,
}

impl Server {
    pub async fn start(flags: &str, limits: Limits) -> Self {
        let database = Database::sqlite();
        let service = Service::start(&database, flags).await;
        Self { _database: Some(database), ..Self::with(service.router(), limits).await }
    }

    /// A server of other routes.
    pub async fn with(router: Router, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stopping, stopped) = oneshot::channel();
        let stop = async move { drop(stopped.await) };
        let running = tokio::spawn(server::serve(listener, router, limits, stop));
        Self { address, stopping, running, _database: None }
    }

    pub async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    /// Waits until it has room for a connection: one ends when the server notices.
    pub async fn until_free(&self) {
        in_time(async {
            loop {
                let mut client = self.connect().await;
                client.write("HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
                let said = client.rest().await;
                if !said.is_empty() && !said.starts_with("HTTP/1.1 503") {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
    }

    /// Tells it to stop; what ends when it has.
    pub fn stop(self) -> JoinHandle<()> {
        self.stopping.send(()).unwrap();
        self.running
    }
}

/// A client that writes what it likes.
pub struct Client<S = TcpStream>(S);

impl Client {
    /// One half that reads, one that writes.
    pub fn split(self) -> (Client<OwnedReadHalf>, Client<OwnedWriteHalf>) {
        let (reader, writer) = self.0.into_split();
        (Client(reader), Client(writer))
    }

    pub async fn get(&mut self, path: &str) -> String {
        self.write(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
        self.answer().await
    }
}

impl<S: AsyncWriteExt + Unpin> Client<S> {
    /// Writes what the server must take.
    pub async fn must_write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.expect("the server reads");
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        // A server that has closed may refuse more.
        let _ = self.0.write_all(bytes.as_ref()).await;
    }
}

impl<S: AsyncReadExt + Unpin> Client<S> {
    /// All that comes until the server closes.
    pub async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(NEVER, self.0.read_to_end(&mut bytes)).await;
        // A reset is an end, too.
        let _ = read.expect("the server closes");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// One answer, whose head has a length.
    pub async fn answer(&mut self) -> String {
        let mut text = String::new();
        loop {
            let bytes = self.some().await;
            text.push_str(&String::from_utf8_lossy(&bytes));
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.unwrap().parse().unwrap() {
                return text;
            }
        }
    }

    /// Some bytes, which must come.
    pub async fn some(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; 64 * 1024];
        let read = tokio::time::timeout(NEVER, self.0.read(&mut bytes)).await;
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
