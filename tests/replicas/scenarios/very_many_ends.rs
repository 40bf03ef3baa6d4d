//! Very many sessions that end by one order, while the process that ends their rows is killed.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::logout_latency::last_acceptance;
use super::{same, work_for};
use crate::browser::{Browser, Retries};
use crate::bystanders::{BystanderReport, Bystanders};
use crate::cluster::Cluster;
use crate::floors::Floors;
use crate::history::{Answer, History};
use crate::load::Load;
use crate::replica::{Replica, Spec};
use crate::server::Server;
use crate::times;

/// How many logins of an account are watched.
const KEPT: usize = 6;

/// More than end by their rows at once, and soon done.
const SOME: usize = 1_200;

#[tokio::test(flavor = "multi_thread")]
async fn very_many_sessions_of_an_account_end_at_once_though_their_replica_is_killed() {
    let very_many = times(20_000, 100_000);
    let (server, mut cluster) = two_replicas("very-many").await;
    let (first, second) = (Arc::clone(&cluster.replicas[0]), Arc::clone(&cluster.replicas[1]));
    let history = Arc::clone(&cluster.history);
    let mut floors = Floors::of(&server).await;
    for (username, sessions) in [("ada", very_many), ("bob", SOME), ("eve", 0)] {
        floors.add_account(username, sessions).await;
    }
    let mut kept = log_in(&["ada"; KEPT], &cluster.replicas, &history).await;
    let mut stays = log_in_to("bob", &second, &history).await;
    let load = Load::start(&cluster.replicas, &history, Retries::InTime);
    let bystanders = Bystanders::start("eve", &second, &history);
    work_for(1).await;

    let (since, began) = (history.now(), Instant::now());
    let asking = Asking::start(&kept, &[&second], &history);
    assert_eq!(kept[0].log_out_of(&first, "ALL").await, Answer::Done(()));
    let took = began.elapsed();
    for browser in &kept {
        browser.record_end_by(&first);
    }
    asking.tell(&history);
    assert_refused(&mut kept, &first).await;
    assert_eq!(stays.log_out_others(&first).await, Answer::Done(()));
    assert_accepted(&mut stays, &first).await;
    let mut later = vec![log_in_to("ada", &first, &history).await];

    floors.wait_for_rows().await;
    let worker = floors.worker().await;
    first.kill();
    let killed = Instant::now();
    let before = floors.ended().await;
    assert!(before < very_many, "all rows were ended before it was killed");
    let latest = asking.latest().await;
    assert_refused(&mut kept, &second).await;
    later.push(log_in_to("ada", &second, &history).await);
    for browser in later.iter_mut().chain([&mut stays]) {
        assert_accepted(browser, &second).await;
    }
    floors.wait_until_done().await;
    let finished = killed.elapsed();
    let which = if floors.worker().await == worker { "who was at it already" } else { "the other" };
    let logins = bystanders.stop().await;
    let report = BystanderReport::at(&second, &history, since, logins);
    floors.assert_each_ended_once(very_many + KEPT + SOME).await;

    first.restart().await;
    for browser in later.iter_mut().chain([&mut stays]) {
        assert_accepted(browser, &first).await;
    }
    for replica in &cluster.replicas {
        assert_refused(&mut kept, replica).await;
    }
    let recovery = cluster.recover().await;
    let mut browsers = load.stop().await;
    browsers.extend(later);
    browsers.push(stays);
    let seen = vec![
        format!(
            "- {very_many} sessions of one account, and {SOME} of another that one of them ended: the \
             logout was done in {took:.1?}; the other replica accepted none later than {latest:.1?} \
             after it"
        ),
        format!(
            "- killed when {before} rows were ended; {which} had ended the rest {finished:.1?} later, \
             each once; after the restart everything worked again in {recovery:.1?}"
        ),
        report.line(),
    ];
    cluster.judge("Very many sessions of an account, and kill -9", browsers, seen).await;
    report.assert_answered();
}

