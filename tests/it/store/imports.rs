//! Imports: the lease, accounts, their changes and tokens, and the pages of the way back.

use std::time::Duration;

use sallyport::clock::Timestamp;
use sallyport::domain::external_account::Source;
use sallyport::domain::id::{TokenId, UserId};
use sallyport::domain::import::FieldDigests;
use sallyport::domain::origin::Origin;
use sallyport::domain::role_names::RoleNames;
use sallyport::domain::session::EndReason;
use sallyport::domain::user::{Names, Role, Username};
use sallyport::entropy::SystemEntropy;
use sallyport::store::{
    ChangedAccount, ChangedStanding, EndSessions, ImportLease, ImportedAccount, ImportedToken,
    LeaseLost, NameQuery, Scope, StandingChange, Store,
};

use super::support::{at, hash, make, make_admin, open};
use crate::databases::{Database, on_both};

on_both!(
    one_process_at_a_time_imports_from_a_source,
    accounts_are_created_once,
    a_change_with_another_password_ends_sessions,
    the_last_administrator_keeps_role_and_activation,
    tokens_of_other_sources_are_not_exported,
);

fn source(name: &str) -> Source {
    Source::parse(name).unwrap()
}

fn lease(name: &str) -> ImportLease {
    ImportLease { source: source(name), worker: TokenId::new(at(0), &SystemEntropy) }
}

async fn leased(store: &Store, name: &str) -> ImportLease {
    let lease = lease(name);
    assert!(store.lease_import(lease.clone(), at(0), at(1_000)).await.unwrap());
    store.note_import_settings(lease.clone(), "{}".to_owned(), at(1)).await.unwrap();
    lease
}

fn digests() -> FieldDigests {
    FieldDigests::of(|_| [1; 32])
}

fn account(external_id: &str, username: &str) -> ImportedAccount {
    ImportedAccount {
        id: UserId::new(at(0), &SystemEntropy),
        external_id: external_id.to_owned(),
        username: Username::parse(username).unwrap(),
        email: None,
        is_email_verified: false,
        password: Some(hash('a')),
        password_fingerprint: None,
        is_active: true,
        role: Role::User,
        roles: RoleNames::default(),
        created_at: at(0),
        last_login_at: None,
        imported: digests(),
    }
}

fn end(scope: Scope, now: Timestamp) -> EndSessions {
    let (reason, origin) = (EndReason::Admin, Origin::default());
    EndSessions { scope, reason, at: now, actor: None, origin, note: None }
}

async fn one_process_at_a_time_imports_from_a_source(database: Database) {
    let store = database.store().await;
    let held = leased(&store, "django").await;
    let late = lease("django");
    assert!(!store.lease_import(late.clone(), at(999), at(2_000)).await.unwrap());
    assert_eq!(store.other_giver_of_ids(&source("django")).await.unwrap(), None);
    let other = store.other_giver_of_ids(&source("shop")).await.unwrap();
    assert_eq!(other, Some(source("django")));
    // It has expired.
    assert!(store.lease_import(late.clone(), at(1_000), at(2_000)).await.unwrap());
    let lost = store.create_imported(held, &[account("1", "ada")], at(1_000)).await.unwrap();
    assert_eq!(lost, Err(LeaseLost));
    store.finish_import(late.clone(), None).await.unwrap();
    let done = store.note_logins_there(late, &[]).await.unwrap();
    assert_eq!(done, Err(LeaseLost));
    assert!(store.import_pace().rows > 0);
}

async fn accounts_are_created_once(database: Database) {
    let store = database.store().await;
    let lease = leased(&store, "django").await;
    assert!(!store.has_imported_accounts(&lease.source).await.unwrap());
    let accounts = [account("1", "ada"), account("2", "bob")];
    for expected in [2, 0] {
        let made = store.create_imported(lease.clone(), &accounts, at(2)).await.unwrap().unwrap();
        assert_eq!(made.len(), expected);
    }
    assert!(store.has_imported_accounts(&lease.source).await.unwrap());
    let ids = async |after| store.imported_ids(&lease.source, after, 10).await.unwrap();
    assert_eq!(
        (ids(None).await, ids(Some("1")).await),
        (vec!["1".into(), "2".into()], vec!["2".into()])
    );
    let logins = [(accounts[0].id, at(5))];
    assert_eq!(store.note_logins_there(lease.clone(), &logins).await.unwrap(), Ok(()));
    let present = store.present_accounts(&lease.source, &["1", "3"]).await.unwrap();
    assert_eq!((present.len(), present[0].last_login_at), (1, Some(at(5))));
    assert!(!present[0].has_own_password);
    let status = store.import_status(at(2)).await.unwrap();
    assert_eq!((status[0].users, status[0].legacy_passwords), (2, 0));
    let mut names = NameQuery::default();
    let (ada, other) = (Username::parse("ADA").unwrap(), Username::parse("cleo").unwrap());
    names.add_username(&ada);
    names.add_username(&other);
    let taken = store.names_taken(&names, at(2)).await.unwrap();
    assert!(taken.has_username(&ada, None) && !taken.has_username(&ada, Some(accounts[0].id)));
    assert!(!taken.has_username(&other, None));
    let page = store.exported_accounts(&lease.source, UserId::NOBODY, 10).await.unwrap();
    assert!(page.len() == 2 && page.iter().all(|account| account.imported.is_some()));
}

