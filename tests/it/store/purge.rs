//! Deletion of expired rows: nothing else is deleted, and no token becomes valid by it.

use std::sync::Arc;
use std::time::Duration;

use sallyport::clock::Timestamp;
use sallyport::domain::filter::BlacklistFilter;
use sallyport::domain::session::Session;
use sallyport::store::{Expired, Scope, Store};

use super::support::{ACCESS, REFRESH, at, end, entries, make, open, rotate, session};
use crate::databases::{Database, on_both};

on_both!(
    each_kind_goes_when_its_time_has_come,
    what_is_counted_is_what_goes,
    a_session_stays_while_anything_of_it_could_be_asked_for,
    what_has_expired_goes_a_batch_at_a_time,
    a_purge_revives_no_token,
    refreshes_beside_a_purge_all_succeed,
);

const BEFORE: Duration = Duration::from_micros(1);

/// Deletes all there is to delete; how many rows of each kind.
async fn purge(store: &Store, before: Timestamp) -> [u64; 4] {
    let mut purged = [0; 4];
    for (rows, kind) in purged.iter_mut().zip(Expired::ALL) {
        loop {
            let batch = store.purge_batch(kind, before).await.unwrap();
            *rows += batch;
            if batch == 0 {
                break;
            }
        }
    }
    purged
}

async fn count(store: &Store, before: Timestamp) -> [u64; 4] {
    let mut counted = [0; 4];
    for (rows, kind) in counted.iter_mut().zip(Expired::ALL) {
        *rows = store.count_expired(kind, before).await.unwrap();
    }
    counted
}

/// A session that was refreshed at second 100 and ended at second 200.
async fn history(store: &Store, name: &str) -> Session {
    let ada = make(store, name).await;
    let opened = open(store, ada.id, at(0)).await;
    rotate(store, &opened, at(100)).await.unwrap();
    end(store, Scope::One(opened.id), at(200)).await;
    opened
}

async fn each_kind_goes_when_its_time_has_come(database: Database) {
    let store = database.store().await;
    assert_eq!(purge(&store, at(1_000_000)).await, [0; 4], "nothing of nothing");
    history(&store, "ada").await;
    // An account made, a login and an end are told at 0, 0 and 200.
    for (moment, gone) in [
        (at(0), [0, 0, 0, 2]),
        (at(200), [0, 0, 0, 1]),
        (at(100) + ACCESS + Duration::from_mins(1), [0, 0, 1, 0]),
        (at(0) + REFRESH, [1, 0, 0, 0]),
        (at(100) + REFRESH, [1, 1, 0, 0]),
    ] {
        assert_eq!(purge(&store, moment - BEFORE).await, [0; 4], "{moment}");
        assert_eq!(count(&store, moment).await, gone, "{moment}");
        assert_eq!(purge(&store, moment).await, gone, "{moment}");
    }
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM users").await, 1, "accounts do not expire");
}

async fn what_is_counted_is_what_goes(database: Database) {
    let store = database.store().await;
    for name in ["ada", "bob", "eve"] {
        history(&store, name).await;
    }
    for moment in [at(0), at(250), at(0) + REFRESH, at(100) + REFRESH, at(100_000)] {
        let counted = count(&store, moment).await;
        assert_eq!(count(&store, moment).await, counted, "counting deletes nothing");
        assert_eq!(purge(&store, moment).await, counted, "{moment}");
    }
}

