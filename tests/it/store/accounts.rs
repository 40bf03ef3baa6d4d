//! Accounts: names that are taken, passwords, and who may log in.

use futures_util::future::join_all;
use sallyport::crypto::password::{Hashing, PasswordHash};
use sallyport::domain::audit::AuditKind;
use sallyport::domain::id::UserId;
use sallyport::domain::login_name::LoginName;
use sallyport::domain::session::EndReason;
use sallyport::domain::user::Role;
use sallyport::entropy::SystemEntropy;
use sallyport::store::Error;
use sallyport::store::{
    Credentials, EndSessions, Grounds, NameTaken, NewSession, NewUser, NotOpened, OpenSession,
    Opened, Scope, Store,
};

use super::support::{
    at, at_once, ending, event, hash, make, make_admin, new_session, new_user, open, opening,
    session, set_active, try_open, verified,
};
use crate::databases::{Database, on_both};

on_both!(
    an_account_is_found_by_each_of_its_names_and_by_its_id,
    a_name_that_is_taken_makes_no_account_and_no_session,
    fifty_who_take_one_name_in_two_spellings_make_one_account,
    an_account_may_begin_with_a_session,
    a_password_is_set_where_the_old_one_is_still_the_expected_one,
    of_two_who_change_one_password_at_once_one_does,
    a_new_password_ends_the_sessions_it_is_told_to,
    a_deactivation_ends_all_sessions_and_twice_is_once,
    of_names_that_look_alike_one_has_an_account_whoever_comes_first,
    of_a_hundred_who_deactivate_administrators_one_is_left,
    hashes_are_counted_by_their_parameters,
    an_account_may_have_no_password,
    a_password_of_an_unknown_scheme_is_none_until_another_one_is_set,
    a_database_tells_whether_it_has_an_account,
);

/// The hash as text; empty where there is none.
fn shown(credentials: &Credentials) -> &str {
    credentials.password_hash.as_ref().map_or("", PasswordHash::as_str)
}

fn registering(new: NewUser, session: NewSession) -> OpenSession {
    OpenSession { grounds: Grounds::Registration(new), ..opening(session) }
}

/// Tries to make an account.
async fn take(store: &Store, username: &str, email: Option<&str>) -> Option<NameTaken> {
    let event = event(AuditKind::Registered, at(0));
    store.create_user(new_user(username, email), event).await.unwrap().err()
}

async fn an_account_is_found_by_each_of_its_names_and_by_its_id(database: Database) {
    let store = database.store().await;
    let new = NewUser { role: Role::Admin, ..new_user("Ada", Some("Ada.L@Example.com")) };
    let made = store.create_user(new.clone(), event(AuditKind::UserCreated, at(0))).await;
    let made = made.unwrap().unwrap();
    let by_name = async |name: &str| {
        let name = LoginName::parse(name).unwrap();
        store.credentials_by_name(&name).await.unwrap()
    };
    for name in ["Ada", "ADA", "ada.l@example.COM"] {
        let found = by_name(name).await.unwrap();
        assert_eq!((found.user.id, shown(&found)), (new.id, hash('a').as_str()));
    }
    assert!(by_name("ad").await.is_none() && by_name("ada%").await.is_none());
    let found = store.credentials(new.id).await.unwrap().unwrap();
    assert_eq!(shown(&found), hash('a').as_str());
    let nobody = UserId::new(at(0), &SystemEntropy);
    assert!(store.credentials(nobody).await.unwrap().is_none());
    let by_id = store.users_by_id(&[new.id, nobody, new.id]).await.unwrap();
    assert_eq!(by_id.len(), 1);
    assert!(store.users_by_id(&[]).await.unwrap().is_empty());
    for user in [&made, &found.user, &by_id[&new.id]] {
        assert_eq!((&user.names, user.role), (&new.names, Role::Admin));
        assert_eq!((user.created_at, user.last_login_at), (at(0), None));
        assert!(user.password_changed_at.is_none() && user.is_active());
    }
}

