//! Backup and restore: a copy is one complete file, and a restored older copy is detected.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};

use tempfile::TempDir;

use super::server::{PASSWORD, Server, login_body, program, request};
use crate::databases::Database;
use crate::program::Process;

/// Runs a command, with a password on standard input.
fn run(directory: &TempDir, arguments: &str) -> Output {
    let mut command = program(directory, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that asks for no password may be gone by now.
    let _ = writeln!(child.stdin.take().unwrap(), "{PASSWORD}");
    child.wait_with_output().unwrap()
}

/// Standard output of a command that must succeed.
fn said(directory: &TempDir, arguments: &str) -> String {
    let output = run(directory, arguments);
    assert!(output.status.success(), "{arguments}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn log_in(server: &Server) {
    let headers = "content-type: application/json\r\n";
    let answer = request(server.address, "POST", "/graphql", headers, &login_body());
    assert!(answer.contains("accessToken"), "{answer}");
}

/// The files of the database, without its secret and the file of the restore detection.
fn files(directory: &TempDir) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| !name.starts_with("test.db.")).collect();
    names.sort();
    names
}

/// The accounts in a copy of only the database's file.
fn accounts_of_copy(database: &Path) -> String {
    let elsewhere = TempDir::new().unwrap();
    fs::copy(database, elsewhere.path().join("test.db")).unwrap();
    said(&elsewhere, "user list")
}

#[test]
fn a_server_that_stops_leaves_one_whole_file() {
    for signal in ["TERM", "INT"] {
        let directory = TempDir::new().unwrap();
        let server = Server::start_in(&directory, "");
        said(&directory, "user create ada --password-stdin");
        log_in(&server);
        assert!(files(&directory).contains(&"test.db-wal".to_owned()));
        let log = server.stop(signal).join("\n");
        assert!(!log.contains("ERROR"), "{log}");
        assert_eq!(files(&directory), ["test.db"]);
        assert!(accounts_of_copy(&directory.path().join("test.db")).contains(" ada "));
    }
}

#[test]
fn every_command_leaves_one_whole_file() {
    let directory = TempDir::new().unwrap();
    said(&directory, "migrate");
    assert_eq!(files(&directory), ["test.db"]);
    Server::start_in(&directory, "").stop("TERM");
    for command in [
        "user create ada --password-stdin",
        "user list",
        "user set-password ada --password-stdin",
        "user deactivate ada",
        "user activate ada",
        "user rename ada ada.b",
        "user set-email ada.b ada@example.com --verified",
        "user set-role ada.b admin",
        "user unlock ada.b",
        "user delete ada.b --yes",
        "user create ada --password-stdin",
        "session list",
        "session end --all",
        "keys list",
        "keys rotate --immediately",
        "purge",
        "recover",
        "check",
    ] {
        said(&directory, command);
        assert_eq!(files(&directory), ["test.db"], "{command}");
    }
    // One that fails does, too.
    let output = run(&directory, "user create ada --password-stdin");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(files(&directory), ["test.db"]);
    assert!(accounts_of_copy(&directory.path().join("test.db")).contains(" ada "));
}

#[test]
fn a_command_beside_a_running_server_breaks_nothing() {
    let directory = TempDir::new().unwrap();
    let server = Server::start_in(&directory, "");
    for name in ["ada", "grace", "joan"] {
        said(&directory, &format!("user create {name} --password-stdin"));
        log_in(&server);
        assert_eq!(files(&directory), ["test.db", "test.db-shm", "test.db-wal"]);
    }
    server.stop("TERM");
    let accounts = accounts_of_copy(&directory.path().join("test.db"));
    assert!(["ada", "grace", "joan"].iter().all(|name| accounts.contains(name)), "{accounts}");
}

