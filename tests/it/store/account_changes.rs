//! Changes of accounts: names, role, verification, deletion; and renewed proof in a session.

use std::time::Duration;

use sallyport::clock::Timestamp;
use sallyport::domain::audit::AuditKind;
use sallyport::domain::authentication::{Authentication, Method, Methods};
use sallyport::domain::filter::{AuditFilter, UserFilter};
use sallyport::domain::id::UserId;
use sallyport::domain::locale::Locale;
use sallyport::domain::login_name::LoginName;
use sallyport::domain::origin::Origin;
use sallyport::domain::pagination::PageRequest;
use sallyport::domain::session::{EndReason, Session};
use sallyport::domain::throttle::{ACCOUNT, Bucket};
use sallyport::domain::user::{Email, NAME_RESERVATION, Names, Role, User};
use sallyport::store::{
    ChangeUsername, Charge, EndSessions, Expired, FreshProof, NameTaken, NewEvent, NotDeleted,
    NotRenamed, NotUpdated, Reauthenticate, Scope, Settlement, Store, UpdateUser,
};

use super::support::{
    at, at_once, ending, event, hash, make, make_admin, new_user, open, rotate, session,
    set_active, verified,
};
use crate::databases::{Database, on_both};
use crate::proof::rounds;

on_both!(
    a_proof_is_noted_in_a_live_session_of_an_active_user_only,
    a_username_is_free_reserved_or_taken,
    a_change_that_relied_on_other_names_is_refused,
    an_administrator_changes_names_verification_and_role,
    of_administrators_who_are_demoted_at_once_one_is_left,
    a_deleted_account_is_empty_and_keeps_its_names_for_a_while,
    a_large_account_is_erased_in_batches,
    a_password_that_is_set_during_a_deletion_is_deleted_with_the_account,
    the_traces_of_whoever_acted_on_a_deleted_account_stay,
    an_account_with_a_reserved_name_can_be_corrected,
    counters_are_reset_by_their_account,
);

pub fn order(session: &Session, now: Timestamp) -> Reauthenticate {
    Reauthenticate {
        events: Vec::new(),
        mails: Vec::new(),
        session: session.id,
        user: session.user_id,
        proof: by_hash('a'),
        shown: Authentication::single(Methods::of(&[Method::OneTimeCode]), now),
        access_expires_at: now + Duration::from_mins(15),
    }
}

fn by_hash(of: char) -> FreshProof {
    FreshProof::Password { verified: verified(of), settlement: Settlement::default() }
}

pub async fn prove(store: &Store, order: Reauthenticate) -> Option<Session> {
    let event = event(AuditKind::Reauthenticated, order.shown.at);
    store.reauthenticate(order, event).await.unwrap().map(|done| done.session)
}

fn names(username: &str, email: Option<&str>) -> Names {
    Names::parse(username, email).unwrap()
}

async fn a_proof_is_noted_in_a_live_session_of_an_active_user_only(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let opened = open(&store, ada.id, at(0)).await;
    assert_eq!(opened.authentication.at, at(0));
    let proved = prove(&store, order(&opened, at(400))).await.unwrap();
    assert_eq!((proved.authentication.at, proved.created_at), (at(400), at(0)));
    assert_eq!(proved.access_expires_at, at(400) + Duration::from_mins(15));
    assert_eq!(proved.token, opened.token);
    let rotated = rotate(&store, &opened, at(500)).await.unwrap();
    assert_eq!(rotated.authentication.at, at(400));
    for wrong in [
        Reauthenticate { proof: by_hash('b'), ..order(&opened, at(600)) },
        Reauthenticate { user: UserId::NOBODY, ..order(&opened, at(600)) },
        order(&opened, at(500) + Duration::from_hours(2)),
    ] {
        assert!(prove(&store, wrong).await.is_none());
    }
    set_active(&store, ada.id, false, at(700)).await;
    assert!(prove(&store, order(&opened, at(701))).await.is_none());
    assert_eq!(session(&store, opened.id).await.authentication.at, at(400));
    let events = "SELECT count(*) FROM audit_events WHERE kind = 'REAUTHENTICATED'";
    assert_eq!(database.raw().await.number(events).await, 1);
}

async fn rename(store: &Store, user: &User, to: &str, now: Timestamp) -> Result<User, NotRenamed> {
    let current = store.users_by_id(&[user.id]).await.unwrap().remove(&user.id).unwrap().names;
    let change = ChangeUsername {
        user: user.id,
        new: names(to, current.email().map(Email::as_str)),
        current,
        at: now,
        reserve_until: now + NAME_RESERVATION,
    };
    store.change_username(change, event(AuditKind::UsernameChanged, now)).await.unwrap()
}

