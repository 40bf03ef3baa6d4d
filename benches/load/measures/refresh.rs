//! Refreshes: against the same statements alone, and against the peer.

use super::median;
use crate::Scale;
use crate::clients::Chain;
use crate::database::{Database, Kind};
use crate::driver::run;
use crate::floors;
use crate::peer::Peer;
use crate::report::{Goal, Report};
use crate::service::Service;

pub async fn measure(kind: Kind, scale: &Scale, report: &mut Report) {
    let bare = Database::new(kind).await;
    let service = Service::start(&bare, &[]).await;
    service.log_in(scale.connections).await;
    drop(service);
    let database = Database::new(kind).await;
    // As many as the loop has: a commit waits for the disk, and the others wait along.
    let flags: &[&str] = match kind {
        Kind::Sqlite => &[],
        Kind::Postgres => &["--database-connections", "64"],
    };
    let service = Service::start(&database, flags).await;
    let tokens = service.log_in(scale.connections).await;
    let mut chains: Vec<_> =
        tokens.into_iter().map(|tokens| Chain::graphql(tokens.refresh)).collect();
    let peer = Peer::start(kind, scale).await;

    let (mut floor, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..scale.turns {
        floor.push(match kind {
            Kind::Sqlite => floors::rotate_sqlite(&bare, scale.time).await,
            Kind::Postgres => floors::rotate_postgres(&bare, scale.time).await,
        });
        let (measured, kept) = run(service.address, chains, scale.time).await;
        assert_eq!(measured.bad, 0, "refreshes that failed");
        ours.push(measured.rate);
        chains = kept;
        if let Some(peer) = &peer {
            let pairs =
                (0..scale.connections).map(|at| peer.pair(1 + turn * scale.connections + at));
            let chains = pairs.map(|pair| Chain::rest(pair.1.clone())).collect();
            theirs.push(peer.rate(chains, scale).await);
        }
    }
    let goal = match kind {
        Kind::Sqlite => (0.6, 15.0),
        Kind::Postgres => (0.75, 20.0),
    };
    let ours = median(ours);
    report.ratio(
        "refresh / the same statements alone",
        kind,
        ours,
        median(floor),
        Goal::AtLeast(goal.0),
    );
    if peer.is_some() {
        report.ratio("refresh / SimpleJWT's", kind, ours, median(theirs), Goal::AtLeast(goal.1));
    }
}
