//! Full disks, and files that may not grow.

use std::fs;
use std::process::Command;

use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use super::{same, work_for};
use crate::browser::Retries;
use crate::cluster::Cluster;
use crate::disk::Disk;
use crate::load::Load;
use crate::replica::Spec;
use crate::report::count_unavailable;
use crate::server::Server;
use crate::times;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "mounts a file system, as root; tests/run runs it where that works"]
async fn a_full_disk_costs_answers_but_no_session_on_sqlite() {
    let disk = Disk::mount();
    let url = format!("sqlite://{}/proof.db", disk.directory().display());
    let cluster = Cluster::start("disk-sqlite", || async { vec![Spec::new(&url)] }).await;
    fill_and_clear(&disk, cluster, "A full disk, SQLite").await;
    assert_integrity(&url).await;
}

/// Only the tables are on the disk: PostgreSQL stops if it cannot write its log.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "mounts a file system, as root; tests/run runs it where that works"]
async fn a_full_disk_costs_answers_but_no_session_on_postgres() {
    let disk = Disk::mount();
    let server = Server::start().await;
    let directory = disk.directory();
    server.execute(&format!("CREATE TABLESPACE small LOCATION '{}'", directory.display())).await;
    server.execute("ALTER DATABASE postgres SET default_tablespace = small").await;
    let cluster = Cluster::start("disk", || async { same(2, &Spec::new(server.url())) }).await;
    fill_and_clear(&disk, cluster, "A full disk, PostgreSQL").await;
}

async fn fill_and_clear(disk: &Disk, mut cluster: Cluster, title: &str) {
    let load = Load::start(&cluster.replicas, &cluster.history, Retries::ByAttempt);
    work_for(1).await;
    disk.fill();
    work_for(times(5, 20)).await;
    let refused = count_unavailable(&cluster.history.events());
    disk.clear();
    let recovery = cluster.recover().await;
    let browsers = load.stop().await;
    let seen = vec![format!(
        "- {refused} requests were unavailable; everything worked again {recovery:.1?} after there was room"
    )];
    cluster.judge(title, browsers, seen).await;
    assert!(refused > 0, "the disk was not full");
}

async fn assert_integrity(url: &str) {
    let mut database = SqliteConnection::connect(url).await.unwrap();
    let found: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut database).await.unwrap();
    assert_eq!(found, "ok");
}

/// A limit on the size of the process's files: writes fail with another error than on a full disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_grow_costs_answers_but_no_session() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("proof.db");
    let url = format!("sqlite://{}", path.display());
    let mut spec = Spec::new(&url);
    // Without this the signal that goes with the error would end the process.
    spec.wrapper = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"].map(str::to_owned).to_vec();
    let mut cluster = Cluster::start("full-disk", || async { vec![spec] }).await;
    let load = Load::start(&cluster.replicas, &cluster.history, Retries::ByAttempt);
    work_for(1).await;
    let wal = path.with_extension("db-wal");
    let size = fs::metadata(&wal).unwrap().len().to_string();
    limit(&cluster, &size);
    let before = count_unavailable(&cluster.history.events());
    work_for(times(3, 20)).await;
    let refused = count_unavailable(&cluster.history.events()) - before;
    limit(&cluster, "unlimited");
    let recovery = cluster.recover().await;
    let browsers = load.stop().await;
    let seen = vec![format!(
        "- {refused} requests were unavailable; everything worked again {recovery:.1?} after it"
    )];
    cluster.judge("SQLite that cannot grow", browsers, seen).await;
    assert!(refused > 0, "the limit was not met");
    assert_integrity(&url).await;
}

fn limit(cluster: &Cluster, bytes: &str) {
    let pid = cluster.replicas[0].pid().to_string();
    let set = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:")]).status();
    assert!(set.unwrap().success(), "prlimit");
}
