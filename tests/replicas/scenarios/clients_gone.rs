//! Clients that go away before they are answered.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::same;
use crate::browser::{Browser, Retries};
use crate::cluster::Cluster;
use crate::history::{Answer, Did};
use crate::http::request;
use crate::load::Random;
use crate::replica::{Replica, Spec};
use crate::server::Server;
use crate::times;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_leaves_nothing_half_done() {
    let server = Server::start().await;
    let cluster = Cluster::start("gone", || async { same(2, &Spec::new(server.url())) }).await;
    let mut random = Random(3);
    let count = times(100, 1000);
    let mut browsers = Vec::new();
    for number in 0..count {
        let replica = &cluster.replicas[number % 2];
        // Its retry comes after all the others have gone, which may be late.
        let browser = Browser::log_in(replica, &cluster.history, Retries::ByAttempt).await;
        let mut browser = browser.unwrap();
        go_away(&mut browser, replica, number % 4 < 2, &mut random).await;
        browsers.push(browser);
    }
    let mut remaining = Vec::new();
    for mut browser in browsers {
        // Whatever became of it: the other replica, and then both, agree.
        let [one, other] = &cluster.replicas[..] else { unreachable!("two") };
        if browser.refresh(other).await == Answer::Done(()) {
            remaining.push(browser);
        } else {
            for replica in [one, other] {
                while browser.ask(replica).await == Answer::Done(()) {
                    sleep(Duration::from_millis(1)).await;
                }
            }
        }
    }
    let ended = count - remaining.len();
    let seen = vec![format!(
        "- {count} clients hung up within 4 ms, half of them while they logged out: {ended} of those \
         {} sessions ended, the rest went on; every refresh could be repeated",
        count / 2
    )];
    cluster.judge("Client gone mid-request", remaining, seen).await;
}

/// Sends a request and hangs up, with a reset, at some moment within its first milliseconds.
async fn go_away(browser: &mut Browser, replica: &Arc<Replica>, leaves: bool, random: &mut Random) {
    let began = browser.history().now();
    let document =
        if leaves { browser.logout_request("CURRENT") } else { browser.refresh_request() };
    let mut stream = TcpStream::connect(replica.address()).await.unwrap();
    stream.set_zero_linger().unwrap();
    stream.write_all(request(None, &document).as_bytes()).await.unwrap();
    sleep(Duration::from_micros(random.below(4000) as u64)).await;
    drop(stream);
    let did = if leaves {
        Did::LogOut { answer: Answer::Lost }
    } else {
        Did::Refresh { presented: browser.token_tail(), answer: Answer::Lost }
    };
    browser.record_abandoned(replica, began, did);
}
