//! Opening of sessions by password, and the rename of sessions.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sallyport::domain::audit::AuditKind;
use sallyport::domain::id::UserId;
use sallyport::domain::session::{EndReason, SessionName, SessionState};
use sallyport::entropy::SystemEntropy;
use sallyport::store::{EndSessions, Grounds, Opened, Scope, Store};

use super::support::{
    ACCESS, at, by_password, end, ending, event, hash, make, new_session, open, opening, origin,
    session, set_active, try_open, verified,
};
use crate::databases::{Database, on_both};

on_both!(
    a_session_begins_as_it_was_asked_for,
    a_login_whose_password_was_changed_meanwhile_comes_to_nothing,
    a_deactivated_account_opens_nothing,
    a_stronger_hash_is_kept_with_the_login,
    a_login_is_remembered_where_that_is_wanted,
    the_oldest_of_too_many_sessions_end_with_the_login,
    logins_at_once_leave_no_more_sessions_than_allowed,
    a_login_beside_a_new_password_is_ended_by_it_or_comes_to_nothing,
    a_login_beside_a_deactivation_is_ended_by_it_or_comes_to_nothing,
    only_a_live_session_of_ones_own_is_renamed,
);

async fn a_session_begins_as_it_was_asked_for(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let now = at(0) + Duration::from_micros(999_999);
    let mut new = new_session(ada.id, now);
    new.name = Some(SessionName::parse("laptop").unwrap());
    let Opened { user, session: opened, ended, .. } =
        try_open(&store, opening(new.clone())).await.unwrap();
    assert_eq!((user.id, ended.len()), (ada.id, 0));
    for session in [opened, session(&store, new.id).await] {
        assert_eq!((session.id, session.user_id), (new.id, ada.id));
        assert_eq!((session.name, session.user_agent), (new.name.clone(), origin().user_agent));
        assert_eq!((session.ip, session.last_ip), (origin().ip, origin().ip));
        assert_eq!((session.created_at, session.last_used_at), (now, now));
        assert_eq!((session.token, session.generation), (new.token, 0));
        assert_eq!(session.access_expires_at, now + ACCESS);
        assert!(session.previous.is_none() && session.end.is_none());
    }
    let logins = "SELECT count(*) FROM audit_events WHERE kind = 'LOGIN_SUCCEEDED'";
    assert_eq!(database.raw().await.number(logins).await, 1);
}

async fn a_login_whose_password_was_changed_meanwhile_comes_to_nothing(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let order = opening(new_session(ada.id, at(2)));
    let changed = event(AuditKind::PasswordChanged, at(1));
    store.set_password(ada.id, None, hash('b'), changed, None, Vec::new()).await.unwrap().unwrap();
    assert!(try_open(&store, order).await.is_none());
    let mut order = opening(new_session(ada.id, at(2)));
    order.grounds = by_password(hash('b'));
    assert!(try_open(&store, order).await.is_some());
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM sessions").await, 1);
    let logins = "SELECT count(*) FROM audit_events WHERE kind = 'LOGIN_SUCCEEDED'";
    assert_eq!(raw.number(logins).await, 1);
}

async fn a_deactivated_account_opens_nothing(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    set_active(&store, ada.id, false, at(1)).await.unwrap();
    assert!(try_open(&store, opening(new_session(ada.id, at(2)))).await.is_none());
    let nobody = UserId::new(at(0), &SystemEntropy);
    assert!(try_open(&store, opening(new_session(nobody, at(2)))).await.is_none());
    set_active(&store, ada.id, true, at(3)).await.unwrap();
    assert!(try_open(&store, opening(new_session(ada.id, at(4)))).await.is_some());
}

async fn a_stronger_hash_is_kept_with_the_login(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let kept = async || {
        let found = store.credentials(ada.id).await.unwrap().unwrap();
        found.password_hash.unwrap().as_str().to_owned()
    };
    try_open(&store, opening(new_session(ada.id, at(1)))).await.unwrap();
    assert_eq!(kept().await, hash('a').as_str());
    let mut order = opening(new_session(ada.id, at(2)));
    let Grounds::Password { upgraded, .. } = &mut order.grounds else { panic!("a password") };
    *upgraded = Some(hash('c'));
    let user = try_open(&store, order).await.unwrap().user;
    assert_eq!(kept().await, hash('c').as_str());
    assert_eq!(user.password_changed_at, None, "it is the same password");
}

async fn a_login_is_remembered_where_that_is_wanted(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    for (record, moment, expected) in
        [(false, 1, None), (true, 2, Some(at(2))), (false, 3, Some(at(2)))]
    {
        let mut order = opening(new_session(ada.id, at(moment)));
        order.record_login = record;
        assert_eq!(try_open(&store, order).await.unwrap().user.last_login_at, expected);
    }
}

