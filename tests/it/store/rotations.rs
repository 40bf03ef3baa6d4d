//! Batches of rotations.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sallyport::domain::filter::BlacklistFilter;
use sallyport::domain::origin::UserAgent;
use sallyport::domain::session::{AttemptHash, Session};
use sallyport::store::{Rotate, Store};

use super::faults::{WAITING, promptly, unlock, until};
use super::support::{at, entries, make, open, rotate, rotation, session};
use crate::databases::{Database, on_both, on_postgres};

on_both!(each_of_many_at_once_gets_what_it_asked_for);

on_postgres!(
    a_session_that_is_locked_keeps_only_its_own_rotation_waiting,
    a_rotation_that_cannot_be_written_fails_nobody_elses,
);

async fn each_of_many_at_once_gets_what_it_asked_for(database: Database) {
    let replicas = [database.store().await, database.connect().await];
    let ada = make(&replicas[0], "ada").await;
    let mut orders = Vec::new();
    for n in 0..90_u8 {
        let opened = open(&replicas[0], ada.id, at(i64::from(n))).await;
        orders.push(order(&opened, n));
    }
    let rotations = (0..90).map(|n| replicas[n % 2].rotate(orders[n].clone()));
    let rotated = join_all(rotations).await;
    let entries = entries(&replicas[0], BlacklistFilter::default()).await;
    let entries: HashMap<_, _> = entries.iter().map(|entry| (entry.token_id, entry)).collect();
    assert_eq!(entries.len(), 90);
    for (order, rotated) in orders.iter().zip(rotated) {
        let rotated = rotated.unwrap().unwrap().session;
        let stored = session(&replicas[1], order.session_id).await;
        for found in [&rotated, &stored] {
            assert_eq!((found.id, found.token.id), (order.session_id, order.next));
            assert_eq!(found.token.issued_at, order.at.floor_to_second());
            assert_eq!(found.token.expires_at, (order.at + order.lifetime).floor_to_second());
            assert_eq!((found.last_ip, found.last_used_at), (order.origin.ip, order.at));
            assert_eq!(found.access_expires_at, order.access_expires_at);
            let previous = found.previous.as_ref().unwrap();
            assert_eq!((previous.token_id, previous.at), (order.presented.id, order.at));
            assert_eq!(previous.attempt, order.attempt);
        }
        let entry = entries[&order.presented.id];
        assert_eq!((entry.session_id, entry.generation), (order.session_id, 0));
        assert_eq!(entry.issued_at, order.presented.issued_at);
        assert_eq!(entry.expires_at, order.presented.expires_at);
        assert_eq!((entry.blacklisted_at, entry.ip), (order.at, order.origin.ip));
        assert_eq!(entry.user_agent, order.origin.user_agent);
    }
}

/// An order of which every value is its own, or absent where it may be.
fn order(session: &Session, n: u8) -> Rotate {
    let mut order = rotation(session, at(100 + i64::from(n)) + Duration::from_micros(n.into()));
    order.lifetime += Duration::from_mins(n.into());
    order.access_expires_at = order.at + Duration::from_secs(300 + u64::from(n));
    order.attempt = (!n.is_multiple_of(3)).then_some(AttemptHash([n; 32]));
    order.origin.ip = (!n.is_multiple_of(4)).then_some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, n)));
    order.origin.user_agent =
        (!n.is_multiple_of(5)).then(|| UserAgent::parse(&format!("Browser/{n}"))).flatten();
    order
}

async fn a_session_that_is_locked_keeps_only_its_own_rotation_waiting(database: Database) {
    let store = Arc::new(database.store().await);
    let mut others = opened(&store, 32).await;
    let held = others.split_off(30);
    let mut locked = database.raw().await;
    locked.execute("BEGIN").await;
    let mut waits = Vec::new();
    // As many as there are groups under way at once: did the groups wait, nobody else would go.
    for (held, waiting) in held.into_iter().zip(1..) {
        let id = database.literal(held.id.as_uuid());
        locked.execute(format!("SELECT 1 FROM sessions WHERE id = {id} FOR UPDATE")).await;
        let store = Arc::clone(&store);
        waits.push(tokio::spawn(async move { rotate(&store, &held, at(1)).await }));
        until(&mut database.raw().await, WAITING, waiting).await;
    }
    for others in others.chunks(10) {
        let rotations = others.iter().map(|other| rotate(&store, other, at(1)));
        assert!(promptly(join_all(rotations)).await.iter().all(Option::is_some));
    }
    assert!(waits.iter().all(|waits| !waits.is_finished()));
    unlock(locked).await;
    for waits in waits {
        assert!(waits.await.unwrap().is_some());
    }
}

async fn a_rotation_that_cannot_be_written_fails_nobody_elses(database: Database) {
    let store = database.store().await;
    let sessions = opened(&store, 40).await;
    let (bad, token) = (&sessions[20], database.literal(sessions[20].token.id.as_uuid()));
    let entry_of_nowhere = format!(
        "INSERT INTO blacklist_entries SELECT {token}, id, user_id, 7, 'ROTATED', 0, 0, 0 \
         FROM sessions LIMIT 1"
    );
    database.raw().await.execute(entry_of_nowhere).await;
    let rotations = sessions.iter().map(|session| store.rotate(rotation(session, at(1))));
    let outcomes = join_all(rotations).await;
    for (opened, outcome) in sessions.iter().zip(outcomes) {
        assert_eq!(outcome.is_err(), opened.id == bad.id, "{outcome:?}");
        let generation = session(&store, opened.id).await.generation;
        assert_eq!(generation, i32::from(opened.id != bad.id));
    }
}

/// So many sessions of one user.
async fn opened(store: &Store, count: usize) -> Vec<Session> {
    let bob = make(store, "bob").await;
    join_all((0..count).map(|_| open(store, bob.id, at(0)))).await
}
