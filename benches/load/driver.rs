//! Load driver: one connection per client, with one request in flight.
//!
//! It shares the processors with the service under load, so it uses one thread, and of an answer it reads
//! only the status, the length and the text that a client looks for.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Source of the requests of one connection; the next may depend on the last answer.
pub trait Client: Send + 'static {
    /// Appends the bytes of the next request.
    fn request(&mut self, into: &mut Vec<u8>);

    /// Returns false for an answer that is not as expected.
    fn is_good_answer(&mut self, status: u16, body: &[u8]) -> bool;
}

#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Good answers per second.
    pub rate: f64,
    pub bad: usize,
    latencies: Vec<u32>,
}

impl Measured {
    /// A percentile, in thousandths, of the latency in milliseconds.
    pub fn per_mille(&self, share: usize) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let at = (self.latencies.len() * share / 1000).min(last);
        self.latencies.get(at).map_or(f64::NAN, |&micros| f64::from(micros) / 1000.0)
    }

    pub fn p99(&self) -> f64 {
        self.per_mille(990)
    }

    /// Adds the latencies of another run, not its rate.
    pub fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.latencies.sort_unstable();
    }
}

/// Runs the clients for a time on a thread of their own, and returns them.
pub async fn run<V: Client>(
    address: SocketAddr,
    clients: Vec<V>,
    time: Duration,
) -> (Measured, Vec<V>) {
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(drive(address, clients, time))
    };
    tokio::task::spawn_blocking(run).await.expect("the load")
}

async fn drive<V: Client>(
    address: SocketAddr,
    clients: Vec<V>,
    time: Duration,
) -> (Measured, Vec<V>) {
    let began = Instant::now();
    let mut visits = JoinSet::new();
    for client in clients {
        visits.spawn(drive_one(address, client, began + time));
    }
    let (mut all, mut clients) = (Measured::default(), Vec::new());
    while let Some(visit) = visits.join_next().await {
        let (latencies, bad, client) = visit.expect("a visit");
        all.latencies.extend(latencies);
        all.bad += bad;
        clients.push(client);
    }
    let good = u32::try_from(all.latencies.len()).unwrap_or(u32::MAX);
    all.rate = f64::from(good) / began.elapsed().as_secs_f64();
    all.latencies.sort_unstable();
    (all, clients)
}

async fn drive_one<V: Client>(
    address: SocketAddr,
    mut client: V,
    until: Instant,
) -> (Vec<u32>, usize, V) {
    let (mut latencies, mut bad) = (Vec::new(), 0);
    let mut connection = Connection::open(address).await;
    let mut request = Vec::new();
    while Instant::now() < until {
        request.clear();
        client.request(&mut request);
        let began = Instant::now();
        let Some((status, body)) = connection.exchange(&request).await else {
            bad += 1;
            connection = Connection::open(address).await;
            continue;
        };
        if client.is_good_answer(status, body) {
            latencies.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
        } else {
            bad += 1;
        }
    }
    (latencies, bad, client)
}

pub struct Connection {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, bytes: Vec::with_capacity(8192) }
    }

    /// Sends one request and reads the status and the body; `None` without an answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Option<(u16, &[u8])> {
        self.stream.write_all(request).await.ok()?;
        self.bytes.clear();
        let (status, head, length) = loop {
            if self.stream.read_buf(&mut self.bytes).await.ok()? == 0 {
                return None;
            }
            if let Some(head) = read_head(&self.bytes) {
                break head;
            }
        };
        while self.bytes.len() < head + length {
            if self.stream.read_buf(&mut self.bytes).await.ok()? == 0 {
                return None;
            }
        }
        Some((status, &self.bytes[head..head + length]))
    }

    /// The last answer, with its head.
    pub fn answer(&self) -> &[u8] {
        &self.bytes
    }
}

/// Status, length of the head and of the body; `None` until the head is complete.
fn read_head(bytes: &[u8]) -> Option<(u16, usize, usize)> {
    const LENGTH: &[u8] = b"content-length:";
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let length = bytes[..head].split(|&byte| byte == b'\n').find_map(|line| {
        let name = line.get(..LENGTH.len())?;
        name.eq_ignore_ascii_case(LENGTH).then(|| number(&line[LENGTH.len()..]))
    });
    Some((u16::try_from(number(bytes.get(9..12)?)).ok()?, head + 4, length.unwrap_or(0)))
}

fn number(text: &[u8]) -> usize {
    let digits = text.iter().filter(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}

pub fn post(path: &str, bearer: Option<&str>, body: &str, into: &mut Vec<u8>) {
    let bearer = bearer.map(|token| format!("authorization: Bearer {token}\r\n"));
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{}\
         content-length: {}\r\n\r\n",
        bearer.unwrap_or_default(),
        body.len()
    );
    into.extend_from_slice(head.as_bytes());
    into.extend_from_slice(body.as_bytes());
}

/// Sends a number of requests of one client.
pub async fn run_times(address: SocketAddr, mut client: impl Client, times: usize) -> Measured {
    let mut connection = Connection::open(address).await;
    let (mut measured, mut request) = (Measured::default(), Vec::new());
    for _ in 0..times {
        request.clear();
        client.request(&mut request);
        let began = Instant::now();
        let answer = connection.exchange(&request).await;
        let is_good = answer.is_some_and(|(status, body)| client.is_good_answer(status, body));
        measured.bad += usize::from(!is_good);
        measured.latencies.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    measured.latencies.sort_unstable();
    measured
}