/// Logs in where three sessions at most may live.
async fn open_one_of_three(store: &Store, user: UserId, moment: i64) -> Opened {
    let mut order = opening(new_session(user, at(moment)));
    order.max_sessions = Some(3);
    try_open(store, order).await.unwrap()
}

async fn the_oldest_of_too_many_sessions_end_with_the_login(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await, make(&store, "bob").await);
    let theirs = open(&store, bob.id, at(0)).await;
    let mut all = Vec::new();
    for moment in 0..3 {
        let opened = open_one_of_three(&store, ada.id, moment).await;
        assert!(opened.ended.is_empty());
        all.push(opened.session.id);
    }
    // One that is over takes no place.
    end(&store, Scope::One(all[1]), at(3)).await;
    assert!(open_one_of_three(&store, ada.id, 4).await.ended.is_empty());
    let ended = open_one_of_three(&store, ada.id, 5).await.ended;
    let (ids, reasons): (Vec<_>, Vec<_>) = ended.iter().map(|end| (end.id, end.reason)).unzip();
    assert_eq!((ids, reasons), (vec![all[0]], vec![EndReason::SessionLimit]));
    assert_eq!(session(&store, theirs.id).await.state(at(6)), SessionState::Active);
}

async fn logins_at_once_leave_no_more_sessions_than_allowed(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    join_all((0..40).map(|moment| open_one_of_three(&store, ada.id, moment))).await;
    let live = "SELECT count(*) FROM sessions WHERE ended_at IS NULL";
    assert_eq!(database.raw().await.number(live).await, 3);
}

/// Logs in beside something that ends all of the user's sessions.
async fn beside(
    store: &Arc<Store>,
    user: UserId,
    other: impl Future<Output = ()> + Send + 'static,
) {
    let (store, order) = (Arc::clone(store), opening(new_session(user, at(1))));
    let login = tokio::spawn(async move { try_open(&store, order).await });
    tokio::spawn(other).await.unwrap();
    login.await.unwrap();
}

const LIVE: &str = "SELECT count(*) FROM sessions WHERE ended_at IS NULL";

async fn a_login_beside_a_new_password_is_ended_by_it_or_comes_to_nothing(database: Database) {
    let store = Arc::new(database.store().await);
    let ada = make(&store, "ada").await;
    for round in 0..50 {
        let changing = Arc::clone(&store);
        beside(&store, ada.id, async move {
            let event = event(AuditKind::PasswordChanged, at(1));
            let reason = EndReason::PasswordChanged;
            let end = EndSessions { reason, ..ending(Scope::User(ada.id), at(1)) };
            let set = changing.set_password(
                ada.id,
                Some(verified('a')),
                hash('b'),
                event,
                Some(end),
                Vec::new(),
            );
            set.await.unwrap().unwrap();
        })
        .await;
        let mut raw = database.raw().await;
        assert_eq!(raw.number(LIVE).await, 0, "round {round}");
        let back = event(AuditKind::PasswordChanged, at(1));
        store.set_password(ada.id, None, hash('a'), back, None, Vec::new()).await.unwrap().unwrap();
    }
}

async fn a_login_beside_a_deactivation_is_ended_by_it_or_comes_to_nothing(database: Database) {
    let store = Arc::new(database.store().await);
    let ada = make(&store, "ada").await;
    for round in 0..50 {
        let deactivating = Arc::clone(&store);
        beside(&store, ada.id, async move {
            set_active(&deactivating, ada.id, false, at(1)).await.unwrap();
        })
        .await;
        assert_eq!(database.raw().await.number(LIVE).await, 0, "round {round}");
        set_active(&store, ada.id, true, at(1)).await.unwrap();
    }
}

async fn only_a_live_session_of_ones_own_is_renamed(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await, make(&store, "bob").await);
    let opened = open(&store, ada.id, at(0)).await;
    let rename = async |user: UserId, now: i64| {
        let name = SessionName::parse(&format!("at {now}")).unwrap();
        store.rename_session(user, opened.id, name, at(now)).await.unwrap()
    };
    let renamed = rename(ada.id, 1).await.unwrap();
    assert_eq!(renamed.name.unwrap().as_str(), "at 1");
    assert!(rename(bob.id, 2).await.is_none());
    assert!(rename(ada.id, 3_600).await.is_none(), "it has run out");
    end(&store, Scope::One(opened.id), at(3)).await;
    assert!(rename(ada.id, 4).await.is_none());
    assert_eq!(session(&store, opened.id).await.name.unwrap().as_str(), "at 1");
}