async fn a_session_stays_while_anything_of_it_could_be_asked_for(database: Database) {
    let store = database.store().await;
    let opened = history(&store, "ada").await;
    let bob = make(&store, "bob").await;
    let live = open(&store, bob.id, at(100)).await;
    let id = database.literal(opened.id.as_uuid());
    let mut raw = database.raw().await;
    // An access token that outlives the refresh token.
    let last = at(100) + REFRESH;
    let lasting = (last + ACCESS).as_micros();
    raw.execute(format!("UPDATE sessions SET access_expires_at = {lasting} WHERE id = {id}")).await;
    assert_eq!(purge(&store, last).await[1], 1, "bob's, which ran out");
    assert_eq!(session(&store, opened.id).await.id, opened.id);
    assert!(store.sessions_by_id(&[live.id]).await.unwrap().is_empty());
    assert_eq!(purge(&store, last + ACCESS).await[1], 1);

    // An entry that outlives its session's last token keeps the session.
    let opened = history(&store, "eve").await;
    let id = database.literal(opened.id.as_uuid());
    let lasting = (last + ACCESS).as_micros();
    raw.execute(format!(
        "UPDATE blacklist_entries SET expires_at = {lasting} WHERE session_id = {id} \
         AND generation = 0"
    ))
    .await;
    assert_eq!(count(&store, last).await[..2], [1, 0]);
    assert_eq!(purge(&store, last).await[..2], [1, 0]);
    assert_eq!(entries(&store, BlacklistFilter::default()).await.len(), 1);
    assert_eq!(purge(&store, last + ACCESS).await[..2], [1, 1]);
}

async fn what_has_expired_goes_a_batch_at_a_time(database: Database) {
    let store = database.store().await;
    let mut raw = database.raw().await;
    raw.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1201) \
         INSERT INTO audit_events (kind, occurred_at) SELECT 'LOGIN_FAILED', i FROM n",
    )
    .await;
    let mut batches = Vec::new();
    while batches.last() != Some(&0) {
        let before = Timestamp::from_micros(1_200);
        batches.push(store.purge_batch(Expired::AuditEvents, before).await.unwrap());
    }
    let size = if database.is_sqlite() { 50 } else { 100 };
    let full = usize::try_from(1200 / size).unwrap();
    assert_eq!(batches, [vec![size; full], vec![0]].concat());
    assert_eq!(raw.number("SELECT count(*) FROM audit_events").await, 1);
}

async fn a_purge_revives_no_token(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let first = open(&store, ada.id, at(0)).await;
    let second = rotate(&store, &first, at(1_000)).await.unwrap();
    let ended = open(&store, ada.id, at(0)).await;
    end(&store, Scope::One(ended.id), at(1)).await;
    // Long past anything that could expire by itself, as if a clock had been wrong for a moment;
    // and the history emptied by hand beside it.
    purge(&store, at(0) + REFRESH).await;
    database.raw().await.execute("DELETE FROM blacklist_entries; DELETE FROM session_ends").await;
    assert!(rotate(&store, &first, at(1_001)).await.is_none());
    assert!(rotate(&store, &ended, at(1_001)).await.is_none());
    let known = store.known_token(ada.id, first.id, first.token.id).await.unwrap().unwrap();
    assert_eq!((known.session.token, known.rotated_at), (second.token, None));
    assert!(rotate(&store, &second, at(1_001)).await.is_some());
    // And with everything gone, there is no session that a token could be of.
    purge(&store, at(1_000_000)).await;
    for session in [&first, &second, &ended] {
        assert!(rotate(&store, session, at(1_002)).await.is_none());
        let known = store.known_token(ada.id, session.id, session.token.id).await.unwrap();
        assert!(known.is_none());
    }
}

async fn refreshes_beside_a_purge_all_succeed(database: Database) {
    let store = Arc::new(database.store().await);
    let ada = make(&store, "ada").await;
    let now = at(0) + REFRESH;
    for _ in 0..600 {
        open(&store, ada.id, at(0)).await;
    }
    let mut live = open(&store, ada.id, at(10)).await;
    let purging = Arc::clone(&store);
    let purged = tokio::spawn(async move { purge(&purging, now).await });
    let mut refreshed = 0;
    while refreshed < 20 || !purged.is_finished() {
        live = rotate(&store, &live, now).await.unwrap();
        refreshed += 1;
    }
    assert_eq!(purged.await.unwrap()[1], 600);
    assert_eq!(session(&store, live.id).await.generation, refreshed);
}
