//! A database that is down, hung, slow, full, read-only, restarted, replaced.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{behind, same, server_behind_proxy, work_for};
use crate::browser::Retries;
use crate::cluster::Cluster;
use crate::load::Load;
use crate::proxy::Mode;
use crate::replica::Spec;
use crate::server::Server;
use crate::times;

/// Two replicas, everybody at work, and a server to harm.
async fn at_work(name: &str) -> (Server, Cluster, Load) {
    let server = Server::start().await;
    let cluster = Cluster::start(name, || async { same(2, &Spec::new(server.url())) }).await;
    let load = Load::start(&cluster.replicas, &cluster.history, Retries::ByAttempt);
    work_for(1).await;
    (server, cluster, load)
}

/// The end of a fault: everything works again within the bound, and nothing went wrong.
async fn recovered(title: &str, mut cluster: Cluster, load: Load, lasted: Duration) {
    let recovery = cluster.recover().await;
    work_for(1).await;
    let browsers = load.stop().await;
    let seen =
        vec![format!("- it lasted {lasted:.1?}; everything worked again {recovery:.1?} after it")];
    cluster.judge(title, browsers, seen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_database_costs_answers_but_no_session() {
    let (mut server, cluster, load) = at_work("stopped").await;
    let began = Instant::now();
    server.stop("INT");
    work_for(times(4, 20)).await;
    server.resume().await;
    recovered("PostgreSQL stopped and started", cluster, load, began.elapsed()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crashed_database_costs_answers_but_no_session() {
    let (mut server, cluster, load) = at_work("crashed").await;
    let began = Instant::now();
    for _ in 0..times(2, 10) {
        server.stop("QUIT");
        server.resume().await;
        work_for(1).await;
    }
    recovered("PostgreSQL crashed and started", cluster, load, began.elapsed()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_database_is_answered_for_in_time() {
    let (server, cluster, load) = at_work("frozen").await;
    let began = Instant::now();
    server.signal_all("STOP");
    work_for(times(7, 20)).await;
    server.signal_all("CONT");
    recovered("PostgreSQL frozen (SIGSTOP)", cluster, load, began.elapsed()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_accepts_no_writes_costs_answers_but_no_session() {
    let (server, cluster, load) = at_work("read-only").await;
    let began = Instant::now();
    server.execute("ALTER SYSTEM SET default_transaction_read_only = on").await;
    server.execute("SELECT pg_reload_conf()").await;
    work_for(times(3, 20)).await;
    server.execute("ALTER SYSTEM RESET default_transaction_read_only").await;
    server.execute("SELECT pg_reload_conf()").await;
    recovered("PostgreSQL read-only", cluster, load, began.elapsed()).await;
}

/// A full disk, as a statement meets it: the server says 53100.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_database_costs_answers_but_no_session() {
    let (server, cluster, load) = at_work("full").await;
    let began = Instant::now();
    server
        .execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             RAISE EXCEPTION 'could not extend file: no space left' USING ERRCODE = '53100'; \
             END $$; \
             CREATE TRIGGER full_disk BEFORE INSERT ON blacklist_entries \
             EXECUTE FUNCTION full_disk(); \
             CREATE TRIGGER full_disk BEFORE INSERT ON sessions EXECUTE FUNCTION full_disk()",
        )
        .await;
    work_for(times(3, 20)).await;
    server.execute("DROP FUNCTION full_disk() CASCADE").await;
    recovered("PostgreSQL full", cluster, load, began.elapsed()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_database_is_waited_for_or_given_up_in_time() {
    let (server, proxy) = server_behind_proxy().await;
    let cluster = Cluster::start("slow", || async { same(2, &behind(&proxy)) }).await;
    let load = Load::start(&cluster.replicas, &cluster.history, Retries::ByAttempt);
    let began = Instant::now();
    for delay in [20, 200, 3000] {
        proxy.set(Mode::Delay(Duration::from_millis(delay)));
        work_for(times(2, 10)).await;
    }
    proxy.set(Mode::Pass);
    // Until the last message that was held up has arrived it is as slow as before.
    work_for(3).await;
    recovered("PostgreSQL slow: 20 ms, 200 ms, 3 s a message", cluster, load, began.elapsed())
        .await;
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_swallows_everything_is_answered_for_in_time() {
    let (server, proxy) = server_behind_proxy().await;
    let cluster = Cluster::start("partition", || async { same(2, &behind(&proxy)) }).await;
    let load = Load::start(&cluster.replicas, &cluster.history, Retries::ByAttempt);
    work_for(1).await;
    let began = Instant::now();
    proxy.set(Mode::Hold);
    work_for(times(7, 20)).await;
    proxy.set(Mode::Pass);
    recovered("Network black-holed, without a reset", cluster, load, began.elapsed()).await;
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_takes_over_knows_every_logout() {
    let (mut server, proxy) = server_behind_proxy().await;
    let standby = server.standby().await;
    let cluster = Cluster::start("failover", || async { same(2, &behind(&proxy)) }).await;
    let load = Load::start(&cluster.replicas, &cluster.history, Retries::ByAttempt);
    work_for(2).await;
    let began = Instant::now();
    server.stop("QUIT");
    proxy.cut();
    standby.promote().await;
    proxy.aim(standby.address());
    recovered("A synchronous standby takes over", cluster, load, began.elapsed()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_outcome_nobody_knows_is_safe_to_repeat() {
    let (server, proxy) = server_behind_proxy().await;
    let cluster = Cluster::start("unknown", || async { same(2, &behind(&proxy)) }).await;
    let load = Load::start(&cluster.replicas, &cluster.history, Retries::InTime);
    let began = Instant::now();
    // Half of the cuts come after the server was told.
    proxy.set(Mode::CutAtStatements(5));
    let (cuts, least) = (|| proxy.statements() / 5, times(100, 1000));
    while cuts() < least && began.elapsed() < Duration::from_mins(4) {
        sleep(Duration::from_millis(100)).await;
    }
    proxy.set(Mode::Pass);
    let title = format!("Commit outcome unknown, {} connections cut", cuts());
    recovered(&title, cluster, load, began.elapsed()).await;
    drop(server);
}
