//! Retention of IP addresses and user agents.

use std::time::Duration;

use sallyport::domain::audit::AuditKind;
use sallyport::store::ClientMetadata;

use super::support::{REFRESH, at, event, make, open, rotate};
use crate::databases::{Database, on_both};

on_both!(what_is_old_loses_address_and_client_and_nothing_else);

async fn what_is_old_loses_address_and_client_and_nothing_else(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    // One that is not used again, one that is.
    open(&store, ada.id, at(0)).await;
    let used = open(&store, ada.id, at(0)).await;
    let later = i64::try_from(REFRESH.as_secs()).unwrap() - 1;
    let used = rotate(&store, &used, at(later)).await.unwrap();
    rotate(&store, &used, at(later + 100)).await.unwrap();
    store.record(event(AuditKind::LoginFailed, at(later + 100))).await.unwrap();
    let before = at(later) + Duration::from_secs(50);
    let mut raw = database.raw().await;
    let mut kept = async |table: &str| {
        let all = raw.number(format!("SELECT count(*) FROM {table}")).await;
        let with = format!("SELECT count(*) FROM {table} WHERE ip IS NOT NULL");
        let agents = format!("SELECT count(*) FROM {table} WHERE user_agent IS NOT NULL");
        (all, raw.number(with).await, raw.number(agents).await)
    };
    for (kind, table, all, left) in [
        (ClientMetadata::Sessions, "sessions", 2, 1),
        (ClientMetadata::BlacklistEntries, "blacklist_entries", 2, 1),
        (ClientMetadata::AuditEvents, "audit_events", 4, 1),
    ] {
        assert_eq!(kept(table).await, (all, all, all), "{table}");
        let old = u64::try_from(all - left).unwrap();
        assert_eq!(store.count_metadata(kind, before).await.unwrap(), old, "{table}");
        assert_eq!(store.clear_metadata_batch(kind, before).await.unwrap(), old, "{table}");
        assert_eq!(store.clear_metadata_batch(kind, before).await.unwrap(), 0, "{table}");
        assert_eq!(kept(table).await, (all, left, left), "{table}");
    }
}
