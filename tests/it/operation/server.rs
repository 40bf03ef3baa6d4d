//! The program as a process, started as by an operator.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

/// A secret that must not appear in any output.
pub const PASSWORD: &str = "tangerine-orbit-quartz-41";

/// Killed on drop.
pub struct Server {
    pub address: SocketAddr,
    pub metrics: SocketAddr,
    child: Child,
    log: Option<JoinHandle<Vec<String>>>,
    directory: Option<TempDir>,
}

/// The program with arguments and a database in the directory.
pub fn program(directory: &TempDir, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sallyport"));
    let database = format!("sqlite://{}/test.db", directory.path().display());
    command
        .args(arguments.split_whitespace())
        .env("SALLYPORT_DATABASE_URL", database)
        .env("SALLYPORT_ADMIN_PASSWORD", PASSWORD)
        .stdin(Stdio::null());
    command
}

impl Server {
    /// Starts a server on free ports.
    pub fn start(flags: &str) -> Self {
        Self::start_unread(flags).0
    }

    /// As [`Server::start`]; its log is not read until the sender is dropped.
    pub fn start_unread(flags: &str) -> (Self, Sender<()>) {
        let directory = TempDir::new().expect("a directory");
        let (mut server, reader) = Self::begin(&directory, flags);
        server.directory = Some(directory);
        (server, reader)
    }

    /// As [`Server::start`], with the database in an existing directory.
    pub fn start_in(directory: &TempDir, flags: &str) -> Self {
        Self::begin(directory, flags).0
    }

    /// Starts a server whose settings have both ports.
    pub fn start_with(program: Command) -> Self {
        Self::begin_with(program).0
    }

    fn begin(directory: &TempDir, flags: &str) -> (Self, Sender<()>) {
        let ports = "serve --listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 --log-format json";
        Self::begin_with(program(directory, &format!("{ports} {flags}")))
    }

    fn begin_with(mut program: Command) -> (Self, Sender<()>) {
        let mut child =
            program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        let (reader, standing_still) = channel::<()>();
        let log = std::thread::spawn(move || {
            let _ = standing_still.recv();
            log.lines().map_while(Result::ok).collect()
        });
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut address = |path: &str| {
            let ending = |line: &String| line.ends_with(path);
            let line = lines.by_ref().map_while(Result::ok).find(ending).expect("its line");
            let address = line.trim_end_matches(path).rsplit_once("http://").expect("an address").1;
            address.parse().expect("an address")
        };
        let (address, metrics) = (address("/graphql"), address("/metrics"));
        (Self { address, metrics, child, log: Some(log), directory: None }, reader)
    }

    pub fn gone(&mut self) -> ExitStatus {
        self.child.wait().expect("an end")
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().expect("kill");
        assert!(sent.success());
    }

    /// Stops the server by a signal, checks that it succeeded, and returns its log.
    pub fn stop(self, signal: &str) -> Vec<String> {
        self.signal(signal);
        let (status, log) = self.end();
        assert!(status.success(), "{status}");
        log
    }

    /// Waits for the end of the process; returns its status and log.
    pub fn end(mut self) -> (ExitStatus, Vec<String>) {
        let status = self.child.wait().expect("an end");
        let log = self.log.take().expect("a log").join().expect("a log");
        (status, log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
    }
}

/// A request in flight.
pub struct Exchange(BufReader<TcpStream>);

impl Exchange {
    /// Starts a login that the server has accepted (`100 Continue`), without its body.
    pub fn accepted(address: SocketAddr) -> (Self, String) {
        let body = login_body();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let mut exchange = Self::begin(address, &head).expect("a connection");
        assert_eq!(exchange.line(), "HTTP/1.1 100 Continue");
        exchange.line();
        (exchange, body)
    }

    /// Connects and sends.
    pub fn begin(address: SocketAddr, text: &str) -> std::io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(text.as_bytes())?;
        Ok(Self(BufReader::new(stream)))
    }

    pub fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).expect("the server reads");
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("an answer");
        line.trim_end().to_owned()
    }

    /// Reads until the server closes the connection.
    pub fn answer(&mut self) -> std::io::Result<String> {
        let mut answer = Vec::new();
        self.0.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

/// A login of the first account.
pub fn login_body() -> String {
    let query = "mutation LogIn($p: String!) { login(input: { username: \"admin\", password: $p }) \
                 { tokens { accessToken } errors { code } } }";
    json!({ "query": query, "variables": { "p": PASSWORD } }).to_string()
}

/// One request on a new connection; returns the whole response.
pub fn request(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> String {
    let text = format!(
        "{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\
         {headers}\r\n{body}",
        body.len()
    );
    Exchange::begin(address, &text).and_then(|mut exchange| exchange.answer()).expect("an answer")
}
