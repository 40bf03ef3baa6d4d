//! Rows that somebody locks, and replicas that stand still with locks.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};

use super::{same, work_for};
use crate::browser::{Browser, Retries};
use crate::cluster::Cluster;
use crate::history::{Answer, Did, Event};
use crate::load::Load;
use crate::replica::Spec;
use crate::server::Server;
use crate::times;

/// How long an operation of the database is waited for.
const WAIT: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_waits_for_locks_does_not_starve_the_feed() {
    let server = Server::start().await;
    let small = Spec::new(server.url()).with(&["--database-connections", "4"]);
    let mut cluster = Cluster::start("locks", || async { same(2, &small) }).await;
    let load = Load::start(&cluster.replicas, &cluster.history, Retries::ByAttempt);
    let first = &cluster.replicas[0];
    let browser = Browser::log_in(first, &cluster.history, Retries::ByAttempt).await.unwrap();
    work_for(1).await;
    let mut holder = PgConnection::connect(&server.url()).await.unwrap();
    let lock =
        format!("BEGIN; SELECT 1 FROM sessions WHERE id <> '{}' FOR UPDATE", browser.session);
    sqlx::raw_sql(sqlx::AssertSqlSafe(lock)).execute(&mut holder).await.unwrap();
    let began = Instant::now();
    work_for(times(3, 10)).await;
    // Somebody at a shell, with connections of their own.
    let ended = Command::new(env!("CARGO_BIN_EXE_sallyport"))
        .args(["session", "end", "--database-url", &server.url(), "--id", &browser.session])
        .env("SALLYPORT_SECRET", "0123456789abcdefghijklmnopqrstuv")
        .output();
    assert!(ended.unwrap().status.success());
    browser.record_end();
    let known = Instant::now();
    for replica in &cluster.replicas {
        let mut witness = browser.witness();
        while witness.ask(replica).await == Answer::Done(()) {
            sleep(Duration::from_millis(1)).await;
        }
    }
    let known = known.elapsed();
    work_for(times(1, 5)).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    let lasted = began.elapsed();
    let recovery = cluster.recover().await;
    let browsers = load.stop().await;
    // Nobody's protected field depends on the pool.
    let asked = |did: &Did| *did == Did::Ask { answer: Answer::Unavailable };
    let unavailable = cluster.history.events().iter().filter(|event| asked(&event.did)).count();
    let seen = vec![format!(
        "- every session's row was locked for {lasted:.1?}, with pools of 4: a session ended from a \
         shell was refused by both replicas {known:.1?} later; {unavailable} protected fields were \
         unavailable; everything worked again {recovery:.1?} after it"
    )];
    cluster.judge("Pool exhausted by held row locks", browsers, seen).await;
    assert_eq!(unavailable, 0, "the feed was starved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_stands_still_keeps_nobody_waiting_and_accepts_nothing_old() {
    let server = Server::start().await;
    let mut cluster =
        Cluster::start("stands-still", || async { same(2, &Spec::new(server.url())) }).await;
    let load = Load::start(&cluster.replicas[..1], &cluster.history, Retries::ByAttempt);
    let [well, still] = &cluster.replicas[..] else { unreachable!("two") };
    let mut browser = Browser::log_in(well, &cluster.history, Retries::InTime).await.unwrap();
    work_for(1).await;
    still.signal("STOP");
    let left = browser.log_out(well).await;
    assert_eq!(left, Answer::Done(()));
    work_for(times(6, 20)).await;
    still.signal("CONT");
    // The very first answer after that must not be that of a process that slept.
    let first = browser.ask(still).await;
    assert!(first != Answer::Done(()), "{first:?}");
    let recovery = cluster.recover().await;
    let browsers = load.stop().await;
    let seen = vec![format!(
        "- the first answer after it, to a session that had ended meanwhile: {first:?}; everything \
         worked again {recovery:.1?} after it"
    )];
    cluster.judge("A replica that stands still (SIGSTOP)", browsers, seen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_who_leave_everywhere_and_refresh_meet_no_failure() {
    let server = Server::start().await;
    let cluster = Cluster::start("races", || async { same(2, &Spec::new(server.url())) }).await;
    let mut done = 0;
    for _ in 0..times(2, 10) {
        let mut browsers = Vec::new();
        for number in 0..times(50, 200) {
            let replica = &cluster.replicas[number % 2];
            let browser = Browser::log_in(replica, &cluster.history, Retries::InTime).await;
            browsers.push(browser.unwrap());
        }
        let everybody = browsers.into_iter().enumerate().map(|(number, mut browser)| {
            let replica = Arc::clone(&cluster.replicas[number / 2 % 2]);
            async move {
                // All are one user's: whoever leaves ends the others' sessions, too.
                let answer = if number % 2 == 0 {
                    browser.log_out_of(&replica, "ALL").await
                } else {
                    browser.record_end_requested();
                    browser.refresh(&replica).await
                };
                (answer, browser)
            }
        });
        let mut browsers = Vec::new();
        for (answer, browser) in join_all(everybody).await {
            let expected = match &answer {
                Answer::Done(()) => true,
                Answer::Refused(code) => code == "SESSION_ENDED",
                // A machine that is busy with something else may take longer than is waited for.
                answer => *answer == Answer::Unavailable,
            };
            assert!(expected, "{answer:?}");
            browsers.push(browser);
        }
        done += browsers.len();
        let replica = &cluster.replicas[0];
        while browsers[0].log_out_of(replica, "ALL").await != Answer::Done(()) {}
        for mut browser in browsers {
            let mut after = Answer::Unavailable;
            while after == Answer::Unavailable {
                after = browser.refresh(replica).await;
            }
            assert_eq!(after, Answer::Refused("SESSION_ENDED".to_owned()));
        }
    }
    let events = cluster.history.events();
    let unavailable = events.iter().filter(|event| event.is_unavailable());
    let waited = unavailable.map(Event::took).min();
    assert!(waited.is_none_or(|waited| waited >= WAIT), "given up after {waited:?}");
    let mut database = PgConnection::connect(&server.url()).await.unwrap();
    let circles: i64 = sqlx::query_scalar("SELECT sum(deadlocks)::bigint FROM pg_stat_database")
        .fetch_one(&mut database)
        .await
        .unwrap();
    assert_eq!(circles, 0, "they waited for each other");
    let seen = vec![format!(
        "- {done} requests, {} at once: half of them log out everywhere, half refresh",
        times(50, 200)
    )];
    cluster
        .judge("Parallel logouts of everything and refreshes, of one user", Vec::new(), seen)
        .await;
}
