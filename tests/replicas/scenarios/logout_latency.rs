//! How long after an acknowledged logout the other replicas still accept.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::same;
use crate::browser::{Browser, Retries, Witness};
use crate::cluster::Cluster;
use crate::history::{Answer, History};
use crate::load::Load;
use crate::replica::{Replica, Spec};
use crate::server::Server;
use crate::{is_long, report, times};

#[tokio::test(flavor = "multi_thread")]
async fn logged_out_is_out_on_every_replica_within_moments() {
    let server = Server::start().await;
    let cluster = Cluster::start("latency", || async { same(3, &Spec::new(server.url())) }).await;
    let load = Load::start(&cluster.replicas, &cluster.history, Retries::InTime);
    let mut delays = Vec::new();
    let count = times(36, 300);
    for number in 0..count {
        let leaving_at = &cluster.replicas[number % 3];
        let history = &cluster.history;
        let browser = Browser::log_in(leaving_at, history, Retries::InTime).await;
        let mut browser = browser.expect("nothing is wrong here");
        let (told, acknowledged) = watch::channel(None);
        let witnesses = cluster.replicas.iter().map(|replica| {
            let (witness, replica) = (browser.witness(), Arc::clone(replica));
            tokio::spawn(last_acceptance(
                witness,
                replica,
                Arc::clone(history),
                acknowledged.clone(),
            ))
        });
        let witnesses: Vec<_> = witnesses.collect();
        // They are at it when it happens.
        sleep(Duration::from_millis(20)).await;
        assert_eq!(browser.log_out(leaving_at).await, Answer::Done(()));
        told.send_replace(Some(history.now()));
        for witness in witnesses {
            delays.push(witness.await.unwrap());
        }
    }
    let browsers = load.stop().await;
    delays.sort();
    let [median, most, all] = [50, 99, 100].map(|share| report::percentile(&delays, share));
    let mut seen = vec![format!(
        "- {count} logouts, three replicas: from the acknowledged logout to the last request that \
         was still accepted: p50 {median:.1?}, p99 {most:.1?}, max {all:.1?}"
    )];
    seen.extend(report::histogram(&delays));
    cluster.judge("Logout under load", browsers, seen).await;
    // In a short run on a machine that is busy otherwise one logout is the hundredth part.
    assert!(!is_long() || most < Duration::from_millis(100), "p99 {most:?}");
}

/// Asks over and over until it is refused. How long after the acknowledgement the last request began
/// that was accepted; nothing where none was.
pub(super) async fn last_acceptance(
    mut witness: Witness,
    replica: Arc<Replica>,
    history: Arc<History>,
    acknowledged: watch::Receiver<Option<Duration>>,
) -> Duration {
    let mut last = Duration::ZERO;
    loop {
        let began = history.now();
        match witness.ask(&replica).await {
            Answer::Done(()) => last = began,
            Answer::Refused(_) => {
                let mut acknowledged = acknowledged;
                let known = acknowledged.wait_for(Option::is_some).await.unwrap();
                return last.saturating_sub(known.expect("some"));
            }
            other => panic!("nothing is wrong here: {other:?}"),
        }
        sleep(Duration::from_millis(1)).await;
    }
}
