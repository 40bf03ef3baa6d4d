//! Cancelled operations: after a timeout, or because the caller is gone.

use std::sync::Arc;

use futures_util::future::join_all;

use super::faults::{WAITING, deactivate, lock, promptly, unlock, until};
use super::support::{at, make, open, rotate, rotation};
use crate::databases::{Database, on_postgres};

on_postgres!(
    cancelled_operations_block_nobody_and_leave_nothing_behind,
    an_operation_whose_caller_goes_away_keeps_nobody_waiting,
    a_cancelled_refresh_does_not_keep_waiting_at_the_server,
);

async fn cancelled_operations_block_nobody_and_leave_nothing_behind(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let locked = lock(&database, ada.id).await;
    // More than the pool has connections.
    let outcomes = join_all((0..24).map(|_| deactivate(&store, ada.id))).await;
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap_err().is_temporary()));
    for _ in 0..24 {
        promptly(store.ping()).await.unwrap();
    }
    // The server gives up, too: who asks over and over must not gather connections that wait.
    until(&mut database.raw().await, WAITING, 0).await;
    unlock(locked).await;
    for _ in 0..24 {
        let read = promptly(store.users_by_id(&[ada.id])).await.unwrap();
        assert!(read[&ada.id].is_active());
    }
    promptly(deactivate(&store, ada.id)).await.unwrap();
}

async fn an_operation_whose_caller_goes_away_keeps_nobody_waiting(database: Database) {
    let store = Arc::new(database.store().await);
    let ada = make(&store, "ada").await;
    let locked = lock(&database, ada.id).await;
    let mut raw = database.raw().await;
    let asking = |_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { deactivate(&store, ada.id).await })
    };
    let asked: Vec<_> = (0..16).map(asking).collect();
    until(&mut raw, WAITING, 16).await;
    for task in asked {
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }
    promptly(store.ping()).await.unwrap();
    unlock(locked).await;
    assert!(store.users_by_id(&[ada.id]).await.unwrap()[&ada.id].is_active());
}

async fn a_cancelled_refresh_does_not_keep_waiting_at_the_server(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let opened = open(&store, ada.id, at(0)).await;
    let id = database.literal(opened.id.as_uuid());
    let mut locked = database.raw().await;
    locked.execute(format!("BEGIN; SELECT 1 FROM sessions WHERE id = {id} FOR UPDATE")).await;
    let outcomes = join_all((0..24).map(|_| store.rotate(rotation(&opened, at(1))))).await;
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap_err().is_temporary()));
    until(&mut database.raw().await, WAITING, 0).await;
    unlock(locked).await;
    assert!(rotate(&store, &opened, at(1)).await.is_some());
}
