//! Imports of accounts that are here already.

use sallyport::domain::origin::Origin;
use sallyport::domain::session::EndReason;
use sallyport::domain::user::Names;
use sallyport::store::{ChangedAccount, EndSessions, Scope};

use super::*;

on_both!(
    a_password_that_was_removed_here_stays_removed,
    a_password_that_changed_there_ends_the_sessions_of_before,
    an_import_without_the_option_leaves_roles_as_they_are,
    accounts_that_are_gone_there_are_deactivated_on_request,
    gone_accounts_stay_while_a_line_cannot_be_read,
    a_refused_change_writes_nothing,
);

async fn a_password_that_was_removed_here_stays_removed(database: Database) {
    let service = Service::start(&database, "").await;
    import(&service, &[user(1, "ada", json!({})), user(2, "bob", json!({ "password": "!" }))])
        .await;
    // As the first proof of an address does.
    database.raw().await.execute("DELETE FROM password_credentials").await;
    let other = |id, name| user(id, name, json!({ "password": OTHER_SLOW }));
    let lines = [other(1, "ada"), other(2, "bob")];
    let mut staged = read(&service, &lines).await;
    assert_eq!(reported(&mut staged).await, ["CHANGED_ON_BOTH_SIDES 1 password"]);
    apply(&service, staged).await;
    assert_eq!(code(&service.try_login("ada", PASSWORD).await), "INVALID_CREDENTIALS");
    // This one never had a password here.
    service.login("bob").await;
    let (records, _) = export(&service).await;
    assert_eq!(records[1], json!({ "kind": "user", "id": "1", "password": "!" }));
    assert_eq!(records[2]["kind"], "session");
}

async fn a_password_that_changed_there_ends_the_sessions_of_before(database: Database) {
    let mut service = Service::start(&database, "").await;
    let other = Service::start(&database, "").await;
    import(&service, &[user(1, "ada", json!({})), user(2, "bob", json!({})), outstanding("old")])
        .await;
    let (ada, bob) = (service.login("ada").await, service.login("bob").await);
    service.pass(Duration::from_secs(10)).await;
    let lines = [user(1, "ada", json!({ "password": OTHER_SLOW })), user(2, "bob", json!({}))];
    assert_eq!(import(&other, &lines).await.ended_sessions, 1);
    service.pass(Duration::from_secs(1)).await;
    assert_eq!(code(&service.refresh(&ada.refresh, None).await), "SESSION_ENDED");
    assert!(service.refusal(&ada.access).await.is_some());
    assert_eq!(service.refusal(&bob.access).await, None);
    // Tokens of the other system stay: it renews hashes at logins, and ends tokens by itself.
    let mark = "SELECT COALESCE(tokens_ended_at, 0) FROM external_accounts WHERE external_id = '1'";
    assert_eq!(database.raw().await.number(mark).await, 0);
    let (records, _) = export(&service).await;
    assert!(records.iter().all(|record| record["kind"] != "blacklisted"), "{records:?}");
    assert_eq!(import(&other, &lines).await.ended_sessions, 0);
    service.login("ada").await;
}

async fn an_import_without_the_option_leaves_roles_as_they_are(database: Database) {
    let mut service = Service::start(&database, "").await;
    service.make("root", Role::Admin).await;
    let admins = ImportOptions { superusers_are_admins: true, ..ImportOptions::default() };
    let boss = |is_superuser: bool| [user(1, "boss", json!({ "is_superuser": is_superuser }))];
    let role = async || {
        let sql = "SELECT role FROM users WHERE external_id = '1'";
        database.raw().await.texts(sql).await.concat()
    };
    import(&service, &boss(true)).await;
    assert_eq!(role().await, "USER");
    apply(&service, read_with(&service, &boss(true), admins).await).await;
    assert_eq!(role().await, "ADMIN");
    let session = service.login("boss").await;
    assert_eq!(users(&import(&service, &boss(true)).await), (0, 0, 1));
    assert_eq!(users(&import(&service, &boss(false)).await), (0, 1, 0), "the name of the role");
    assert_eq!((role().await.as_str(), service.refusal(&session.access).await), ("ADMIN", None));
    let summary = apply(&service, read_with(&service, &boss(false), admins).await).await;
    assert_eq!((role().await.as_str(), summary.ended_sessions), ("USER", 1));
    service.pass(Duration::from_secs(1)).await;
    assert!(service.refusal(&session.access).await.is_some());
}

