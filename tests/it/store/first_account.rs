//! The first account, created by replicas that start at once.

use futures_util::future::join_all;
use sallyport::domain::audit::AuditKind;

use super::support::{at, event, make, new_user};
use crate::databases::{Database, on_both};

on_both!(
    replicas_that_start_at_once_make_one_first_account_whatever_each_would_call_it,
    where_there_is_an_account_none_is_the_first,
    beside_a_registration_the_first_account_is_made_before_it_or_not_at_all,
);

async fn replicas_that_start_at_once_make_one_first_account_whatever_each_would_call_it(
    database: Database,
) {
    let store = database.store().await;
    let mut replicas = Vec::new();
    for _ in 0..8 {
        replicas.push(database.connect().await);
    }
    for round in 0..10 {
        let made = join_all(replicas.iter().enumerate().map(|(n, replica)| {
            let new = new_user(&format!("admin{n}"), None);
            replica.create_first_user(new, event(AuditKind::UserCreated, at(0)))
        }))
        .await;
        let made = made.into_iter().filter(|made| *made.as_ref().unwrap()).count();
        let mut raw = database.raw().await;
        let accounts = raw.number("SELECT count(*) FROM users").await;
        let events = raw.number("SELECT count(*) FROM audit_events").await;
        assert_eq!((made, accounts, events), (1, 1, 1), "round {round}");
        raw.execute(
            "DELETE FROM password_credentials; DELETE FROM users; DELETE FROM audit_events",
        )
        .await;
    }
    assert!(
        store
            .create_first_user(new_user("a", None), event(AuditKind::UserCreated, at(0)))
            .await
            .unwrap()
    );
}

async fn where_there_is_an_account_none_is_the_first(database: Database) {
    let store = database.store().await;
    make(&store, "ada").await;
    let new = new_user("admin", None);
    assert!(!store.create_first_user(new, event(AuditKind::UserCreated, at(1))).await.unwrap());
    assert_eq!(database.raw().await.number("SELECT count(*) FROM users").await, 1);
}

async fn beside_a_registration_the_first_account_is_made_before_it_or_not_at_all(
    database: Database,
) {
    let store = database.store().await;
    for round in 0..20 {
        let first = new_user("admin", None);
        let first = store.create_first_user(first, event(AuditKind::UserCreated, at(0)));
        let registered = make(&store, "ada");
        let (first, _) = tokio::join!(first, registered);
        let expected = 1 + i64::from(first.unwrap());
        let mut raw = database.raw().await;
        let accounts = raw.number("SELECT count(*) FROM users").await;
        assert_eq!(accounts, expected, "round {round}");
        raw.execute("DELETE FROM password_credentials; DELETE FROM users").await;
    }
}
