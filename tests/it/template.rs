//! Migrated databases that tests copy: migrating each test's own would take most of its time.

use std::fs::{self, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::OnceLock;

use sallyport::store::Store;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Serializes processes that create the template. The number is arbitrary.
const LOCK: &str = "SELECT pg_advisory_lock(7266339914528)";

/// Writes a migrated SQLite file, readable for its owner only, as the service creates it.
pub fn copy_sqlite(path: &Path) {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = FILE.get_or_init(|| on_another_runtime(migrated_file()).expect("a migrated file"));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(bytes)).expect("a copy");
}

async fn migrated_file() -> Vec<u8> {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("template.db");
    let url = format!("sqlite://{}", path.display());
    let store = Store::connect(&url.parse().expect("a database URL")).await.expect("a connection");
    store.migrate().await.expect("migrations");
    // The store's own connections close some time later: this one moves everything into the file.
    let mut connection = SqliteConnection::connect(&url).await.expect("a connection");
    let moved = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await;
    moved.expect("a checkpoint");
    assert_eq!(fs::metadata(path.with_extension("db-wal")).map_or(0, |wal| wal.len()), 0);
    fs::read(path).expect("the file")
}

/// Name of the migrated database on the server in `TEST_POSTGRES_URL`. It stays there, one for each
/// version of the migrations, and further runs of the tests use it too.
pub async fn postgres() -> &'static str {
    static NAME: OnceCell<String> = OnceCell::const_new();
    NAME.get_or_init(create_on_postgres).await
}

async fn create_on_postgres() -> String {
    let server = postgres_server();
    let name = format!("test_template_{:016x}", digest("migrations/postgres"));
    // The lock is released with the connection.
    let mut connection = PgConnection::connect(&server).await.expect("TEST_POSTGRES_URL");
    execute(&mut connection, LOCK.to_owned()).await;
    // One that accepts connections is not finished: whoever began it was interrupted.
    let finished = "SELECT count(*) FROM pg_database WHERE datname = $1 AND NOT datallowconn";
    let finished = sqlx::query_scalar::<_, i64>(finished).bind(&name);
    if finished.fetch_one(&mut connection).await.expect("the list of databases") == 0 {
        execute(&mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        execute(&mut connection, format!("CREATE DATABASE {name}")).await;
        let url = url_of(&server, &name).parse().expect("a database URL");
        let store = Store::connect(&url).await.expect("a connection");
        store.migrate().await.expect("migrations");
        drop(store);
        execute(&mut connection, format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
    }
    connection.close().await.expect("the end of the connection");
    name
}

async fn execute(connection: &mut PgConnection, sql: String) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Digest of the names and contents of a folder's files.
fn digest(folder: &str) -> u64 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = entries.collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.file_name().hash(&mut hasher);
        fs::read(&file).expect("a file").hash(&mut hasher);
    }
    hasher.finish()
}

/// URL of the server that tests create their databases on.
pub fn postgres_server() -> String {
    std::env::var("TEST_POSTGRES_URL")
        .expect("TEST_POSTGRES_URL names no PostgreSQL server: run the tests with tests/run")
}

/// URL of another database of the server.
pub fn url_of(server: &str, database: &str) -> String {
    let (address, parameters) = server.split_once('?').unwrap_or((server, ""));
    let (host, _) = address.rsplit_once('/').expect("postgres://HOST/NAME");
    format!("{host}/{database}?{parameters}").trim_end_matches('?').to_owned()
}

/// Runs the future on another thread and waits for it: for functions that are not async, also when a
/// runtime calls them.
pub fn on_another_runtime<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> std::thread::Result<T> {
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(work)
    });
    thread.join()
}
