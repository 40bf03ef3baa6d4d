//! Guarded queries: against a bare GraphQL server, against the peer, and with many ended sessions.

use std::net::SocketAddr;

use super::median;
use crate::Scale;
use crate::clients::Repeat;
use crate::database::{Database, Kind};
use crate::driver::run;
use crate::floors::GraphqlFloor;
use crate::peer::Peer;
use crate::report::{Goal, Report};
use crate::service::Service;

const SESSION: &str = "{ viewerSession { sid } }";
const VIEWER: &str = "{ viewer { id username } }";

pub async fn measure(kind: Kind, scale: &Scale, report: &mut Report) {
    let scale = &scale.in_short_turns();
    let floor = GraphqlFloor::start();
    let mut services = Vec::new();
    for ends in scale.ends {
        services.push(with_ends(kind, ends).await);
    }
    let (_, service, bearer) = &services[0];
    let peer = Peer::start(kind, scale).await;

    let mut of = Figures::default();
    for turn in 0..scale.turns {
        of.floor_session.push(rate(floor.address, SESSION, None, "sid", scale).await);
        // Each is the first as often as the others, in case that makes a difference.
        for at in (0..services.len()).map(|place| (turn + place) % services.len()) {
            let (_, service, bearer) = &services[at];
            let rate = rate(service.address, SESSION, Some(bearer), "sid", scale).await;
            of.sessions[at].push(rate);
        }
        of.floor_viewer.push(rate(floor.address, VIEWER, None, "username", scale).await);
        of.viewer.push(rate(service.address, VIEWER, Some(bearer), "username", scale).await);
        if let Some(peer) = &peer {
            let client = Repeat::get("/me/", &peer.pair(0).0, "username");
            of.peer.push(peer.rate(vec![client; scale.connections], scale).await);
        }
    }

    let [session, some, many] = of.sessions.map(median);
    report.ratio(
        "guarded `viewerSession { sid }` / bare GraphQL server",
        kind,
        session,
        median(of.floor_session),
        Goal::AtLeast(0.90),
    );
    report.ratio(
        "guarded `viewer { id username }` / bare GraphQL server",
        kind,
        median(of.viewer),
        median(of.floor_viewer),
        Goal::AtLeast(0.75),
    );
    let [_, hundred_thousand, million] = scale.ends;
    report.ratio(
        &format!("guard with {hundred_thousand} ended sessions / with none"),
        kind,
        some,
        session,
        Goal::AtLeast(0.97),
    );
    report.ratio(
        &format!("guard with {million} ended sessions / with none"),
        kind,
        many,
        session,
        Goal::AtLeast(0.97),
    );
    if peer.is_some() {
        report.ratio(
            "guarded query / SimpleJWT's protected view",
            kind,
            session,
            median(of.peer),
            Goal::AtLeast(20.0),
        );
    }
    report.amount(
        &format!("resident memory with {million} ended sessions"),
        kind,
        services[2].1.resident(),
        "MB",
        Goal::AtMost(100.0),
    );
}

#[derive(Default)]
struct Figures {
    floor_session: Vec<f64>,
    floor_viewer: Vec<f64>,
    sessions: [Vec<f64>; 3],
    viewer: Vec<f64>,
    peer: Vec<f64>,
}

/// A service with many ended sessions in memory, and the access token of a live one.
async fn with_ends(kind: Kind, ends: u64) -> (Database, Service, String) {
    let database = Database::new(kind).await;
    if ends > 0 {
        drop(Service::start(&database, &[]).await);
        database.add_ends(ends).await;
    }
    let service = Service::start(&database, &[]).await;
    let access = service.log_in(1).await.remove(0).access;
    (database, service, access)
}

async fn rate(
    address: SocketAddr,
    document: &str,
    bearer: Option<&str>,
    expected: &str,
    scale: &Scale,
) -> f64 {
    let client = Repeat::document(document, bearer, expected);
    let (measured, _) = run(address, vec![client; scale.connections], scale.time).await;
    assert_eq!(measured.bad, 0, "answers to {document} that were none");
    measured.rate
}
