//! The service under load: the program itself, as a process with its own database.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::database::Database;
use crate::driver::{Connection, post};

/// Password of `admin`, the account of all clients.
pub const PASSWORD: &str = "tangerine-orbit-quartz-41";

/// Killed on drop.
pub struct Service {
    process: Child,
    pub address: SocketAddr,
    /// Time from start to readiness.
    pub started_in: Duration,
}

/// Tokens of one login.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl Service {
    pub async fn start(database: &Database, flags: &[&str]) -> Self {
        let began = Instant::now();
        let mut process = Command::new(env!("CARGO_BIN_EXE_sallyport"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
            .args(["--database-url", &database.url()])
            .args(flags)
            .env("SALLYPORT_SECRET", "0123456789abcdefghijklmnopqrstuv")
            .env("SALLYPORT_ADMIN_PASSWORD", PASSWORD)
            // What is measured is the cost of a login, not the limits on them.
            .env("SALLYPORT_THROTTLE", "false")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let address = loop {
            let line = lines.next().expect("the service says where it is").expect("text");
            let address = line.split_once("http://").and_then(|(_, rest)| rest.split('/').next());
            if let Some(address) = address.and_then(|address| address.parse().ok()) {
                break address;
            }
        };
        // What it prints further has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        while status(address, "/readyz").await != Some(200) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Self { process, address, started_in: began.elapsed() }
    }

    pub async fn ask(&self, bearer: Option<&str>, document: &str, variables: Value) -> Value {
        let body = json!({ "query": document, "variables": variables }).to_string();
        let mut request = Vec::new();
        post("/graphql", bearer, &body, &mut request);
        let mut connection = Connection::open(self.address).await;
        let (_, body) = connection.exchange(&request).await.expect("an answer");
        serde_json::from_slice(body).expect("JSON")
    }

    pub async fn log_in(&self, times: usize) -> Vec<Tokens> {
        let mut all = Vec::with_capacity(times);
        for _ in 0..times {
            let answer = self.ask(None, &login(), Value::Null).await;
            let tokens = &answer["data"]["login"]["tokens"];
            let text = |name: &str| tokens[name].as_str().map(str::to_owned);
            let (Some(access), Some(refresh)) = (text("accessToken"), text("refreshToken")) else {
                panic!("no login: {answer}");
            };
            all.push(Tokens { access, refresh });
        }
        all
    }

    /// Resident memory in MB.
    pub fn resident(&self) -> f64 {
        resident(self.process.id())
    }
}

/// In MB.
pub fn resident(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kilobytes.map_or(f64::NAN, |kilobytes| kilobytes * 1024.0 / 1e6)
}

impl Drop for Service {
    fn drop(&mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        if asked.is_err() {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

pub fn login() -> String {
    format!(
        "mutation {{ login(input: {{ username: \"admin\", password: \"{PASSWORD}\" }}) \
         {{ tokens {{ accessToken refreshToken }} }} }}"
    )
}

/// Status of the answer to a GET; `None` without an answer.
pub async fn status(address: SocketAddr, path: &str) -> Option<u16> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    tokio::net::TcpStream::connect(address).await.ok()?;
    let mut connection = Connection::open(address).await;
    connection.exchange(request.as_bytes()).await.map(|(status, _)| status)
}