async fn a_name_that_is_taken_makes_no_account_and_no_session(database: Database) {
    let store = database.store().await;
    assert_eq!(take(&store, "ada", Some("ada@example.com")).await, None);
    for (username, email, taken) in [
        ("Ada", None, Some(NameTaken::Username)),
        ("bob", Some("ADA@example.com"), Some(NameTaken::Email)),
        // Where both are taken, the username is what is told.
        ("ada", Some("ada@example.com"), Some(NameTaken::Username)),
        // A username that is an address takes that address.
        ("ada@example.com", None, Some(NameTaken::Email)),
        ("bob", Some("bob@example.com"), None),
    ] {
        assert_eq!(take(&store, username, email).await, taken, "{username} {email:?}");
    }
    let new = new_user("ADA", None);
    let (first, event) = (new_session(new.id, at(0)), event(AuditKind::Registered, at(0)));
    let refused = store.open_session(registering(new, first), event).await.unwrap();
    assert_eq!(refused.unwrap_err(), NotOpened::NameTaken(NameTaken::Username));
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM users").await, 2);
    assert_eq!(raw.number("SELECT count(*) FROM sessions").await, 0);
    assert_eq!(raw.number("SELECT count(*) FROM audit_events").await, 2);
}

async fn of_names_that_look_alike_one_has_an_account_whoever_comes_first(database: Database) {
    let store = database.store().await;
    for [first, second] in [
        ["admin", "admın"],
        ["ѕсоре", "scope"],
        ["ТОМ", "tom"],
        ["ΑΝΝΑ", "anna"],
        ["タ口ウ", "タロウ"],
    ] {
        assert_eq!(take(&store, first, None).await, None, "{first}");
        assert_eq!(take(&store, second, None).await, Some(NameTaken::Username), "{second}");
    }
    // Those that everybody types are names of their own.
    for name in ["anna1", "annal", "bob", "b0b", "mam", "marn", "jose", "josé"] {
        assert_eq!(take(&store, name, None).await, None, "{name}");
    }
    let replica = database.connect().await;
    let taken = at_once((0..50).map(|n| {
        let (store, name) = if n % 2 == 0 { (&store, "paypa") } else { (&replica, "раура") };
        take(store, name, None)
    }))
    .await;
    assert_eq!(taken.iter().filter(|taken| taken.is_none()).count(), 1);
}

async fn of_a_hundred_who_deactivate_administrators_one_is_left(database: Database) {
    let store = database.store().await;
    let replicas = [database.connect().await, database.connect().await];
    make(&store, "ada").await;
    for round in 0..5 {
        let mut admins = Vec::new();
        for n in 0..4 {
            admins.push(make_admin(&store, &format!("admin{round}{n}")).await.id);
        }
        let tried = (0..100).map(|n| {
            let event = event(AuditKind::UserDeactivated, at(1));
            let end = ending(Scope::User(admins[n % 4]), at(1));
            replicas[n % 2].set_active(admins[n % 4], false, event, end)
        });
        let mut refused = 0;
        for (n, outcome) in at_once(tried).await.into_iter().enumerate() {
            refused += usize::from(match outcome {
                Ok(outcome) => outcome.is_err(),
                // On a busy machine an operation may time out: it is repeated.
                Err(error) => {
                    // A deadlock would be another error.
                    assert!(matches!(error, Error::TooSlow(_)), "{error:?}");
                    let event = event(AuditKind::UserDeactivated, at(1));
                    let end = ending(Scope::User(admins[n % 4]), at(1));
                    store.set_active(admins[n % 4], false, event, end).await.unwrap().is_err()
                }
            });
        }
        let left = "SELECT count(*) FROM users WHERE role = 'ADMIN' AND deactivated_at IS NULL";
        assert_eq!(database.raw().await.number(left).await, 1, "round {round}");
        // Later the one that the first round left stays, and nobody has to be refused.
        assert_eq!(refused > 0, round == 0, "round {round}");
    }
}

async fn fifty_who_take_one_name_in_two_spellings_make_one_account(database: Database) {
    let (one, two) = (database.store().await, database.connect().await);
    // Half by username, half by address: neither may slip past the other's uniqueness.
    for (round, (even, odd)) in
        [("Ren\u{e9}", "RENE\u{301}"), ("a@example.com", "A@EXAMPLE.COM")].into_iter().enumerate()
    {
        let taken = at_once((0..50).map(|n| {
            let (store, name) = if n % 2 == 0 { (&one, even) } else { (&two, odd) };
            take(store, name, None)
        }))
        .await;
        assert_eq!(taken.iter().filter(|taken| taken.is_none()).count(), 1, "{even}");
        assert!(taken.iter().flatten().all(|taken| *taken == NameTaken::Username));
        let users = database.raw().await.number("SELECT count(*) FROM users").await;
        assert_eq!(users, 1 + i64::try_from(round).unwrap());
    }
}

