//! TCP proxy between a replica and its database, which injects faults.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Duration, sleep};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Pass,
    /// Keeps all bytes and connections: neither side notices that nothing arrives any more.
    Hold,
    Delay(Duration),
    /// Closes both connections at every n-th statement or commit, alternately before and after it is
    /// passed on.
    CutAtStatements(usize),
}

#[derive(Clone)]
pub struct Proxy {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    mode: watch::Sender<Mode>,
    server: watch::Sender<SocketAddr>,
    /// Incremented to cut all connections.
    cuts: watch::Sender<usize>,
    statements: AtomicUsize,
}

impl Proxy {
    pub async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            mode: watch::Sender::new(Mode::Pass),
            server: watch::Sender::new(server),
            cuts: watch::Sender::new(0),
            statements: AtomicUsize::new(0),
        });
        let accepting = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, Arc::clone(&accepting)));
            }
        });
        Self { address, state }
    }

    pub fn set(&self, mode: Mode) {
        self.state.mode.send_replace(mode);
    }

    /// Closes all connections.
    pub fn cut(&self) {
        self.state.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Connects to another server from the next connection on.
    pub fn aim(&self, server: SocketAddr) {
        self.state.server.send_replace(server);
    }

    /// Number of statements and commits in the mode [`Mode::CutAtStatements`].
    pub fn statements(&self) -> usize {
        self.state.statements.load(Ordering::SeqCst)
    }
}

async fn relay(client: TcpStream, state: Arc<State>) {
    let mut cuts = state.cuts.subscribe();
    let to = *state.server.borrow();
    // In the mode Hold a new connection is held, too.
    wait_for_mode(&state).await;
    let Ok(server) = TcpStream::connect(to).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = pass(from_client, to_server, &state, true) => {}
        () = pass(from_server, to_client, &state, false) => {}
        _ = cuts.changed() => {}
    }
}

/// Waits as long as the mode demands.
async fn wait_for_mode(state: &State) {
    let mut mode = state.mode.subscribe();
    let current = *mode.borrow_and_update();
    if let Mode::Delay(delay) = current {
        sleep(delay).await;
    }
    // The sender lives as long as the state.
    let _ = mode.wait_for(|mode| *mode != Mode::Hold).await;
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &State, asks: bool) {
    let mut bytes = vec![0; 16384];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        wait_for_mode(state).await;
        let mode = *state.mode.borrow();
        let chunk = &bytes[..read];
        if let Mode::CutAtStatements(every) = mode
            && asks
            && is_statement(chunk)
        {
            let count = state.statements.fetch_add(1, Ordering::SeqCst) + 1;
            if count.is_multiple_of(every) {
                if count.is_multiple_of(2 * every) {
                    let _ = to.write_all(chunk).await;
                    // The server receives the statement before the end of the connection.
                    let _ = to.flush().await;
                }
                return;
            }
        }
        if to.write_all(chunk).await.is_err() {
            return;
        }
    }
}

/// Tells whether a message of PostgreSQL's protocol is a bound statement or a commit.
fn is_statement(chunk: &[u8]) -> bool {
    chunk.starts_with(b"B") || (chunk.starts_with(b"Q") && chunk[5..].starts_with(b"COMMIT"))
}
