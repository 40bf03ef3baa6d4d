//! Ends whose transactions commit late, after later sequence numbers on PostgreSQL.

use std::collections::HashSet;

use sallyport::domain::id::{SessionId, UserId};
use sallyport::store::{EndedSession, FeedReader, Scope, Store};
use uuid::Uuid;

use super::support::{at, ending, make, open};
use crate::databases::{Database, on_postgres};

on_postgres!(
    an_end_that_commits_after_many_later_ones_is_handed_on,
    an_end_whose_transaction_number_was_seen_before_is_handed_on_by_the_next_server,
);

/// What the feed hands on next.
async fn read(tail: &mut FeedReader) -> HashSet<SessionId> {
    let mut seen = HashSet::new();
    tail.read(|ended, _| seen.extend(ended.iter().map(|end| end.id))).await.unwrap();
    seen
}

/// Opens a session and ends it.
async fn end_one(store: &Store, user: UserId) -> SessionId {
    let session = open(store, user, at(0)).await.id;
    store.end_sessions(ending(Scope::One(session), at(1)), None).await.unwrap();
    session
}

/// The statement that writes an end down, with the transaction's own number or another.
fn insert(session: u128, xid: &str) -> String {
    let id = Uuid::from_u128(session);
    format!(
        "INSERT INTO session_ends (session_id, user_id, reason, ended_at, until, xid) \
         VALUES ('{id}', '{id}', 'LOGOUT', 1, 9000000000000000, {xid})"
    )
}

async fn an_end_that_commits_after_many_later_ones_is_handed_on(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let mut tail = store.feed_reader();
    let mut slow = database.raw().await;
    slow.execute(format!("BEGIN; {}", insert(7, "DEFAULT"))).await;
    let late = SessionId::from_uuid(Uuid::from_u128(7));
    for _ in 0..20 {
        let ended = end_one(&store, ada.id).await;
        let seen = read(&mut tail).await;
        assert!(seen.contains(&ended) && !seen.contains(&late));
    }
    // They come again for as long, and are told from what is new.
    let ended = end_one(&store, ada.id).await;
    for is_known in [false, true] {
        let (mut new, mut repeated) = (HashSet::new(), HashSet::new());
        let sort = |ended: &[EndedSession], is_repeated| {
            let seen = if is_repeated { &mut repeated } else { &mut new };
            seen.extend(ended.iter().map(|end| end.id));
        };
        tail.read(sort).await.unwrap();
        assert_eq!(new.iter().eq([&ended]), !is_known, "{new:?}");
        assert_eq!(repeated.len(), 20 + usize::from(is_known));
    }
    slow.execute("COMMIT").await;
    assert!(read(&mut tail).await.contains(&late));
}

/// A standby that took the server's place may not have seen its last transactions, and gives their
/// numbers again.
async fn an_end_whose_transaction_number_was_seen_before_is_handed_on_by_the_next_server(
    database: Database,
) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let mut tail = store.feed_reader();
    end_one(&store, ada.id).await;
    read(&mut tail).await;
    let mut raw = database.raw().await;
    raw.execute(insert(7, "'3'::xid8")).await;
    raw.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE application_name = 'sallyport' AND datname = current_database()",
    )
    .await;
    // The connection is found dead, and then there is another one.
    let mut failed = 0;
    let seen = loop {
        let mut seen = HashSet::new();
        match tail.read(|ended, _| seen.extend(ended.iter().map(|end| end.id))).await {
            Ok(_) => break seen,
            Err(error) => assert!(error.is_temporary() && failed < 3, "{error:?}"),
        }
        failed += 1;
    };
    assert!(seen.contains(&SessionId::from_uuid(Uuid::from_u128(7))));
}