async fn an_account_may_begin_with_a_session(database: Database) {
    let store = database.store().await;
    let new = new_user("ada", None);
    let first = new_session(new.id, at(5));
    let event = event(AuditKind::Registered, at(5));
    let opened = store.open_session(registering(new, first.clone()), event).await.unwrap();
    let Opened { user, session: opened, ended, .. } = opened.unwrap();
    assert_eq!((opened.token, ended.len()), (first.token, 0));
    assert_eq!(session(&store, first.id).await.user_id, user.id);
    let found = store.credentials(user.id).await.unwrap().unwrap();
    assert_eq!(shown(&found), hash('a').as_str());
}

async fn a_password_is_set_where_the_old_one_is_still_the_expected_one(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let set = async |user: UserId, expected: Option<char>, new: char, moment: i64| {
        let event = event(AuditKind::PasswordChanged, at(moment));
        let set = store
            .set_password(user, expected.map(verified), hash(new), event, None, Vec::new())
            .await;
        set.unwrap().map(|(user, ended)| (user.password_changed_at, ended.ended.len()))
    };
    assert_eq!(set(ada.id, Some('b'), 'c', 1).await, None);
    assert_eq!(set(ada.id, Some('a'), 'b', 2).await, Some((Some(at(2)), 0)));
    assert_eq!(set(ada.id, Some('a'), 'c', 3).await, None);
    // An administrator expects nothing.
    assert_eq!(set(ada.id, None, 'd', 4).await, Some((Some(at(4)), 0)));
    let nobody = UserId::new(at(0), &SystemEntropy);
    assert_eq!(set(nobody, None, 'e', 5).await, None);
    let kept = store.credentials(ada.id).await.unwrap().unwrap();
    assert_eq!(shown(&kept), hash('d').as_str());
    let told = "SELECT count(*) FROM audit_events WHERE kind = 'PASSWORD_CHANGED'";
    assert_eq!(database.raw().await.number(told).await, 2);
}

async fn of_two_who_change_one_password_at_once_one_does(database: Database) {
    let (one, two) = (database.store().await, database.connect().await);
    let ada = make(&one, "ada").await;
    let changes = (0..20).map(|n| {
        let store = if n % 2 == 0 { &one } else { &two };
        let event = event(AuditKind::PasswordChanged, at(1));
        store.set_password(ada.id, Some(verified('a')), hash('b'), event, None, Vec::new())
    });
    let done = join_all(changes).await;
    assert_eq!(done.into_iter().filter(|done| done.as_ref().unwrap().is_some()).count(), 1);
}

async fn a_new_password_ends_the_sessions_it_is_told_to(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let (here, there) = (open(&store, ada.id, at(0)).await, open(&store, ada.id, at(0)).await);
    let end = EndSessions {
        reason: EndReason::PasswordChanged,
        actor: Some(ada.id),
        ..ending(Scope::Others { user: ada.id, except: here.id }, at(1))
    };
    let changed = event(AuditKind::PasswordChanged, at(1));
    // Where the password does not change, nothing ends.
    let refused = store.set_password(
        ada.id,
        Some(verified('x')),
        hash('b'),
        changed.clone(),
        Some(end.clone()),
        Vec::new(),
    );
    assert!(refused.await.unwrap().is_none());
    assert!(session(&store, there.id).await.end.is_none());
    let set = store
        .set_password(ada.id, Some(verified('a')), hash('b'), changed, Some(end), Vec::new())
        .await;
    let ended = set.unwrap().unwrap().1.ended;
    assert_eq!(ended.iter().map(|end| end.id).collect::<Vec<_>>(), [there.id]);
    let over = session(&store, there.id).await.end.unwrap();
    assert_eq!((over.reason, over.by), (EndReason::PasswordChanged, Some(ada.id)));
    assert!(session(&store, here.id).await.end.is_none());
}

