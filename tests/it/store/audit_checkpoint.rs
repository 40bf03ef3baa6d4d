//! The audit checkpoint that identifies a database, and backups.

use std::time::Duration;

use sallyport::domain::audit::AuditKind;
use sallyport::domain::origin::Origin;
use sallyport::store::{AuditCheckpoint, BackupError, DatabaseUrl, NewEvent, Store};
use tempfile::TempDir;

use super::support::{at, make};
use crate::databases::{Database, on_both};

on_both!(the_newest_event_is_the_mark_of_a_database, a_copy_is_a_database_like_the_other_one);

async fn the_newest_event_is_the_mark_of_a_database(database: Database) {
    let store = database.store().await;
    assert_eq!(store.newest_audit_checkpoint().await.unwrap(), None);
    let mut marks = Vec::new();
    for second in 0..3 {
        let event = NewEvent {
            kind: AuditKind::LoginFailed,
            at: at(second),
            user: None,
            actor: None,
            session: None,
            origin: Origin::default(),
            detail: None,
        };
        store.record(event).await.unwrap();
        marks.push(store.newest_audit_checkpoint().await.unwrap().unwrap());
    }
    assert_eq!(marks[2].at, at(2));
    for mark in marks {
        assert!(store.has_audit_checkpoint(mark).await.unwrap());
        // An older copy that went on gives the number to another event.
        let other = AuditCheckpoint { at: mark.at + Duration::from_micros(1), ..mark };
        assert!(!store.has_audit_checkpoint(other).await.unwrap());
    }
}

async fn a_copy_is_a_database_like_the_other_one(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("copy.db");
    let made = store.back_up(&file).await;
    if !database.is_sqlite() {
        assert!(matches!(made, Err(BackupError::Postgres)), "{made:?}");
        return;
    }
    made.unwrap();
    let url: DatabaseUrl = format!("sqlite://{}", file.display()).parse().unwrap();
    let copy = Store::connect(&url).await.unwrap();
    assert_eq!(copy.missing_migrations().await.unwrap(), 0);
    assert!(copy.users_by_id(&[ada.id]).await.unwrap().contains_key(&ada.id));
    let again = store.back_up(&file).await;
    assert!(matches!(again, Err(BackupError::Exists(_))), "{again:?}");
}