async fn a_username_is_free_reserved_or_taken(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await, make(&store, "bob").await);
    let taken = Err(NotRenamed::NameTaken(NameTaken::Username));
    assert_eq!(rename(&store, &ada, "BOB", at(0)).await.map(drop), taken);
    rename(&store, &ada, "lovelace", at(0)).await.unwrap();
    let until = at(0) + NAME_RESERVATION;
    assert_eq!(store.former_usernames(ada.id).await.unwrap(), [("ada".to_owned(), until)]);
    assert_eq!(rename(&store, &bob, "ada", at(1)).await.map(drop), taken);
    let too_soon = rename(&store, &ada, "countess", at(1)).await.map(drop);
    assert_eq!(too_soon, Err(NotRenamed::TooSoon(until)));
    let registered = store.create_user(new_user("ADA", None), event(AuditKind::UserCreated, at(1)));
    assert_eq!(registered.await.unwrap().err(), Some(NameTaken::Username));
    let count = "SELECT count(*) FROM users";
    assert_eq!(database.raw().await.number(count).await, 2);
    // One may go back to the former name, and then the other one is reserved.
    assert!(rename(&store, &ada, "ada", until).await.is_ok());
    assert_eq!(rename(&store, &bob, "lovelace", until).await.map(drop), taken);
    let end = until + NAME_RESERVATION;
    assert!(rename(&store, &bob, "lovelace", end).await.is_ok());
    while store.purge_batch(Expired::FormerUsernames, end).await.unwrap() > 0 {}
    assert_eq!(store.count_expired(Expired::FormerUsernames, end).await.unwrap(), 0);
    let left = "SELECT count(*) FROM former_usernames";
    assert_eq!(database.raw().await.number(left).await, 1);
}

async fn a_change_that_relied_on_other_names_is_refused(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let change = ChangeUsername {
        user: ada.id,
        current: names("grace", None),
        new: names("lovelace", None),
        at: at(0),
        reserve_until: at(1),
    };
    let refused = store.change_username(change, event(AuditKind::UsernameChanged, at(0))).await;
    assert_eq!(refused.unwrap().map(drop), Err(NotRenamed::Changed));
    assert_eq!(session_count(&database).await, 0);
    let missing = User { id: UserId::NOBODY, ..ada };
    let change = ChangeUsername {
        user: missing.id,
        current: missing.names.clone(),
        new: names("lovelace", None),
        at: at(0),
        reserve_until: at(1),
    };
    let refused = store.change_username(change, event(AuditKind::UsernameChanged, at(0))).await;
    assert_eq!(refused.unwrap().map(drop), Err(NotRenamed::Missing));
}

async fn session_count(database: &Database) -> i64 {
    database.raw().await.number("SELECT count(*) FROM sessions").await
}

fn updating(user: &User, new: Names) -> UpdateUser {
    UpdateUser {
        user: user.id,
        current: user.names.clone(),
        new,
        email_verified: None,
        role: None,
        at: at(10),
    }
}

async fn update(store: &Store, update: UpdateUser) -> Result<User, NotUpdated> {
    let events = vec![event(AuditKind::UserUpdated, update.at)];
    store.update_user(update, events, None).await.unwrap().map(|(user, _)| user)
}

async fn an_administrator_changes_names_verification_and_role(database: Database) {
    let store = database.store().await;
    let (root, ada) = (make_admin(&store, "root").await, make(&store, "ada").await);
    let changed = update(&store, updating(&ada, names("ada", Some("ada@example.com")))).await;
    let changed = changed.unwrap();
    assert_eq!(changed.email_verified_at, None);
    let verify = UpdateUser {
        email_verified: Some(true),
        role: Some(Role::Admin),
        ..updating(&changed, changed.names.clone())
    };
    let verified = update(&store, verify).await.unwrap();
    assert_eq!((verified.email_verified_at, verified.role), (Some(at(10)), Role::Admin));
    let taken = update(&store, updating(&verified, names("ROOT", Some("ada@example.com")))).await;
    assert_eq!(taken.map(drop), Err(NotUpdated::NameTaken(NameTaken::Username)));
    let moved = update(&store, updating(&verified, names("ada", Some("a@example.com")))).await;
    assert_eq!(moved.unwrap().email_verified_at, None);
    let taken = update(&store, updating(&root, names("root", Some("A@example.com")))).await;
    assert_eq!(taken.map(drop), Err(NotUpdated::NameTaken(NameTaken::Email)));
    let locale = Locale::parse("ko").unwrap();
    let changed = store.set_locale(ada.id, Some(locale.clone())).await.unwrap().unwrap();
    assert_eq!(changed.locale, Some(locale));
    assert!(store.set_locale(UserId::NOBODY, None).await.unwrap().is_none());
}

