//! Words of a newer version in rows that this version reads: they are `Unknown`, and nothing fails.

use sallyport::crypto::algorithm::SigningAlgorithm;
use sallyport::domain::audit::AuditKind;
use sallyport::domain::blacklist::BlacklistReason;
use sallyport::domain::filter::{AuditFilter, BlacklistFilter, SessionFilter, UserFilter};
use sallyport::domain::id::TokenId;
use sallyport::domain::pagination::PageRequest;
use sallyport::domain::session::EndReason;
use sallyport::domain::user::Role;
use sallyport::entropy::SystemEntropy;
use sallyport::store::{FeedCursor, FloorBatch, Scope, StoredAlgorithm};

use super::support::{at, end, ending, entries, make, open, rotation, session};
use crate::databases::{Database, on_both};

on_both!(
    an_end_for_a_reason_of_a_newer_version_is_an_end,
    rows_below_a_floor_of_a_newer_version_get_its_word,
    a_kind_of_event_of_a_newer_version_is_listed,
    a_role_of_a_newer_version_is_read_with_the_session,
    role_names_in_the_form_of_a_newer_version_leave_the_account_readable,
    a_key_of_an_algorithm_of_a_newer_version_keeps_its_word,
    hashes_of_a_scheme_of_a_newer_version_leave_room_in_the_sample_for_the_others,
);

const UNKNOWN_END: BlacklistReason = BlacklistReason::Ended(EndReason::Unknown);

fn all<K>() -> PageRequest<K> {
    PageRequest { after: None, before: None, size: 100, from_end: false }
}

async fn an_end_for_a_reason_of_a_newer_version_is_an_end(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await.id;
    let (known, unknown) = (open(&store, ada, at(0)).await, open(&store, ada, at(0)).await);
    end(&store, Scope::One(known.id), at(1)).await;
    end(&store, Scope::One(unknown.id), at(1)).await;
    let id = database.literal(unknown.id.as_uuid());
    database
        .raw()
        .await
        .execute(format!(
            "UPDATE sessions SET end_reason = 'PASSKEY_REMOVED' WHERE id = {id}; \
             UPDATE session_ends SET reason = 'PASSKEY_REMOVED' WHERE session_id = {id}; \
             UPDATE blacklist_entries SET reason = 'PASSKEY_REMOVED' WHERE session_id = {id}"
        ))
        .await;

    let (mut reader, mut read) = (store.feed_reader(), Vec::new());
    reader.read(|ended, _| read.extend_from_slice(ended)).await.unwrap();
    reader.backfill(at(0), at(2), |ended| read.extend_from_slice(ended)).await.unwrap();
    read.extend(store.recent_ends(&Scope::User(ada), &[], at(0), at(2), &[]).await.unwrap());
    let of_unknown = read.iter().filter(|ended| ended.id == unknown.id);
    assert!(of_unknown.map(|ended| ended.reason).eq([EndReason::Unknown; 3]), "{read:?}");
    let page = store.ends_after(&FeedCursor::START, Some(ada)).await.unwrap();
    let reasons = page.entries.iter().map(|entry| entry.reason);
    assert!(reasons.eq([EndReason::Admin, EndReason::Unknown]));

    let found = session(&store, unknown.id).await;
    assert_eq!(found.end.unwrap().reason, EndReason::Unknown);
    assert!(store.rotate(rotation(&unknown, at(2))).await.unwrap().is_none());
    let token = store.known_token(ada, unknown.id, unknown.token.id).await.unwrap().unwrap();
    assert_eq!(token.session.end.unwrap().reason, EndReason::Unknown);

    for (reason, expected) in [(EndReason::Unknown, unknown.id), (EndReason::Admin, known.id)] {
        let filter = SessionFilter { end_reason: Some(reason), ..SessionFilter::default() };
        let found = store.sessions(&filter, &all(), at(2)).await.unwrap().items;
        assert!(found.iter().map(|session| session.id).eq([expected]), "{reason:?}");
        let reasons = Some(vec![BlacklistReason::Ended(reason)]);
        let found =
            entries(&store, BlacklistFilter { reasons, ..BlacklistFilter::default() }).await;
        assert!(found.iter().map(|entry| entry.session_id).eq([expected]), "{reason:?}");
    }
    let both = Some(vec![UNKNOWN_END, BlacklistReason::Ended(EndReason::Admin)]);
    let found = entries(&store, BlacklistFilter { reasons: both, ..BlacklistFilter::default() });
    assert_eq!(found.await.len(), 2);
}

async fn rows_below_a_floor_of_a_newer_version_get_its_word(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await.id;
    database.add_sessions(ada.as_uuid(), 1_001, at(900).as_micros()).await;
    let order = ending(Scope::User(ada), at(10));
    assert!(store.end_sessions(order, None).await.unwrap().is_new);
    let mut raw = database.raw().await;
    raw.execute("UPDATE session_floors SET reason = 'PASSKEY_REMOVED'").await;

    let floor = store.feed_reader().floors().await.unwrap().remove(0);
    assert_eq!(floor.reason, EndReason::Unknown);
    assert_eq!(store.count_below(&floor).await.unwrap(), 1_001);
    let worker = TokenId::new(at(0), &SystemEntropy);
    loop {
        match store.end_batch(floor.id, worker, at(50)).await.unwrap() {
            FloorBatch::Ended(ended) => {
                assert!(ended.iter().all(|ended| ended.reason == EndReason::Unknown));
            }
            FloorBatch::Last(..) => break,
            other => panic!("{other:?}"),
        }
    }
    for (table, column) in
        [("sessions", "end_reason"), ("session_ends", "reason"), ("blacklist_entries", "reason")]
    {
        let rows = format!("SELECT count(*) FROM {table} WHERE {column} = 'PASSKEY_REMOVED'");
        assert_eq!(raw.number(rows).await, 1_001, "{table}");
    }
    let details = "SELECT count(*) FROM audit_events WHERE detail = 'PASSKEY_REMOVED'";
    assert_eq!(raw.number(details).await, 1_001);
    assert_eq!(store.count_below(&floor).await.unwrap(), 1_001, "as many as before");
}

