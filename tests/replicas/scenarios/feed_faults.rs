//! What keeps a replica from hearing of ended sessions.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{same, work_for};
use crate::browser::{Browser, Retries};
use crate::cluster::Cluster;
use crate::history::Answer;
use crate::http::readiness;
use crate::load::Load;
use crate::proxy::{Mode, Proxy};
use crate::replica::{Replica, Spec};
use crate::server::{Server, url};
use crate::times;

/// Hangs up on every feed.
const END_FEEDS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                         WHERE query LIKE '%LEFT JOIN session_ends ON xid%' AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_listener_costs_nothing() {
    let server = Server::start().await;
    let mut cluster =
        Cluster::start("listener", || async { same(2, &Spec::new(server.url())) }).await;
    let load = Load::start(&cluster.replicas, &cluster.history, Retries::InTime);
    let count = times(5, 30);
    for _ in 0..count {
        work_for(1).await;
        server.execute(END_FEEDS).await;
    }
    let recovery = cluster.recover().await;
    let browsers = load.stop().await;
    let seen = vec![format!("- {count} times; ready again after {recovery:.1?}")];
    cluster.judge("Listener terminated", browsers, seen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_whose_feed_is_a_black_hole_says_that_it_cannot_know() {
    let server = Server::start().await;
    let proxy = Proxy::before(server.address()).await;
    let direct = url(proxy.address);
    let mut cluster = Cluster::start("black-hole", || async {
        let spec = Spec::new(server.url());
        vec![spec.clone(), spec.with(&["--database-direct-url", &direct])]
    })
    .await;
    let load = Load::start(&cluster.replicas, &cluster.history, Retries::InTime);
    let [well, deaf] = &cluster.replicas[..] else { unreachable!("two") };
    let mut browser = Browser::log_in(well, &cluster.history, Retries::InTime).await.unwrap();
    let mut witness = browser.witness();
    work_for(1).await;
    proxy.set(Mode::Hold);
    let began = Instant::now();
    assert_eq!(browser.log_out(well).await, Answer::Done(()));
    // It accepts for a while, as it may, and then says so; the checker sees to the bound.
    let mut answers = Vec::new();
    while answers.last() != Some(&Answer::Unavailable) {
        answers.push(witness.ask(deaf).await);
        sleep(Duration::from_millis(10)).await;
    }
    let stale = began.elapsed();
    assert!(answers.iter().all(|answer| !matches!(answer, Answer::Refused(_))), "neither");
    let reasons = reasons(deaf).await;
    assert!(reasons.contains("feed"), "{reasons}");
    // What needs no protected field goes on.
    let mut other = Browser::log_in(deaf, &cluster.history, Retries::InTime).await.unwrap();
    assert_eq!(other.refresh(deaf).await, Answer::Done(()));
    proxy.set(Mode::Pass);
    let recovery = cluster.recover().await;
    let seen = vec![format!(
        "- the replica accepted for {stale:.1?} and then answered SERVICE_UNAVAILABLE; `/readyz` \
         said why; {recovery:.1?} after the network was back it was as before"
    )];
    let browsers = load.stop().await;
    cluster.judge("Feed black-holed, without a reset", browsers, seen).await;
}

/// What `/readyz` says of a replica that is not ready.
async fn reasons(replica: &Replica) -> String {
    let (status, body) = readiness(replica.address()).await.unwrap();
    assert_eq!(status, 503, "{body}");
    body["reasons"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_commits_late_while_others_commit_is_not_missed() {
    let server = Server::start().await;
    let mut cluster = Cluster::start("late", || async { same(2, &Spec::new(server.url())) }).await;
    let load = Load::start(&cluster.replicas, &cluster.history, Retries::InTime);
    let [one, other] = &cluster.replicas[..] else { unreachable!("two") };
    let browser = Browser::log_in(one, &cluster.history, Retries::InTime).await.unwrap();
    let (mut witness, mut elsewhere) = (browser.witness(), browser.witness());
    // Ends the session and keeps the transaction open, which nothing of the service's own does.
    let held = times(3, 10);
    let id = &browser.session;
    server
        .execute(&format!(
            "BEGIN; UPDATE sessions SET ended_at = 1, end_reason = 'ADMIN' WHERE id = '{id}'; \
             INSERT INTO session_ends (session_id, user_id, reason, ended_at, until) \
             SELECT id, user_id, 'ADMIN', 1, access_expires_at + 60000000 FROM sessions \
             WHERE id = '{id}'; SELECT pg_sleep({held}); COMMIT; NOTIFY sallyport_session_ends"
        ))
        .await;
    let began = Instant::now();
    browser.record_end();
    for (witness, replica) in [(&mut witness, one), (&mut elsewhere, other)] {
        while witness.ask(replica).await == Answer::Done(()) {
            sleep(Duration::from_millis(1)).await;
        }
    }
    let took = began.elapsed();
    let browsers = load.stop().await;
    cluster.recover().await;
    let seen = vec![format!(
        "- a transaction that ended a session was open for {held} s; both replicas refused \
         {took:.1?} after it committed"
    )];
    cluster.judge("An end that commits late", browsers, seen).await;
}