async fn a_change_with_another_password_ends_sessions(database: Database) {
    let store = database.store().await;
    let lease = leased(&store, "django").await;
    let new = account("1", "ada");
    store.create_imported(lease.clone(), std::slice::from_ref(&new), at(2)).await.unwrap().unwrap();
    open(&store, new.id, at(3)).await;
    let names = Names::parse("ada", None).unwrap();
    let change = |password| ChangedAccount {
        id: new.id,
        external_id: "1".to_owned(),
        current: (names.clone(), false),
        names: (names.clone(), false),
        roles: RoleNames::default(),
        password,
        password_fingerprint: None,
        last_login_at: None,
        imported: digests(),
        written: digests(),
    };
    let order = || end(Scope::These(Vec::new()), at(4));
    let write = async |password| {
        let changes = vec![change(password)];
        store.change_imported(lease.clone(), changes, order()).await.unwrap().unwrap()
    };
    let mark = "SELECT COALESCE(tokens_ended_at, 0) FROM external_accounts";
    let done = write(None).await;
    assert!(done.refused.is_empty() && done.ended.is_empty());
    assert_eq!(database.raw().await.number(mark).await, 0);
    let done = write(Some(Some(hash('b')))).await;
    assert_eq!((done.refused.len(), done.ended[0].1.ended.len()), (0, 1));
    assert_eq!(database.raw().await.number(mark).await, 0, "tokens are the other system's");
    // Removed here: it comes back by no import.
    database.raw().await.execute("DELETE FROM password_credentials").await;
    assert_eq!(write(Some(Some(hash('c')))).await.refused, [new.id]);
    let count = "SELECT count(*) FROM password_credentials";
    assert_eq!(database.raw().await.number(count).await, 0);
}

async fn the_last_administrator_keeps_role_and_activation(database: Database) {
    let store = database.store().await;
    let lease = leased(&store, "django").await;
    let boss = ImportedAccount { role: Role::Admin, ..account("1", "boss") };
    store
        .create_imported(lease.clone(), std::slice::from_ref(&boss), at(2))
        .await
        .unwrap()
        .unwrap();
    let change = async |is_active, role| {
        let change = ChangedStanding {
            id: boss.id,
            external_id: "1".to_owned(),
            is_active,
            role,
            imported: digests(),
            written: digests(),
        };
        let end = end(Scope::User(boss.id), at(3));
        store.change_standing(lease.clone(), change, end, at(3)).await.unwrap().unwrap()
    };
    let standing = "SELECT role || CASE WHEN deactivated_at IS NULL THEN '' ELSE ' off' END \
                    FROM users WHERE external_id = '1'";
    for (is_active, role) in
        [(Some(false), Some(Role::User)), (None, Some(Role::User)), (Some(false), None)]
    {
        assert!(matches!(change(is_active, role).await, StandingChange::Refused(_)));
        assert_eq!(database.raw().await.texts(standing).await, ["ADMIN"]);
    }
    make_admin(&store, "root").await;
    open(&store, boss.id, at(2)).await;
    let StandingChange::Changed(ending) = change(None, Some(Role::User)).await else {
        panic!("it is another role")
    };
    assert_eq!(ending.ended.len(), 1);
    assert!(matches!(change(Some(false), Some(Role::Admin)).await, StandingChange::Changed(_)));
    assert_eq!(database.raw().await.texts(standing).await, ["ADMIN off"]);
}

async fn tokens_of_other_sources_are_not_exported(database: Database) {
    let store = database.store().await;
    let user = make(&store, "ada").await;
    open(&store, user.id, at(1)).await;
    let token = |jti: &str, blacklisted_at| ImportedToken {
        jti: jti.to_owned(),
        external_id: None,
        created_at: Some(at(0)),
        expires_at: at(1_000),
        blacklisted_at,
    };
    for name in ["django", "shop"] {
        let lease = leased(&store, name).await;
        let tokens = [token(name, Some(at(5))), token("free", None)];
        let end = end(Scope::These(Vec::new()), at(5));
        let ending = store.import_tokens(lease, &tokens, end).await.unwrap().unwrap();
        assert!(ending.ended.is_empty());
    }
    let times = (at(6), false);
    let ends = store.exported_token_ends(&source("shop"), "", times, 10).await.unwrap();
    assert_eq!(ends, [("shop".to_owned(), at(5), at(1_000))]);
    let after = UserId::NOBODY.as_uuid();
    let (sessions, last) =
        store.exported_sessions(&source("shop"), after, times, 10).await.unwrap();
    assert_eq!((sessions.len(), sessions[0].username.as_str()), (1, "ada"));
    let (rest, _) = store.exported_sessions(&source("shop"), last, times, 10).await.unwrap();
    assert!(rest.is_empty());
    let late = (at(0) + Duration::from_hours(10), false);
    assert!(store.exported_token_ends(&source("shop"), "", late, 10).await.unwrap().is_empty());
}