async fn accounts_that_are_gone_there_are_deactivated_on_request(database: Database) {
    let mut service = Service::start(&database, "").await;
    let both = [user(1, "ada", json!({})), user(2, "bob", json!({}))];
    import(&service, &both).await;
    let session = service.login("ada").await;
    let options = ImportOptions { deactivates_gone: true, ..ImportOptions::default() };
    let without = [user(2, "bob", json!({}))];
    let mut staged = read_with(&service, &without, options).await;
    assert_eq!(reported(&mut staged).await, ["GONE_INACTIVE 1"]);
    assert_eq!(apply(&service, staged).await.ended_sessions, 1);
    assert_eq!(accounts(&database).await, ["1 ada - off", "2 bob -"]);
    service.pass(Duration::from_secs(1)).await;
    assert_eq!(service.refusal(&session.access).await.as_deref(), Some("USER_INACTIVE"));
    let mark = "SELECT count(*) FROM external_accounts WHERE tokens_ended_at IS NOT NULL";
    assert_eq!(database.raw().await.number(mark).await, 1);
    // Whoever activates it here means it; and one that comes back there is active again.
    let activate = "UPDATE users SET deactivated_at = NULL WHERE external_id = '1'";
    database.raw().await.execute(activate).await;
    apply(&service, read_with(&service, &without, options).await).await;
    assert_eq!(accounts(&database).await[0], "1 ada -");
    database
        .raw()
        .await
        .execute("UPDATE users SET deactivated_at = 1 WHERE external_id = '1'")
        .await;
    apply(&service, read_with(&service, &both, options).await).await;
    assert_eq!(accounts(&database).await[0], "1 ada -");
}

async fn gone_accounts_stay_while_a_line_cannot_be_read(database: Database) {
    let service = Service::start(&database, "").await;
    import(&service, &[user(1, "ada", json!({}))]).await;
    let options = ImportOptions { deactivates_gone: true, ..ImportOptions::default() };
    let mut unreadable = user(1, "ada", json!({}));
    unreadable["is_active"] = "yes".into();
    let mut staged = read_with(&service, &[unreadable], options).await;
    let done = service.core.auth.imports.apply(Admin::operator(), &mut staged, &|_| {}).await;
    assert!(matches!(done, Err(ImportError::UnreadableLines)));
    assert_eq!(accounts(&database).await, ["1 ada -"]);
}

/// The name was changed between the comparison and the import.
async fn a_refused_change_writes_nothing(database: Database) {
    let service = Service::start(&database, "").await;
    import(&service, &[user(1, "ada", json!({}))]).await;
    let session = service.login("ada").await;
    let (store, source) = (&service.core.store, Source::parse("django").unwrap());
    let found = store.present_accounts(&source, &["1"]).await.unwrap().remove(0);
    let lease = ImportLease { source, worker: TokenId::new(service.clock.now(), &SystemEntropy) };
    let now = service.clock.now();
    let until = now + Duration::from_mins(1);
    assert!(store.lease_import(lease.clone(), now, until).await.unwrap());
    let other = Names::parse("other", None).unwrap();
    let change = ChangedAccount {
        id: found.id,
        external_id: "1".to_owned(),
        current: (other, false),
        names: (found.names, false),
        roles: found.roles,
        password: Some(None),
        password_fingerprint: None,
        last_login_at: None,
        imported: found.imported,
        written: found.written,
    };
    let end = EndSessions {
        scope: Scope::These(Vec::new()),
        reason: EndReason::Admin,
        at: now,
        actor: None,
        origin: Origin::default(),
        note: None,
    };
    let done = store.change_imported(lease, vec![change], end).await;
    let done = done.unwrap().unwrap();
    assert_eq!((done.refused, done.ended.len()), (vec![found.id], 0));
    assert_eq!(service.refusal(&session.access).await, None);
    service.login("ada").await;
}
