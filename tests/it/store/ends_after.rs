//! The feed of ended sessions after a cursor, and the usage of the connection pool.

use sallyport::domain::id::SessionId;
use sallyport::store::{FeedCursor, FeedPage, Scope, Store};

use super::support::{at, ending, make, open};
use crate::databases::{Database, on_both};

on_both!(
    what_ends_behind_a_place_is_found_from_it_once,
    a_follower_of_one_account_sees_its_ends_only,
    a_place_is_read_as_it_was_written,
    a_place_of_a_server_that_was_replaced_is_before_all_there_is,
    no_more_connections_are_in_use_than_there_may_be,
);

async fn end_one(store: &Store, name: &str) -> SessionId {
    let session = open(store, make(store, name).await.id, at(0)).await.id;
    store.end_sessions(ending(Scope::One(session), at(1)), None).await.unwrap();
    session
}

fn sessions(followed: &FeedPage) -> Vec<SessionId> {
    followed.entries.iter().map(|end| end.session_id).collect()
}

async fn what_ends_behind_a_place_is_found_from_it_once(database: Database) {
    let store = database.store().await;
    let before = end_one(&store, "ada").await;
    let place = store.latest_feed_cursor().await.unwrap();
    assert!(sessions(&store.ends_after(&place, None).await.unwrap()).is_empty());
    let behind = end_one(&store, "bob").await;
    let followed = store.ends_after(&place, None).await.unwrap();
    assert_eq!(sessions(&followed), [behind]);
    assert!(sessions(&store.ends_after(&followed.cursor, None).await.unwrap()).is_empty());
    let all = store.ends_after(&FeedCursor::START, None).await.unwrap();
    assert_eq!(sessions(&all), [before, behind]);
}

async fn a_follower_of_one_account_sees_its_ends_only(database: Database) {
    let store = database.store().await;
    end_one(&store, "ada").await;
    let bob = make(&store, "bob").await.id;
    let session = open(&store, bob, at(0)).await.id;
    store.end_sessions(ending(Scope::One(session), at(1)), None).await.unwrap();
    let followed = store.ends_after(&FeedCursor::START, Some(bob)).await.unwrap();
    assert_eq!(sessions(&followed), [session]);
}

async fn a_place_is_read_as_it_was_written(database: Database) {
    let store = database.store().await;
    end_one(&store, "ada").await;
    let place = store.latest_feed_cursor().await.unwrap();
    let read = FeedCursor::parse(&place.to_string()).unwrap();
    assert!(sessions(&store.ends_after(&read, None).await.unwrap()).is_empty());
    assert!(FeedCursor::parse("nowhere").is_none());
}

/// A standby that takes over may give numbers again that the place says were seen.
async fn a_place_of_a_server_that_was_replaced_is_before_all_there_is(database: Database) {
    let store = database.store().await;
    let session = end_one(&store, "ada").await;
    let place = store.latest_feed_cursor().await.unwrap().to_string();
    let elsewhere = match place.strip_prefix('p').and_then(|rest| rest.split_once(' ')) {
        Some((started, seen)) => format!("p{} {seen}", started.parse::<i64>().unwrap() - 1),
        // SQLite has no standby; another file has other numbers.
        None => "s1000".to_owned(),
    };
    let mut followed =
        store.ends_after(&FeedCursor::parse(&elsewhere).unwrap(), None).await.unwrap();
    while followed.entries.is_empty() && followed.has_more {
        followed = store.ends_after(&followed.cursor, None).await.unwrap();
    }
    assert_eq!(sessions(&followed), [session]);
}

async fn no_more_connections_are_in_use_than_there_may_be(database: Database) {
    let store = database.store().await;
    let asked = (0..100).map(|_| store.ping());
    for answer in futures_util::future::join_all(asked).await {
        answer.unwrap();
    }
    let pool = store.pool_usage();
    assert!(pool.idle + pool.in_use <= pool.max && pool.max > 0, "{pool:?}");
}
