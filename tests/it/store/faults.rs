//! A failing database: temporary errors are told from permanent ones, and no work is left half done.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sallyport::domain::audit::AuditKind;
use sallyport::domain::id::UserId;
use sallyport::store::{DatabaseUrl, Error, Scope, Store};

use super::support::{at, ending, event, make, open, session, set_active};
use crate::databases::{Database, Raw, on_both, on_postgres};

on_both!(
    a_row_that_somebody_else_locks_too_long_is_an_outage_and_then_passes,
    reading_goes_on_while_somebody_else_writes,
    a_missing_table_is_not_an_outage,
    a_row_that_a_hand_spoilt_is_not_an_outage,
);

on_postgres!(
    a_connection_that_the_server_ends_is_an_outage_and_then_passes,
    a_server_that_stops_making_sense_is_an_outage_and_then_passes,
);

/// Locks what a write to this account needs, until [`unlock`].
pub async fn lock(database: &Database, user: UserId) -> Raw {
    let mut raw = database.raw().await;
    if database.is_sqlite() {
        raw.execute("BEGIN IMMEDIATE").await;
    } else {
        let id = database.literal(user.as_uuid());
        raw.execute(format!("BEGIN; SELECT 1 FROM users WHERE id = {id} FOR UPDATE")).await;
    }
    raw
}

pub async fn unlock(mut raw: Raw) {
    raw.execute("ROLLBACK").await;
}

/// Deactivates the account, as far as the database lets.
pub async fn deactivate(store: &Store, user: UserId) -> Result<(), Error> {
    let end = ending(Scope::User(user), at(1));
    let done = store.set_active(user, false, event(AuditKind::UserDeactivated, at(1)), end).await;
    done.map(|changed| assert!(changed.unwrap().is_some()))
}

/// Fails where that is not done within a second, which is half of what an operation may take.
pub async fn promptly<T>(operation: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(1), operation).await.expect("a prompt answer")
}

/// Waits until the query finds this number.
pub async fn until(raw: &mut Raw, query: &str, number: i64) {
    let reached = async {
        while raw.number(query).await != number {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reached).await.expect(query);
}

async fn a_row_that_somebody_else_locks_too_long_is_an_outage_and_then_passes(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let locked = lock(&database, ada.id).await;
    let error = deactivate(&store, ada.id).await.unwrap_err();
    assert!(error.is_temporary(), "{error:?}");
    unlock(locked).await;
    promptly(deactivate(&store, ada.id)).await.unwrap();
}

async fn reading_goes_on_while_somebody_else_writes(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let locked = lock(&database, ada.id).await;
    let read = promptly(store.users_by_id(&[ada.id])).await.unwrap();
    assert!(read[&ada.id].is_active());
    unlock(locked).await;
}

async fn a_missing_table_is_not_an_outage(database: Database) {
    let store = database.store().await;
    let mut raw = database.raw().await;
    raw.execute("DROP TABLE audit_events").await;
    let error = store.record(event(AuditKind::LoginFailed, at(0))).await.unwrap_err();
    assert!(!error.is_temporary(), "{error:?}");
}

async fn a_row_that_a_hand_spoilt_is_not_an_outage(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let opened = open(&store, ada.id, at(0)).await;
    let other = open(&store, ada.id, at(0)).await;
    let id = database.literal(opened.id.as_uuid());
    let spoil = format!("UPDATE sessions SET ended_at = 1, end_reason = NULL WHERE id = {id}");
    database.raw().await.execute(spoil).await;
    let error = store.sessions_by_id(&[opened.id]).await.unwrap_err();
    assert!(!error.is_temporary(), "{error:?}");
    assert_eq!(session(&store, other.id).await.id, other.id);
}

/// How many operations wait for a lock.
pub const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sallyport' \
                       AND datname = current_database() AND wait_event_type = 'Lock'";

async fn a_connection_that_the_server_ends_is_an_outage_and_then_passes(database: Database) {
    let store = Arc::new(database.store().await);
    let ada = make(&store, "ada").await;
    let mut raw = database.raw().await;
    for round in 0..5 {
        let locked = lock(&database, ada.id).await;
        let asking = |_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { deactivate(&store, ada.id).await })
        };
        let asked: Vec<_> = (0..4).map(asking).collect();
        until(&mut raw, WAITING, 4).await;
        raw.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE application_name = 'sallyport' AND datname = current_database()",
        )
        .await;
        for task in asked {
            let error = task.await.unwrap().unwrap_err();
            assert!(error.is_temporary(), "round {round}: {error:?}");
        }
        unlock(locked).await;
        // Whatever was in the pool is dead; the store finds that out by itself.
        let (user, _) = promptly(set_active(&store, ada.id, true, at(1))).await.unwrap();
        assert!(user.is_active());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_an_outage() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = DatabaseUrl::from_str(&format!("postgres://nobody@{closed}/none")).unwrap();
    let error = Store::connect(&url).await.unwrap_err();
    assert!(error.is_temporary(), "{error:?}");
}

async fn a_server_that_stops_making_sense_is_an_outage_and_then_passes(database: Database) {
    database.store().await;
    let relay = Relay::before(&database.url);
    let store = Store::connect(&DatabaseUrl::from_str(&relay.url).unwrap()).await.unwrap();
    let ada = make(&store, "ada").await;
    relay.babbles.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let error = deactivate(&store, ada.id).await.unwrap_err();
        assert!(error.is_temporary(), "{error:?}");
    }
    relay.babbles.store(false, Ordering::SeqCst);
    promptly(deactivate(&store, ada.id)).await.unwrap();
}

/// Stands between a store and its server.
struct Relay {
    url: String,
    /// Whether it answers nonsense in the server's place, and hangs up.
    babbles: Arc<AtomicBool>,
}

impl Relay {
    fn before(url: &str) -> Self {
        let (user, rest) = url.split_once('@').expect("postgres://USER@HOST/NAME");
        let (server, name) = rest.split_once('/').expect("postgres://USER@HOST/NAME");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{user}@{}/{name}", listener.local_addr().unwrap());
        let (server, babbles) = (server.to_owned(), Arc::new(AtomicBool::new(false)));
        let flag = Arc::clone(&babbles);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || pass(from, to, None));
                let flag = Arc::clone(&flag);
                std::thread::spawn(move || pass(server, client, Some(&flag)));
            }
        });
        Self { url, babbles }
    }
}

/// Passes bytes on until either side hangs up.
fn pass(mut from: TcpStream, mut to: TcpStream, babbles: Option<&AtomicBool>) {
    let mut bytes = [0; 8192];
    loop {
        let read = from.read(&mut bytes).unwrap_or(0);
        let sense = !babbles.is_some_and(|babbles| babbles.load(Ordering::SeqCst));
        let answer = if sense { &bytes[..read] } else { &[0; 64] };
        if read == 0 || to.write_all(answer).is_err() || !sense {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
