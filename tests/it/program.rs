//! The program as a process, and HTTP/1.1 requests written by hand.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::databases::Database;

/// Maximum time of any answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Killed on drop.
pub struct Process {
    pub address: SocketAddr,
    pub metrics: Option<SocketAddr>,
    child: Child,
    directory: TempDir,
    _database: Database,
}

/// A response, not decoded.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Process {
    /// Starts the server over the database with these flags and variables; hashes are cheap unless
    /// the flags say otherwise.
    pub fn start(database: &Database, flags: &str, variables: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().expect("a directory");
        let log = File::create(directory.path().join("log")).expect("a log");
        let hashing: &[&str] = if flags.contains("--hashing-memory") {
            &[]
        } else {
            &["--hashing-memory", "8", "--hashing-passes", "1"]
        };
        let mut child = Command::new(env!("CARGO_BIN_EXE_sallyport"))
            .args(["serve", "--listen", "127.0.0.1:0", "--database-url", &database.url])
            .args(hashing)
            .args(flags.split_whitespace())
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the binary");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut said = String::new();
        let mut address_of = |path: &str| loop {
            let Some(Ok(line)) = lines.next() else {
                let log = fs::read_to_string(directory.path().join("log"));
                panic!("it does not start: {said} {log:?}");
            };
            said.push_str(&line);
            said.push('\n');
            let url = line.split_once("http://").and_then(|(_, rest)| rest.strip_suffix(path));
            if let Some(address) = url.and_then(|address| address.parse().ok()) {
                break address;
            }
        };
        let address = address_of("/graphql");
        let metrics = flags.contains("--metrics-listen").then(|| address_of("/metrics"));
        // The rest of what it says, whenever it does.
        let file = directory.path().join("said");
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                said.push_str(&line);
                said.push('\n');
                let _ = fs::write(&file, &said);
            }
        });
        Self { address, metrics, child, directory, _database: database.clone() }
    }

    /// Standard output and standard error so far.
    pub fn written(&self) -> String {
        let read = |name| fs::read(self.directory.path().join(name)).unwrap_or_default();
        let bytes = [read("said"), read("log")].concat();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Stops the process and returns its whole log: that of a running one may end in the middle of a line.
    pub fn end(mut self) -> String {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-s", "TERM", &pid]).status().expect("kill");
        assert!(told.success() && self.child.wait().expect("an end").success());
        let log = fs::read(self.directory.path().join("log")).expect("a log");
        String::from_utf8(log).expect("UTF-8")
    }

    pub fn metrics_page(&self) -> String {
        let stream = TcpStream::connect(self.metrics.expect("--metrics-listen"));
        let stream = stream.expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut connection = Connection(BufReader::new(stream));
        connection.exchange(b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n").body
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Resident memory, in KiB.
    pub fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// Peak resident memory, in KiB.
    pub fn most_resident(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, which: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("Linux's /proc");
        let line = status.lines().find_map(|line| line.strip_prefix(which)).expect("a line");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// The command line, which every user of the machine can read.
    pub fn command_line(&self) -> String {
        let line = fs::read(format!("/proc/{}/cmdline", self.child.id())).expect("Linux's /proc");
        String::from_utf8_lossy(&line).into_owned()
    }

    /// A persistent connection.
    pub fn connect(&self) -> Connection {
        let stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Connection(BufReader::new(stream))
    }

    /// Posts a body with these header lines, each ending in a line break, on a connection of its
    /// own.
    pub fn post(&self, headers: &str, body: &str) -> Answer {
        self.connect().post(headers, body)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
    }
}

/// HTTP/1.1 written by hand: a client library would correct what is sent.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Posts a body with these header lines.
    pub fn post(&mut self, headers: &str, body: &str) -> Answer {
        let length = body.len();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: sallyport\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n{headers}\r\n"
        );
        self.exchange(&[head.as_bytes(), body.as_bytes()].concat())
    }

    pub fn exchange(&mut self, request: &[u8]) -> Answer {
        // Whoever is refused early closes while this side still writes.
        let _ = self.0.get_mut().write_all(request);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = self.0.read_line(&mut head).expect("an answer");
            assert!(read > 0, "closed after {head:?}");
        }
        let mut words = head.split_whitespace();
        let status = words.nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body).expect("the whole answer");
        Answer { status, head, body: String::from_utf8(body).expect("UTF-8") }
    }
}