async fn a_deactivation_ends_all_sessions_and_twice_is_once(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await, make(&store, "bob").await);
    let (mine, theirs) = (open(&store, ada.id, at(0)).await, open(&store, bob.id, at(0)).await);
    let (user, ended) = set_active(&store, ada.id, false, at(1)).await.unwrap();
    assert_eq!((user.deactivated_at, ended.len()), (Some(at(1)), 1));
    assert_eq!(ended[0].reason, EndReason::UserDeactivated);
    let (user, ended) = set_active(&store, ada.id, false, at(2)).await.unwrap();
    assert_eq!((user.deactivated_at, ended.len()), (Some(at(1)), 0), "the first time counts");
    let (user, ended) = set_active(&store, ada.id, true, at(3)).await.unwrap();
    assert_eq!((user.is_active(), ended.len()), (true, 0));
    let over = session(&store, mine.id).await.end.unwrap();
    assert_eq!((over.at, over.reason), (at(1), EndReason::UserDeactivated));
    assert!(session(&store, theirs.id).await.end.is_none());
    let nobody = UserId::new(at(0), &SystemEntropy);
    assert!(set_active(&store, nobody, false, at(4)).await.is_none());
    let told = "SELECT kind FROM audit_events WHERE kind LIKE 'USER_%ACTIVATED' ORDER BY id";
    let told = database.raw().await.texts(told).await;
    assert_eq!(told, ["USER_DEACTIVATED", "USER_ACTIVATED"]);
}

async fn hashes_are_counted_by_their_parameters(database: Database) {
    let store = database.store().await;
    assert!(store.sample_password_hashes().await.unwrap().kinds().is_empty());
    for (name, memory) in [("ada", 8), ("bob", 16), ("cleo", 8)] {
        let hashing = Hashing::new(memory, 1, 1).unwrap();
        let password = Some(hashing.dummy().clone());
        let new = NewUser { password, ..new_user(name, None) };
        store.create_user(new, event(AuditKind::UserCreated, at(0))).await.unwrap().unwrap();
    }
    let kinds = store.sample_password_hashes().await.unwrap().kinds();
    let kinds: Vec<_> = kinds.iter().map(|(hash, count)| (hash.as_str(), *count)).collect();
    assert!(
        matches!(kinds[..], [(eight, 2), (sixteen, 1)]
        if eight.contains("m=8,") && sixteen.contains("m=16,")),
        "{kinds:?}"
    );
}

async fn a_database_tells_whether_it_has_an_account(database: Database) {
    let store = database.store().await;
    assert!(!store.has_users().await.unwrap());
    make(&store, "ada").await;
    assert!(store.has_users().await.unwrap());
}

async fn an_account_may_have_no_password(database: Database) {
    let store = database.store().await;
    let new = NewUser { password: None, ..new_user("ada", None) };
    let ada = store.create_user(new, event(AuditKind::UserCreated, at(0))).await.unwrap().unwrap();
    let found = store.credentials_by_name(&LoginName::parse("ada").unwrap()).await.unwrap();
    assert!(found.unwrap().password_hash.is_none());
    assert!(try_open(&store, opening(new_session(ada.id, at(1)))).await.is_none());
    let changed = || event(AuditKind::PasswordChanged, at(2));
    let by_user = store
        .set_password(ada.id, Some(verified('a')), hash('b'), changed(), None, Vec::new())
        .await;
    assert!(by_user.unwrap().is_none());
    let by_admin = store.set_password(ada.id, None, hash('a'), changed(), None, Vec::new()).await;
    assert_eq!(by_admin.unwrap().unwrap().0.password_changed_at, Some(at(2)));
    assert!(try_open(&store, opening(new_session(ada.id, at(3)))).await.is_some());
}

/// As a newer binary may have imported it.
async fn a_password_of_an_unknown_scheme_is_none_until_another_one_is_set(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let scheme = "UPDATE password_credentials SET scheme = 'BALLOON', hash = 'x'";
    database.raw().await.execute(scheme).await;
    let found = store.credentials(ada.id).await.unwrap().unwrap();
    assert!(found.password_hash.is_none());
    assert!(store.sample_password_hashes().await.unwrap().kinds().is_empty());
    let changed = event(AuditKind::PasswordChanged, at(2));
    store.set_password(ada.id, None, hash('a'), changed, None, Vec::new()).await.unwrap().unwrap();
    let found = store.credentials(ada.id).await.unwrap().unwrap();
    assert_eq!(shown(&found), hash('a').as_str());
}
