//! Operations on signing keys and on the audit.

use futures_util::future::join_all;
use sallyport::clock::{Clock, SystemClock, Timestamp};
use sallyport::crypto::algorithm::SigningAlgorithm;
use sallyport::domain::audit::AuditKind;
use sallyport::domain::id::{KeyId, SessionId};
use sallyport::domain::key_life::KeyLife;
use sallyport::domain::origin::Origin;
use sallyport::entropy::SystemEntropy;
use sallyport::store::{NewEvent, RotateKey, Store, StoredKey};

use super::support::{ACCESS, at, event, make, origin};
use crate::databases::{Database, on_both};

on_both!(
    of_processes_that_start_at_once_one_adds_its_key,
    a_key_is_replaced_once_whoever_asks,
    a_key_that_does_not_sign_yet_is_replaced_in_an_emergency_only,
    a_key_is_sealed_anew_in_its_place_and_never_revived,
    a_longer_life_of_tokens_is_noted_of_what_still_signs,
    what_is_recorded_is_there_with_all_that_is_known,
    the_clock_of_the_server_is_told_where_there_is_one,
);

/// A key that signs from a moment on.
fn key(kid: &str, moment: i64) -> StoredKey {
    StoredKey {
        id: KeyId::new(at(0), &SystemEntropy),
        kid: kid.to_owned(),
        algorithm: SigningAlgorithm::Es256.into(),
        sealed: vec![0, 1, 255],
        created_at: at(moment),
        life: KeyLife {
            activates_at: at(moment),
            stops_at: None,
            token_lifetime: ACCESS,
            is_destroyed: false,
        },
    }
}

async fn rotate_key(store: &Store, old: KeyId, new: &StoredKey, now: i64, urgent: bool) -> bool {
    let order = RotateKey { replaces: old, key: new.clone(), at: at(now), removes_others: urgent };
    store.rotate_key(order, event(AuditKind::KeyRotated, at(now))).await.unwrap()
}

/// The keys by their thumbprints, and when each one stops.
async fn stops(store: &Store) -> Vec<(String, Option<Timestamp>)> {
    let keys = store.signing_keys().await.unwrap();
    keys.into_iter().map(|key| (key.kid, key.life.stops_at)).collect()
}

async fn of_processes_that_start_at_once_one_adds_its_key(database: Database) {
    let mut processes = vec![database.store().await];
    for _ in 0..5 {
        processes.push(database.connect().await);
    }
    let keys: Vec<_> = (0..6).map(|n| key(&format!("key {n}"), 60)).collect();
    let adding = processes.iter().zip(&keys).map(|(it, key)| it.add_first_key(key.clone()));
    let added = join_all(adding).await;
    let winner = added.iter().position(|added| *added.as_ref().unwrap()).unwrap();
    assert_eq!(added.iter().filter(|added| *added.as_ref().unwrap()).count(), 1);
    for process in &processes {
        let stored = process.signing_keys().await.unwrap();
        let ([stored], first) = (stored.as_slice(), &keys[winner]) else { panic!("{stored:?}") };
        assert_eq!(
            (stored.id, &stored.kid, &stored.algorithm),
            (first.id, &first.kid, &first.algorithm)
        );
        assert_eq!((&stored.sealed, stored.created_at), (&first.sealed, at(60)));
        assert_eq!(stored.life, first.life);
    }
}

async fn a_key_is_replaced_once_whoever_asks(database: Database) {
    let (one, two) = (database.store().await, database.connect().await);
    let first = key("first", 0);
    assert!(one.add_first_key(first.clone()).await.unwrap());
    let next: Vec<_> = (0..10).map(|n| key(&format!("next {n}"), 60)).collect();
    let rotating = next
        .iter()
        .enumerate()
        .map(|(n, key)| rotate_key(if n % 2 == 0 { &one } else { &two }, first.id, key, 10, false));
    assert_eq!(join_all(rotating).await.into_iter().filter(|done| *done).count(), 1);
    let stops = stops(&one).await;
    assert_eq!((stops.len(), &stops[0]), (2, &("first".to_owned(), Some(at(60)))));
    assert_eq!(stops[1].1, None);
    let told = "SELECT count(*) FROM audit_events WHERE kind = 'KEY_ROTATED'";
    assert_eq!(database.raw().await.number(told).await, 1);
}

