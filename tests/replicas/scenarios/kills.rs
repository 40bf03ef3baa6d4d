//! `kill -9` at random instants.

use std::time::Duration;

use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;
use tokio::time::sleep;

use super::same;
use crate::browser::Retries;
use crate::cluster::Cluster;
use crate::load::{Load, Random};
use crate::replica::Spec;
use crate::server::Server;
use crate::{report, times};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_loses_no_session_and_undoes_no_logout_on_postgres() {
    let server = Server::start().await;
    let cluster =
        Cluster::start("kills-postgres", || async { same(2, &Spec::new(server.url())) }).await;
    kill_over_and_over(cluster, "kill -9, PostgreSQL, two replicas").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_loses_no_session_and_undoes_no_logout_on_sqlite() {
    let directory = TempDir::new().unwrap();
    let url = format!("sqlite://{}/proof.db", directory.path().display());
    let cluster = Cluster::start("kills-sqlite", || async { same(1, &Spec::new(&url)) }).await;
    kill_over_and_over(cluster, "kill -9, SQLite").await;
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    let found: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut database).await.unwrap();
    assert_eq!(found, "ok");
}

async fn kill_over_and_over(mut cluster: Cluster, title: &str) {
    let load = Load::start(&cluster.replicas, &cluster.history, Retries::InTime);
    let mut random = Random(9);
    let mut starts = Vec::new();
    for _ in 0..times(12, 200) {
        sleep(Duration::from_micros(random.below(600_000) as u64)).await;
        let victim = random.pick(&cluster.replicas);
        victim.kill();
        starts.push(victim.restart().await);
    }
    let browsers = load.stop().await;
    cluster.recover().await;
    starts.sort();
    let [median, all] = [50, 100].map(|share| report::percentile(&starts, share));
    let seen = vec![format!(
        "- {} kills; ready again after p50 {median:.1?}, max {all:.1?}",
        starts.len()
    )];
    cluster.judge(title, browsers, seen).await;
}
