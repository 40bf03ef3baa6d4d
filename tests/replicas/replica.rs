//! One process of the service, started as by an operator.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::{http, is_long};

/// Password of `admin`, the account of all browsers.
pub const PASSWORD: &str = "tangerine-orbit-quartz-41";

#[derive(Clone, Debug, Default)]
pub struct Spec {
    pub database_url: String,
    /// Flags of `serve`.
    pub flags: Vec<String>,
    /// Command that starts the binary, e.g. `faketime`.
    pub wrapper: Vec<String>,
    /// Environment variables.
    pub variables: Vec<(String, String)>,
}

impl Spec {
    pub fn new(database_url: impl Into<String>) -> Self {
        Self { database_url: database_url.into(), ..Self::default() }
    }

    pub fn with(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|&flag| flag.to_owned()));
        self
    }
}

/// A process that can be killed and started again.
pub struct Replica {
    pub number: usize,
    spec: Spec,
    log: PathBuf,
    running: Mutex<Option<(Child, SocketAddr)>>,
}

impl Replica {
    /// Waits until the process is ready.
    pub async fn start(name: &str, number: usize, spec: Spec) -> Arc<Self> {
        let log = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{number}.log"));
        let _ = fs::remove_file(&log);
        let replica = Arc::new(Self { number, spec, log, running: Mutex::default() });
        replica.restart().await;
        replica
    }

    /// Returns the time until the process was ready.
    pub async fn restart(&self) -> Duration {
        self.kill();
        let began = Instant::now();
        let mut child = self.spawn();
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let banner = tokio::task::spawn_blocking(move || {
            stdout.lines().map_while(Result::ok).find_map(|line| {
                let (_, address) = line.split_once("http://")?;
                address.split('/').next()?.parse().ok()
            })
        });
        let address: SocketAddr =
            banner.await.unwrap().unwrap_or_else(|| panic!("no start: see {}", self.log.display()));
        *self.running.lock().unwrap() = Some((child, address));
        let ready = async {
            while http::readiness(address).await.is_none_or(|(status, _)| status != 200) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), ready).await.expect("ready");
        began.elapsed()
    }

    fn spawn(&self) -> Child {
        let binary = env!("CARGO_BIN_EXE_sallyport").to_owned();
        let line = [self.spec.wrapper.clone(), vec![binary]].concat();
        let log = File::options().create(true).append(true).open(&self.log).expect("a log");
        let variables = self.spec.variables.iter().map(|(name, value)| (name, value));
        Command::new(&line[0])
            .args(&line[1..])
            .args(["serve", "--listen", "127.0.0.1:0", "--database-url", &self.spec.database_url])
            .args(["--hashing-memory", "8", "--hashing-passes", "1", "--log-format", "json"])
            .args(&self.spec.flags)
            .env("SALLYPORT_SECRET", "0123456789abcdefghijklmnopqrstuv")
            .env("SALLYPORT_ADMIN_PASSWORD", PASSWORD)
            .env("SALLYPORT_THROTTLE", "false")
            // On a machine that is busy with other tests, a refresh may be repeated later than the default.
            .env("SALLYPORT_REFRESH_RETRY_WINDOW", if is_long() { "10s" } else { "60s" })
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the binary")
    }

    /// The last address while the process is dead.
    pub fn address(&self) -> SocketAddr {
        self.running.lock().unwrap().as_ref().expect("a replica that was started").1
    }

    pub fn pid(&self) -> u32 {
        self.running.lock().unwrap().as_ref().expect("a replica that was started").0.id()
    }

    /// `kill -9`.
    pub fn kill(&self) {
        if let Some((child, _)) = self.running.lock().unwrap().as_mut() {
            let _ = (child.kill(), child.wait());
        }
    }

    pub fn signal(&self, name: &str) {
        signal(name, &[self.pid()]);
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
    }
}

pub fn signal(name: &str, pids: &[u32]) {
    let pids = pids.iter().map(u32::to_string);
    let sent = Command::new("kill").arg(format!("-{name}")).args(pids).status();
    assert!(sent.unwrap().success(), "kill -{name}");
}
