//! PostgreSQL server of a scenario, which can be stopped, frozen and replaced; and `PgBouncer` before one.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::time::{sleep, timeout};

use crate::replica::signal;

pub struct Server {
    directory: PathBuf,
    port: u16,
    process: Option<Child>,
}

/// A command that runs as another user than root, as PostgreSQL demands, in a directory that all users may
/// enter.
fn as_server(program: &Path) -> Command {
    let Some((user, group)) = user_of_servers() else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={user}"), format!("--regid={group}")]);
    command.arg("--clear-groups").arg(program).current_dir("/");
    command
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// User and group of servers; `None` if they run as the current user.
pub fn user_of_servers() -> Option<(u32, u32)> {
    if !is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let postgres = users.lines().find(|line| line.starts_with("postgres:"));
    let mut fields = postgres.expect("the user of Debian's package").split(':').skip(2);
    let mut id = || fields.next().and_then(|id| id.parse().ok()).expect("a number");
    Some((id(), id()))
}

/// A program of the newest PostgreSQL that is installed.
fn program(name: &str) -> PathBuf {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = installed
        .filter_map(|entry| {
            let version = entry.file_name().to_string_lossy().parse::<u32>().ok()?;
            Some((version, entry.path().join("bin").join(name)))
        })
        .collect();
    found.sort();
    found.pop().map_or_else(|| PathBuf::from(name), |(_, path)| path)
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn directory() -> PathBuf {
    let made = as_server(Path::new("mktemp")).arg("-d").output().unwrap();
    PathBuf::from(String::from_utf8(made.stdout).unwrap().trim())
}

/// A port that no other server of this process gets, below those that the system gives to clients: it
/// stays free while a scenario has its server stopped.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 10_000).expect("a small number");
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let mut ports =
        (0..10_000).map(|_| 10_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000);
    ports.find(is_free).expect("a free port")
}

/// Files of a new server, which each scenario copies: making them takes longer than starting it. They
/// stay in the target directory for further runs of the tests.
fn prepared() -> &'static Path {
    static PREPARED: LazyLock<PathBuf> = LazyLock::new(|| {
        let version = Command::new(program("initdb")).arg("--version").output().unwrap();
        let version = String::from_utf8(version.stdout).unwrap();
        let version: String = version.chars().filter(|c| c.is_alphanumeric()).collect();
        let owner = user_of_servers().map_or(String::new(), |(user, _)| user.to_string());
        let name = format!("{version}-{owner}");
        let prepared = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
        if !prepared.exists() {
            let directory = directory();
            let data = directory.join("data");
            run(as_server(&program("initdb")).arg("-D").arg(&data).args([
                "-U",
                "postgres",
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
            ]));
            // Complete before it has its name, which another process may look for.
            let draft = prepared.with_extension(std::process::id().to_string());
            run(Command::new("mv").args([&data, &draft]));
            if fs::rename(&draft, &prepared).is_err() {
                fs::remove_dir_all(&draft).unwrap();
            }
            fs::remove_dir_all(directory).unwrap();
        }
        prepared
    });
    &PREPARED
}

impl Server {
    pub async fn start() -> Self {
        let directory = directory();
        run(Command::new("cp").arg("-a").args([prepared(), &directory.join("data")]));
        let mut server = Self { directory, port: free_port(), process: None };
        server.resume().await;
        server
    }

    /// Starts a synchronous standby: each commit waits for it.
    pub async fn standby(&self) -> Self {
        let directory = directory();
        run(as_server(&program("pg_basebackup"))
            .args(["-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string()])
            .args(["--checkpoint=fast", "--no-sync", "-R", "-D"])
            .arg(directory.join("data")));
        let mut standby = Self { directory, port: free_port(), process: None };
        standby.resume().await;
        self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'").await;
        self.execute("SELECT pg_reload_conf()").await;
        standby
    }

    pub async fn promote(&self) {
        // The setting is copied from the primary, and would wait for a standby that does not exist.
        self.execute("ALTER SYSTEM RESET synchronous_standby_names").await;
        self.execute("SELECT pg_promote()").await;
        self.execute("SELECT pg_reload_conf()").await;
    }

    /// Starts the server and waits until it answers.
    pub async fn resume(&mut self) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres.log"))
            .unwrap();
        let child = as_server(&program("postgres"))
            .arg("-D")
            .arg(self.directory.join("data"))
            .args(["-p", &self.port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .args(["-c", "max_connections=300", "-c", "fsync=off", "-c", "full_page_writes=off"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process = Some(child);
        let answers = async {
            while PgConnection::connect(&self.url()).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(30), answers).await.expect("a server");
        // Else another process has its port.
        let ended = self.process.as_mut().unwrap().try_wait().unwrap();
        assert!(ended.is_none(), "{ended:?}: see postgres.log");
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    pub fn url(&self) -> String {
        url(self.address())
    }

    pub async fn execute(&self, sql: &str) {
        execute(&self.url(), sql).await;
    }

    /// `INT` closes all connections, `QUIT` is a crash.
    pub fn stop(&mut self, name: &str) {
        if let Some(mut process) = self.process.take() {
            signal(name, &[process.id()]);
            process.wait().unwrap();
        }
    }

    /// Sends `STOP` or `CONT` to all processes of the server.
    pub fn signal_all(&self, name: &str) {
        let postmaster = self.process.as_ref().expect("a running server").id();
        let children = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children"));
        let children = children.unwrap();
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        // The parent first, so that it starts no more; children may have exited by now.
        signal(name, &[postmaster]);
        for child in children {
            let child = u32::to_string(&child);
            let _ = Command::new("kill").arg(format!("-{name}")).arg(child).output();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.signal_all("CONT");
        }
        self.stop("QUIT");
        let _ = fs::remove_dir_all(&self.directory);
    }
}

pub fn url(address: SocketAddr) -> String {
    format!("postgres://postgres@{address}/postgres")
}

pub async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// `PgBouncer` in transaction mode.
pub struct Pooler {
    directory: PathBuf,
    port: u16,
    process: Child,
}

impl Pooler {
    pub async fn before(server: &Server) -> Self {
        let (directory, port) = (directory(), free_port());
        let settings = format!(
            "[databases]\npostgres = host=127.0.0.1 port={}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = 6\nmax_client_conn = 200\n",
            server.address().port()
        );
        let path = directory.join("pgbouncer.ini");
        let mut file = fs::File::create(&path).unwrap();
        // `any` takes every client for this user.
        let settings = settings.replace("port=", "user=postgres port=");
        file.write_all(settings.as_bytes()).unwrap();
        let log = fs::File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("pgbouncer.log"));
        let process = as_server(Path::new("/usr/sbin/pgbouncer"))
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .spawn()
            .expect("pgbouncer: tests/run installs it");
        let pooler = Self { directory, port, process };
        let answers = async {
            while std::net::TcpStream::connect(pooler.address()).is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(10), answers).await.expect("a pooler");
        pooler
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = (self.process.kill(), self.process.wait());
        let _ = fs::remove_dir_all(&self.directory);
    }
}