async fn of_administrators_who_are_demoted_at_once_one_is_left(database: Database) {
    let store = database.store().await;
    let mut admins = Vec::new();
    for n in 0..16 {
        admins.push(make_admin(&store, &format!("admin{n}")).await);
    }
    let demoted = at_once(admins.iter().map(|admin| {
        let demote = UpdateUser { role: Some(Role::User), ..updating(admin, admin.names.clone()) };
        update(&store, demote)
    }))
    .await;
    let refused = demoted.iter().filter(|done| done.is_err());
    assert_eq!(refused.count(), 1);
    let left = "SELECT count(*) FROM users WHERE role = 'ADMIN'";
    assert_eq!(database.raw().await.number(left).await, 1);
}

async fn delete(store: &Store, user: UserId, now: Timestamp) -> Result<User, NotDeleted> {
    let event = NewEvent { user: Some(user), ..event(AuditKind::AccountDeleted, now) };
    let end = EndSessions { reason: EndReason::AccountDeleted, ..ending(Scope::User(user), now) };
    store.delete_user(user, event, end, Vec::new()).await.unwrap().map(|(user, _)| user)
}

async fn a_deleted_account_is_empty_and_keeps_its_names_for_a_while(database: Database) {
    let store = database.store().await;
    let root = make_admin(&store, "root").await;
    assert_eq!(delete(&store, root.id, at(0)).await.map(drop), Err(NotDeleted::LastAdministrator));
    assert_eq!(delete(&store, UserId::NOBODY, at(0)).await.map(drop), Err(NotDeleted::Missing));
    let new = new_user("ada", Some("ada@example.com"));
    let ada = store.create_user(new, event(AuditKind::UserCreated, at(0))).await.unwrap().unwrap();
    let opened = open(&store, ada.id, at(0)).await;
    let deleted = delete(&store, ada.id, at(10)).await.unwrap();
    assert_eq!(deleted.names.username().as_str(), "deleted");
    assert!(deleted.names.email().is_none() && deleted.is_deleted() && !deleted.is_active());
    let ended = session(&store, opened.id).await;
    assert_eq!(ended.end.unwrap().reason, EndReason::AccountDeleted);
    assert_eq!(delete(&store, ada.id, at(11)).await.map(drop), Err(NotDeleted::Missing));
    let name = LoginName::parse("ada").unwrap();
    assert!(store.credentials_by_name(&name).await.unwrap().is_none());
    let found = store.credentials(ada.id).await.unwrap().unwrap();
    assert!(found.password_hash.is_none() && found.user.is_deleted());
    let page = PageRequest { after: None, before: None, size: 10, from_end: false };
    let listed = store.users(&UserFilter::default(), &page).await.unwrap().items;
    assert_eq!(listed.iter().map(|user| user.id).collect::<Vec<_>>(), [root.id]);
    assert_eq!(store.count_users(&UserFilter::default()).await.unwrap(), Some(1));
    for (new, taken) in [
        (new_user("ADA", None), NameTaken::Username),
        (new_user("b", Some("ada@example.com")), NameTaken::Email),
    ] {
        let made = store.create_user(new, event(AuditKind::UserCreated, at(20))).await.unwrap();
        assert_eq!(made.err(), Some(taken));
    }
    assert_eq!(store.count_expired(Expired::DeletedNames, at(9)).await.unwrap(), 0);
    assert_eq!(store.count_expired(Expired::DeletedNames, at(10)).await.unwrap(), 1);
    assert_eq!(store.purge_batch(Expired::DeletedNames, at(10)).await.unwrap(), 1);
    assert_eq!(store.purge_batch(Expired::DeletedNames, at(10)).await.unwrap(), 0);
    let again = new_user("ada", Some("ada@example.com"));
    assert!(store.create_user(again, event(AuditKind::UserCreated, at(30))).await.unwrap().is_ok());
    // The row of before can still be read.
    assert!(store.users_by_id(&[ada.id]).await.unwrap()[&ada.id].is_deleted());
}