async fn a_key_that_does_not_sign_yet_is_replaced_in_an_emergency_only(database: Database) {
    let store = database.store().await;
    let (first, next, last) = (key("first", 0), key("next", 60), key("last", 20));
    store.add_first_key(first.clone()).await.unwrap();
    assert!(rotate_key(&store, first.id, &next, 10, false).await);
    assert!(!rotate_key(&store, next.id, &last, 20, false).await);
    assert_eq!(stops(&store).await.len(), 2);
    assert!(rotate_key(&store, next.id, &last, 20, true).await);
    let keys = store.signing_keys().await.unwrap();
    let destroyed: Vec<_> = keys.iter().map(|key| (&*key.kid, key.life.is_destroyed)).collect();
    assert_eq!(destroyed, [("first", true), ("last", false), ("next", true)]);
    assert!(keys.iter().all(|key| key.sealed.is_empty() == key.life.is_destroyed));
    assert!(keys.iter().all(|key| key.life.stops_at.is_none_or(|stop| stop <= at(20))));
}

async fn a_key_is_sealed_anew_in_its_place_and_never_revived(database: Database) {
    let store = database.store().await;
    let (first, last) = (key("first", 0), key("last", 10));
    store.add_first_key(first.clone()).await.unwrap();
    let sealed = async || {
        let keys = store.signing_keys().await.unwrap();
        keys.into_iter().map(|key| key.sealed).collect::<Vec<_>>()
    };
    store.reseal_key(first.id, vec![1], vec![2; 300]).await.unwrap();
    assert_eq!(sealed().await.concat(), first.sealed, "it is not what was read");
    store.reseal_key(first.id, first.sealed.clone(), vec![2; 300]).await.unwrap();
    assert_eq!(sealed().await, [vec![2; 300]]);
    assert!(rotate_key(&store, first.id, &last, 10, true).await);
    store.reseal_key(first.id, vec![2; 300], vec![3]).await.unwrap();
    assert_eq!(sealed().await, [vec![], last.sealed]);
}

async fn a_longer_life_of_tokens_is_noted_of_what_still_signs(database: Database) {
    let store = database.store().await;
    let (first, next) = (key("first", 0), key("next", 60));
    store.add_first_key(first.clone()).await.unwrap();
    assert!(rotate_key(&store, first.id, &next, 10, false).await);
    let lifetimes = async || {
        let keys = store.signing_keys().await.unwrap();
        keys.into_iter().map(|key| key.life.token_lifetime).collect::<Vec<_>>()
    };
    let note = async |lifetime, now| store.raise_token_lifetime(lifetime, at(now)).await.unwrap();
    note(ACCESS / 2, 59).await;
    assert_eq!(lifetimes().await, [ACCESS, ACCESS], "a token of before lives as long as it did");
    note(ACCESS * 2, 59).await;
    assert_eq!(lifetimes().await, [ACCESS * 2, ACCESS * 2]);
    note(ACCESS * 3, 60).await;
    assert_eq!(lifetimes().await, [ACCESS * 2, ACCESS * 3]);
}

async fn what_is_recorded_is_there_with_all_that_is_known(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let session = SessionId::new(at(0), &SystemEntropy);
    let full = NewEvent {
        user: Some(ada.id),
        actor: Some(ada.id),
        session: Some(session),
        detail: Some("by hand"),
        ..event(AuditKind::LoginFailed, at(7))
    };
    store.record(full).await.unwrap();
    let bare = NewEvent { origin: Origin::default(), ..event(AuditKind::RateLimited, at(8)) };
    store.record(bare).await.unwrap();
    let mut raw = database.raw().await;
    let (user, session) = (database.literal(ada.id.as_uuid()), database.literal(session.as_uuid()));
    let full = format!(
        "SELECT count(*) FROM audit_events WHERE kind = 'LOGIN_FAILED' AND occurred_at = {} \
         AND user_id = {user} AND actor_id = {user} AND session_id = {session} \
         AND detail = 'by hand' AND ip IS NOT NULL AND user_agent = '{}'",
        at(7).as_micros(),
        origin().user_agent.unwrap().as_str()
    );
    assert_eq!(raw.number(full).await, 1);
    let bare = "SELECT count(*) FROM audit_events WHERE kind = 'RATE_LIMITED' AND user_id IS NULL \
                AND actor_id IS NULL AND session_id IS NULL AND detail IS NULL AND ip IS NULL \
                AND user_agent IS NULL";
    assert_eq!(raw.number(bare).await, 1);
}

async fn the_clock_of_the_server_is_told_where_there_is_one(database: Database) {
    let store = database.store().await;
    let asked = SystemClock::new().now();
    let told = store.now().await.unwrap();
    assert_eq!(told.is_none(), database.is_sqlite());
    let answered = SystemClock::new().now();
    assert!(told.is_none_or(|now| now >= asked && now <= answered), "{told:?}");
}