#[test]
fn a_copy_made_beside_a_running_server_is_whole_and_for_its_owner_alone() {
    let directory = TempDir::new().unwrap();
    let server = Server::start_in(&directory, "");
    said(&directory, "user create ada --password-stdin");
    let target = TempDir::new().unwrap();
    let copy = target.path().join("test.db");
    let backup = format!("backup {} --with-secret", copy.display());
    said(&directory, &backup);
    log_in(&server);
    for name in ["test.db", "test.db.secret"] {
        let mode = fs::metadata(target.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(files(&target), ["test.db"]);
    // What is there is not replaced: neither by a copy, nor beside one.
    let before = fs::read(&copy).unwrap();
    for taken in [backup, format!("backup {}", copy.display())] {
        let output = run(&directory, &taken);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("already exists"), "{output:?}");
    }
    assert_eq!(fs::read(&copy).unwrap(), before);
    assert_eq!(files(&target), ["test.db"]);
    // It is a database like the other one, and its secret opens its keys.
    assert!(said(&target, "user list").contains(" ada "));
    assert!(said(&target, "keys list").contains("ACTIVE"));
    server.stop("TERM");
}

#[test]
fn a_copy_that_cannot_be_made_leaves_nothing() {
    let directory = TempDir::new().unwrap();
    said(&directory, "migrate");
    let nowhere = directory.path().join("nowhere/copy.db");
    let output = run(&directory, &format!("backup {}", nowhere.display()));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    // There is no secret yet, so there is no copy with one.
    let copy = directory.path().join("copy.db");
    let output = run(&directory, &format!("backup {} --with-secret", copy.display()));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(files(&directory), ["test.db"]);
}

#[tokio::test]
async fn a_postgres_is_left_to_its_own_tools() {
    let database = Database::postgres().await;
    let directory = TempDir::new().unwrap();
    let output = run(&directory, &format!("backup copy.db --database-url {}", database.url));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("pg_dump"), "{output:?}");
}

#[test]
fn an_older_copy_is_warned_of_until_somebody_recovers() {
    let directory = TempDir::new().unwrap();
    let (database, copy) = (directory.path().join("test.db"), directory.path().join("copy"));
    let server = Server::start_in(&directory, "");
    log_in(&server);
    server.stop("TERM");
    fs::copy(&database, &copy).unwrap();
    let server = Server::start_in(&directory, "");
    log_in(&server);
    server.stop("TERM");
    assert!(!said(&directory, "check").contains("recover"));

    fs::copy(&copy, &database).unwrap();
    for _ in 0..2 {
        let checked = said(&directory, "check");
        let warned =
            checked.lines().any(|line| line.starts_with("warning  ") && line.contains("recover"));
        assert!(warned, "{checked}");
        let server = Server::start_in(&directory, "");
        // What happens now does not make it the newest one.
        log_in(&server);
        let log = server.stop("TERM").join("\n");
        assert!(log.contains("Run sallyport recover"), "{log}");
    }
    let rehearsed = said(&directory, "recover --dry-run");
    assert!(rehearsed.contains("3 sessions would be ended"), "{rehearsed}");
    let key = said(&directory, "keys list --json");
    let recovered = said(&directory, "recover");
    assert!(recovered.contains("Ended 3 sessions"), "{recovered}");
    let keys = said(&directory, "keys list --json");
    assert_eq!((key.lines().count(), keys.lines().count()), (1, 2), "{keys}");
    assert!(keys.contains("RETIRED"), "{keys}");
    assert!(!said(&directory, "session list").contains("ACTIVE"));
    assert!(!said(&directory, "check").contains("recover"));
    let log = Server::start_in(&directory, "").stop("TERM").join("\n");
    assert!(!log.contains("Run sallyport recover"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_postgres_is_warned_of_where_the_secret_has_a_file() {
    let database = Database::postgres().await;
    let directory = TempDir::new().unwrap();
    let secret = directory.path().join("secret");
    fs::write(&secret, "0123456789abcdefghijklmnopqrstuv").unwrap();
    let flags = format!("--log-format json --secret-file {}", secret.display());
    for _ in 0..2 {
        let log = Process::start(&database, &flags, &[]).end();
        assert!(!log.contains("Run sallyport recover"), "{log}");
    }
    // As in a copy from before all that happened.
    database.raw().await.execute("DELETE FROM audit_events").await;
    for _ in 0..2 {
        let log = Process::start(&database, &flags, &[]).end();
        assert!(log.contains("Run sallyport recover"), "{log}");
    }
}

#[test]
fn a_secret_that_opens_nothing_is_not_copied() {
    let directory = TempDir::new().unwrap();
    Server::start_in(&directory, "").stop("TERM");
    let copy = directory.path().join("copy.db");
    let backup = format!("backup {} --with-secret", copy.display());
    for secret in ["another-secret-of-thirty-two-bytes", "short"] {
        let given = directory.path().join("given");
        fs::write(&given, secret).unwrap();
        let output = run(&directory, &format!("{backup} --secret-file {}", given.display()));
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(files(&directory), ["given", "test.db"], "{secret}");
    }
    said(&directory, &backup);
}

#[test]
fn what_an_interrupted_copy_left_is_named() {
    let directory = TempDir::new().unwrap();
    said(&directory, "migrate");
    let left = directory.path().join("copy.db.part");
    fs::write(&left, "half").unwrap();
    let output = run(&directory, &format!("backup {}/copy.db", directory.path().display()));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("copy.db.part") && said.contains("interrupted"), "{said}");
    assert_eq!(fs::read(&left).unwrap(), b"half");
}