async fn a_kind_of_event_of_a_newer_version_is_listed(database: Database) {
    let store = database.store().await;
    for name in ["ada", "bob"] {
        make(&store, name).await;
    }
    let newer = "UPDATE audit_events SET kind = 'PASSKEY_ADDED' WHERE id = 2";
    database.raw().await.execute(newer).await;
    let list = async |kinds: Option<Vec<AuditKind>>| {
        let filter = AuditFilter { kinds, ..AuditFilter::default() };
        let found = store.audit_events(&filter, &all()).await.unwrap().items;
        found.into_iter().map(|event| event.kind).collect::<Vec<_>>()
    };
    let (created, unknown) = (AuditKind::UserCreated, AuditKind::Unknown);
    assert_eq!(list(None).await, [unknown, created]);
    assert_eq!(list(Some(vec![unknown])).await, [unknown]);
    assert_eq!(list(Some(vec![unknown, created])).await, [unknown, created]);
    assert_eq!(list(Some(AuditKind::ALL.to_vec())).await, [unknown, created]);
    assert_eq!(list(Some(vec![created])).await, [created]);
    assert_eq!(list(Some(vec![AuditKind::KeyRotated])).await, []);
}

async fn a_role_of_a_newer_version_is_read_with_the_session(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await, make(&store, "bob").await);
    let newer = "UPDATE users SET role = 'AUDITOR' WHERE username = 'ada'";
    database.raw().await.execute(newer).await;
    let opened = open(&store, ada.id, at(0)).await;
    let rotated = store.rotate(rotation(&opened, at(1))).await.unwrap().unwrap();
    assert_eq!(rotated.claims.role, Role::Unknown);
    let users = store.users_by_id(&[ada.id]).await.unwrap();
    assert_eq!(users[&ada.id].role, Role::Unknown);
    for (role, expected) in [(Role::Unknown, ada.id), (Role::User, bob.id)] {
        let filter = UserFilter { role: Some(role), ..UserFilter::default() };
        let found = store.users(&filter, &all()).await.unwrap().items;
        assert!(found.iter().map(|user| user.id).eq([expected]), "{role:?}");
    }
}

async fn a_key_of_an_algorithm_of_a_newer_version_keeps_its_word(database: Database) {
    let store = database.store().await;
    let mut raw = database.raw().await;
    for (number, algorithm) in [(1, "ML-DSA-65"), (2, "ES256")] {
        raw.execute(signing_key(&database, number, algorithm)).await;
    }
    let keys = store.signing_keys().await.unwrap();
    let algorithms: Vec<_> = keys.into_iter().map(|key| key.algorithm).collect();
    let known = StoredAlgorithm::Known(SigningAlgorithm::Es256);
    assert_eq!(algorithms, [StoredAlgorithm::Unknown("ML-DSA-65".to_owned()), known]);
}

async fn hashes_of_a_scheme_of_a_newer_version_leave_room_in_the_sample_for_the_others(
    database: Database,
) {
    let store = database.store().await;
    make(&store, "ada").await;
    let mut raw = database.raw().await;
    // More groups than the sample has places, each larger than that of the known scheme.
    for number in 0..20 {
        let id = make(&store, &format!("user{number}")).await.id;
        let (id, group) = (database.literal(id.as_uuid()), number / 2);
        raw.execute(format!(
            "UPDATE password_credentials SET scheme = 'BALLOON', hash = '$balloon${group}' || hash \
             WHERE user_id = {id}"
        ))
        .await;
    }
    let sample = store.sample_password_hashes().await.unwrap().kinds();
    assert_eq!(sample.into_iter().map(|(_, accounts)| accounts).collect::<Vec<_>>(), [1]);
}

fn signing_key(database: &Database, number: u32, algorithm: &str) -> String {
    let id = database.literal(uuid::Uuid::from_u128(number.into()));
    let sealed = if database.is_sqlite() { "x'01'" } else { "'\\x01'" };
    format!(
        "INSERT INTO signing_keys (id, kid, algorithm, sealed_private, created_at, activates_at, \
         retired_at, token_lifetime) \
         VALUES ({id}, '{number}', '{algorithm}', {sealed}, {number}, {number}, 5, 1)"
    )
}

async fn role_names_in_the_form_of_a_newer_version_leave_the_account_readable(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await.id;
    let mut raw = database.raw().await;
    for (text, expected) in [
        (r#"["staff"]"#, vec!["staff"]),
        (r#"[{"name":"staff"}]"#, Vec::new()),
        ("no JSON", Vec::new()),
    ] {
        raw.execute(format!("UPDATE users SET roles = '{text}'")).await;
        let found = store.users_by_id(&[ada]).await.unwrap().remove(&ada).unwrap();
        assert_eq!(found.roles.as_slice(), expected, "{text}");
    }
}
