//! The peer: SimpleJWT with its blacklist on Django, from `benches/peer`.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Scale;
use crate::database::{Database, Kind};
use crate::driver::{Client, run};
use crate::service::status;

/// Number of token pairs: one for guarded queries, and a chain per connection and turn.
const PAIRS: usize = 1 + 3 * 64;

/// Server with two workers of four threads.
pub struct Peer {
    process: Child,
    address: SocketAddr,
    pairs: Vec<(String, String)>,
    _database: Database,
}

impl Peer {
    pub async fn start(kind: Kind, scale: &Scale) -> Option<Self> {
        // A program is found by its whole path from wherever it is started.
        let programs = std::path::absolute(scale.peer.as_ref()?.join("bin")).expect("a path");
        let database = Database::new(kind).await;
        let url = match &database {
            Database::Sqlite(directory) => format!("sqlite:{}/peer.db", directory.path().display()),
            Database::Postgres(url) => url.clone(),
        };
        said(&programs, &url, &["project.py", "migrate", "-v0"]);
        let pairs = said(&programs, &url, &["project.py", "pairs", &PAIRS.to_string()]);
        let pairs = pairs.lines().filter_map(|line| line.split_once(' '));
        let pairs =
            pairs.map(|(access, refresh)| (access.to_owned(), refresh.to_owned())).collect();
        let address = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr());
        let address = address.expect("a port");
        let process = Command::new(programs.join("gunicorn"))
            .args(["project:application", "--bind", &address.to_string(), "--workers", "2"])
            .args(["--worker-class", "gthread", "--threads", "4", "--keep-alive", "75"])
            .args(["--log-level", "warning", "--no-control-socket"])
            .env("DATABASE_URL", &url)
            .current_dir(project())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("gunicorn");
        while status(address, "/me/").await != Some(401) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(Self { process, address, pairs, _database: database })
    }

    /// A pair of an access token and a refresh token.
    pub fn pair(&self, at: usize) -> &(String, String) {
        &self.pairs[at]
    }

    /// Good answers per second.
    pub async fn rate<V: Client>(&self, clients: Vec<V>, scale: &Scale) -> f64 {
        let (measured, _) = run(self.address, clients, scale.time).await;
        measured.rate
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        if asked.is_err() {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peer")
}

/// Output of the project's program.
fn said(programs: &Path, url: &str, arguments: &[&str]) -> String {
    let output = Command::new(programs.join("python"))
        .args(arguments)
        .env("DATABASE_URL", url)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(project())
        .stderr(Stdio::inherit())
        .output()
        .expect("python");
    assert!(output.status.success(), "{arguments:?} of the peer failed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