async fn a_large_account_is_erased_in_batches(database: Database) {
    let store = database.store().await;
    make_admin(&store, "root").await;
    let ada = make(&store, "ada").await;
    for n in 0..130 {
        open(&store, ada.id, at(n)).await;
    }
    delete(&store, ada.id, at(200)).await.unwrap();
    let mut batches = 0;
    while store.erase_batch(ada.id, at(201)).await.unwrap() > 0 {
        batches += 1;
    }
    assert!(batches >= 2, "{batches}");
    // A request that had read the account before may still write.
    assert!(store.accounts_to_erase(at(499)).await.unwrap().is_empty());
    assert_eq!(store.accounts_to_erase(at(500)).await.unwrap(), [ada.id]);
    assert_eq!(store.forget_deletions().await.unwrap(), 0);
    assert_eq!(store.erase_batch(ada.id, at(500)).await.unwrap(), 0);
    assert!(store.accounts_to_erase(at(500)).await.unwrap().is_empty());
    // Its names are still to be freed.
    assert_eq!(store.forget_deletions().await.unwrap(), 0);
    assert_eq!(store.purge_batch(Expired::DeletedNames, at(500)).await.unwrap(), 1);
    assert_eq!(store.forget_deletions().await.unwrap(), 1);
    let left = "SELECT (SELECT count(*) FROM sessions WHERE ip IS NOT NULL OR last_ip IS NOT NULL \
                OR user_agent IS NOT NULL) + (SELECT count(*) FROM blacklist_entries \
                WHERE ip IS NOT NULL OR user_agent IS NOT NULL)";
    assert_eq!(database.raw().await.number(left).await, 0);
}

async fn counters_are_reset_by_their_account(database: Database) {
    let store = database.store().await;
    let charge = |bucket: u8, account: u8| Charge {
        bucket: Bucket([bucket; 16]),
        limit: ACCOUNT,
        account: Some(Bucket([account; 16])),
    };
    let all = [charge(1, 1), charge(2, 1), charge(3, 2)];
    for one in all {
        store.charge(vec![one], at(0)).await.unwrap();
    }
    let other = Charge { account: None, ..charge(4, 0) };
    store.charge(vec![other], at(0)).await.unwrap();
    let accounts = vec![Bucket([1; 16]), Bucket([9; 16])];
    store.reset_counters(accounts, event(AuditKind::UserUnlocked, at(1))).await.unwrap();
    let buckets: Vec<Bucket> = all.iter().chain([&other]).map(|charge| charge.bucket).collect();
    let mut left: Vec<u8> =
        store.tallies(&buckets).await.unwrap().keys().map(|bucket| bucket.0[0]).collect();
    left.sort_unstable();
    assert_eq!(left, [3, 4]);
}

async fn a_password_that_is_set_during_a_deletion_is_deleted_with_the_account(database: Database) {
    let stores = [database.store().await, database.store().await];
    make_admin(&stores[0], "root").await;
    for n in 0..rounds(10, 50) {
        let ada = make(&stores[0], &format!("ada{n}")).await;
        let event = event(AuditKind::PasswordChanged, at(20));
        let set = stores[1].set_password(ada.id, None, hash('z'), event, None, Vec::new());
        let (deleted, set) = tokio::join!(delete(&stores[0], ada.id, at(20)), set);
        assert!(deleted.is_ok());
        assert!(set.is_ok(), "{set:?}");
    }
    let left = "SELECT count(*) FROM password_credentials JOIN users ON users.id = user_id \
                WHERE deleted_at IS NOT NULL";
    assert_eq!(database.raw().await.number(left).await, 0);
}

async fn the_traces_of_whoever_acted_on_a_deleted_account_stay(database: Database) {
    let store = database.store().await;
    let (root, ada) = (make_admin(&store, "root").await, make(&store, "ada").await);
    let origin = Origin { ip: Some([192, 0, 2, 7].into()), user_agent: None };
    for actor in [root.id, ada.id] {
        let acted = NewEvent {
            user: Some(ada.id),
            actor: Some(actor),
            origin: origin.clone(),
            ..event(AuditKind::PasswordChanged, at(1))
        };
        store.record(acted).await.unwrap();
    }
    delete(&store, ada.id, at(10)).await.unwrap();
    while store.erase_batch(ada.id, at(10)).await.unwrap() > 0 {}
    let page = PageRequest { after: None, before: None, size: 10, from_end: false };
    let filter = AuditFilter { user_id: Some(ada.id), ..AuditFilter::default() };
    let events = store.audit_events(&filter, &page).await.unwrap().items;
    let shown = events.iter().filter(|event| event.ip.is_some());
    assert_eq!(shown.map(|event| event.actor).collect::<Vec<_>>(), [Some(root.id)]);
}

/// A version that knows no reservations may have given it.
async fn an_account_with_a_reserved_name_can_be_corrected(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await, make(&store, "bob").await);
    rename(&store, &ada, "lovelace", at(0)).await.unwrap();
    let take = "UPDATE users SET username = 'ada', username_key = 'ada', \
                username_skeleton = 'ada' WHERE username = 'bob'";
    database.raw().await.execute(take).await;
    let bob = store.users_by_id(&[bob.id]).await.unwrap().remove(&bob.id).unwrap();
    let change = UpdateUser { role: Some(Role::Admin), ..updating(&bob, bob.names.clone()) };
    assert_eq!(update(&store, change).await.unwrap().role, Role::Admin);
}