#[tokio::test(flavor = "multi_thread")]
async fn very_many_sessions_of_everybody_end_at_once_though_the_command_is_killed() {
    let (server, mut cluster) = two_replicas("everybody").await;
    let (first, second) = (Arc::clone(&cluster.replicas[0]), Arc::clone(&cluster.replicas[1]));
    let history = Arc::clone(&cluster.history);
    let mut floors = Floors::of(&server).await;
    for username in ["ada", "bob"] {
        floors.add_account(username, times(6_000, 50_000)).await;
    }
    let load = Load::start(&cluster.replicas, &history, Retries::InTime);
    work_for(1).await;
    cluster.recover().await;
    let mut kept = load.stop().await;
    kept.extend(log_in(&["ada", "bob", "admin"], &cluster.replicas, &history).await);
    let live = floors.live().await;

    let asking = Asking::start(&kept, &[&first, &second], &history);
    let began = Instant::now();
    let mut command = end_all(&server);
    floors.wait_for_one().await;
    let took = began.elapsed();
    kept.iter().for_each(Browser::record_end);
    asking.tell(&history);
    // Whoever comes from now on stays.
    let since = history.now();
    let load = Load::start(&cluster.replicas, &history, Retries::InTime);
    let bystanders = Bystanders::start("ada", &second, &history);

    floors.wait_for_rows().await;
    let worker = floors.worker().await;
    command.kill().unwrap();
    command.wait().unwrap();
    let killed = Instant::now();
    let before = floors.ended().await;
    assert!(before < live, "all rows were ended before it was killed");
    let latest = asking.latest().await;
    // One that starts reads first that they are over.
    first.restart().await;
    for replica in &cluster.replicas {
        assert_refused(&mut kept, replica).await;
    }
    let midway = floors.ended().await;
    floors.wait_until_done().await;
    let finished = killed.elapsed();
    let which = if floors.worker().await == worker { "who was at it already" } else { "a replica" };
    let logins = bystanders.stop().await;
    let report = BystanderReport::at(&second, &history, since, logins);
    floors.assert_each_ended_once(live).await;
    for replica in &cluster.replicas {
        assert_refused(&mut kept, replica).await;
    }
    let browsers = load.stop().await;
    let seen = vec![
        format!(
            "- {live} sessions of three accounts: over {took:.1?} after `session end --all` was \
             started; no replica accepted one later than {latest:.1?} after that"
        ),
        format!(
            "- the command was killed when {before} rows were ended; a replica that was started anew \
             when {midway} were accepted none; {which} had ended the rest {finished:.1?} after the \
             kill, each once"
        ),
        report.line(),
    ];
    cluster.judge("Very many sessions of everybody, and kill -9", browsers, seen).await;
    report.assert_answered();
}

/// Two replicas that set no limit to the sessions of an account.
async fn two_replicas(name: &str) -> (Server, Cluster) {
    let server = Server::start().await;
    let spec = Spec::new(server.url()).with(&["--max-sessions-per-user", "off"]);
    let cluster = Cluster::start(name, || async { same(2, &spec) }).await;
    (server, cluster)
}

async fn log_in_to(username: &str, replica: &Replica, history: &Arc<History>) -> Browser {
    let browser = Browser::log_in_as(username, replica, history, Retries::ByAttempt).await;
    browser.expect("whoever logs in is let in")
}

/// Logs in to these accounts, at these replicas in turn.
async fn log_in(
    usernames: &[&str],
    replicas: &[Arc<Replica>],
    history: &Arc<History>,
) -> Vec<Browser> {
    let mut browsers = Vec::new();
    for (username, replica) in usernames.iter().zip(replicas.iter().cycle()) {
        browsers.push(log_in_to(username, replica, history).await);
    }
    browsers
}

/// Begins `sallyport session end --all`.
fn end_all(server: &Server) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sallyport"))
        .args(["session", "end", "--all", "--database-url", &server.url()])
        .env("SALLYPORT_SECRET", "0123456789abcdefghijklmnopqrstuv")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Neither token is good for anything at this replica.
async fn assert_refused(browsers: &mut [Browser], replica: &Replica) {
    let over = Answer::Refused("SESSION_ENDED".to_owned());
    for browser in browsers {
        assert_eq!(browser.ask(replica).await, over, "an access token");
        assert_eq!(browser.refresh(replica).await, over, "a refresh token");
    }
}

/// Both tokens are good at this replica.
async fn assert_accepted(browser: &mut Browser, replica: &Replica) {
    assert_eq!(browser.ask(replica).await, Answer::Done(()), "an access token");
    assert_eq!(browser.refresh(replica).await, Answer::Done(()), "a refresh token");
}

/// Clients that ask with access tokens that are about to end, over and over until they are refused.
struct Asking {
    acknowledged: watch::Sender<Option<Duration>>,
    witnesses: Vec<JoinHandle<Duration>>,
}

impl Asking {
    fn start(kept: &[Browser], replicas: &[&Arc<Replica>], history: &Arc<History>) -> Self {
        let (acknowledged, told) = watch::channel(None);
        let mut witnesses = Vec::new();
        for browser in kept {
            browser.record_end_requested();
            for &replica in replicas {
                let (replica, history) = (Arc::clone(replica), Arc::clone(history));
                let asks = last_acceptance(browser.witness(), replica, history, told.clone());
                witnesses.push(tokio::spawn(asks));
            }
        }
        Self { acknowledged, witnesses }
    }

    /// The sessions are over from now on.
    fn tell(&self, history: &History) {
        self.acknowledged.send_replace(Some(history.now()));
    }

    /// How long after that the last request began that was accepted.
    async fn latest(self) -> Duration {
        let mut latest = Duration::ZERO;
        for witness in self.witnesses {
            latest = latest.max(witness.await.unwrap());
        }
        latest
    }
}
