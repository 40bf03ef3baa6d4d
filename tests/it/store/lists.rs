//! Lists: orders, directions, filters and counts.

use std::fmt::Debug;

use sallyport::clock::Timestamp;
use sallyport::domain::audit::AuditKind;
use sallyport::domain::blacklist::BlacklistReason;
use sallyport::domain::filter::{BlacklistFilter, IpBlock, SessionFilter, TimeRange, UserFilter};
use sallyport::domain::id::{SessionId, TokenId, UserId};
use sallyport::domain::origin::UserAgent;
use sallyport::domain::pagination::{Page, PageRequest};
use sallyport::domain::session::{EndReason, SessionState};
use sallyport::domain::user::Role;
use sallyport::entropy::SystemEntropy;
use sallyport::store::{NewUser, Scope};

use super::support::{
    REFRESH, at, end, entries, event, make, new_session, new_user, open, opening, rotate, rotation,
    set_active, try_open,
};
use crate::databases::{Database, on_both};

on_both!(
    every_page_of_accounts_is_where_it_should_be,
    every_page_of_sessions_is_where_it_should_be,
    every_page_of_entries_is_where_it_should_be,
    accounts_are_found_by_every_filter,
    sessions_are_found_by_every_filter,
    entries_are_found_by_every_filter,
    past_the_cap_there_are_many,
    what_is_asked_for_by_id_is_found_as_far_as_it_is_there,
);

/// Walks a list of these keys in both directions, in pages of every size, from and to every place.
async fn walk<K: Clone + PartialEq + Debug, T>(
    keys: &[K],
    read: impl AsyncFn(PageRequest<K>) -> Page<T>,
    key: impl Fn(&T) -> K,
) {
    let places = || (0..keys.len()).map(Some).chain([None]);
    for (after, before) in places().flat_map(|after| places().map(move |before| (after, before))) {
        for (size, from_end) in [(1, false), (3, false), (100, false), (1, true), (3, true)] {
            let (from, to) = (after.map_or(0, |at| at + 1), before.unwrap_or(keys.len()));
            let whole = &keys[from.min(to)..to];
            let cut = whole.len().saturating_sub(size as usize);
            let expected = if from_end { &whole[cut..] } else { &whole[..whole.len() - cut] };
            let key_at = |at: Option<usize>| at.map(|at| keys[at].clone());
            let request =
                PageRequest { after: key_at(after), before: key_at(before), size, from_end };
            let page = read(request.clone()).await;
            let found: Vec<K> = page.items.iter().map(&key).collect();
            assert_eq!(found, expected, "{request:?}");
            let more = if from_end { page.has_previous } else { page.has_next };
            assert_eq!(more, cut > 0, "{request:?}");
        }
    }
}

async fn every_page_of_accounts_is_where_it_should_be(database: Database) {
    let store = database.store().await;
    // In the order of bytes, whatever the language of the machine.
    let names = ["+", "ZOE", "_", "a-b", "ab", "aB2", "b", "\u{e9}ric"];
    for name in names {
        make(&store, name).await;
    }
    let mut keys: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    keys.sort_unstable();
    let read = async |page| store.users(&UserFilter::default(), &page).await.unwrap();
    walk(&keys, read, |user| user.names.username().key().to_owned()).await;
}

async fn every_page_of_sessions_is_where_it_should_be(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await, make(&store, "bob").await);
    let (mut all, mut mine) = (Vec::new(), Vec::new());
    // Several within a millisecond: their order is their ids', and the same every time.
    for moment in [0, 0, 1, 2, 2, 2, 3] {
        all.push(open(&store, bob.id, at(moment)).await.id);
        mine.push(open(&store, ada.id, at(moment)).await.id);
    }
    all.extend(&mine);
    all.sort_unstable_by(|a, b| b.cmp(a));
    mine.sort_unstable_by(|a, b| b.cmp(a));
    for (user_id, ids) in [(None, all), (Some(ada.id), mine)] {
        let filter = SessionFilter { user_id, ..SessionFilter::default() };
        let read = async |page| store.sessions(&filter, &page, at(9)).await.unwrap();
        walk(&ids, read, |session| session.id).await;
    }
}

async fn every_page_of_entries_is_where_it_should_be(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let mut last = open(&store, ada.id, at(0)).await;
    for moment in [1, 2, 2, 2, 3] {
        last = rotate(&store, &last, at(moment)).await.unwrap();
        open(&store, ada.id, at(0)).await;
    }
    // Entries of one moment, which only their ids tell apart.
    end(&store, Scope::User(ada.id), at(3)).await;
    let listed = entries(&store, BlacklistFilter::default()).await;
    let mut keys: Vec<_> =
        listed.iter().map(|entry| (entry.blacklisted_at, entry.token_id)).collect();
    keys.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(keys.len(), 11);
    let of_user = BlacklistFilter { user_id: Some(ada.id), ..BlacklistFilter::default() };
    for filter in [BlacklistFilter::default(), of_user] {
        let read = async |page: PageRequest<(Timestamp, TokenId)>| {
            store.blacklist_entries(&filter, &page).await.unwrap()
        };
        walk(&keys, read, |entry| (entry.blacklisted_at, entry.token_id)).await;
    }
    let session_id = Some(last.id);
    let of_session = BlacklistFilter { session_id, ..BlacklistFilter::default() };
    let chain = entries(&store, of_session).await;
    let generations: Vec<i32> = chain.iter().map(|entry| entry.generation).collect();
    assert_eq!(generations.len(), 6);
    assert!(generations.iter().all(|generation| (0..6).contains(generation)));
}

fn all<K>() -> PageRequest<K> {
    PageRequest { after: None, before: None, size: 100, from_end: false }
}

async fn accounts_are_found_by_every_filter(database: Database) {
    let store = database.store().await;
    for (username, email, role) in [
        ("Ada", Some("countess@example.com"), Role::User),
        ("adam", None, Role::User),
        ("bob", Some("ada@example.com"), Role::Admin),
        ("b_b", None, Role::User),
    ] {
        let new = NewUser { role, ..new_user(username, email) };
        let made = store.create_user(new, event(AuditKind::UserCreated, at(0))).await;
        if username == "adam" {
            set_active(&store, made.unwrap().unwrap().id, false, at(1)).await.unwrap();
        }
    }
    let found = async |filter: UserFilter| {
        let users = store.users(&filter, &all()).await.unwrap().items;
        let count = store.count_users(&filter).await.unwrap();
        assert_eq!(count, Some(i64::try_from(users.len()).unwrap()));
        let names: Vec<_> = users.iter().map(|user| user.names.username().to_string()).collect();
        names.join(" ")
    };
    let search = |text: &str| UserFilter { search: Some(text.to_owned()), ..UserFilter::default() };
    let role = |role| UserFilter { role: Some(role), ..UserFilter::default() };
    let active = |active| UserFilter { is_active: Some(active), ..UserFilter::default() };
    assert_eq!(found(UserFilter::default()).await, "Ada adam b_b bob");
    assert_eq!(found(search("ADA")).await, "Ada adam bob");
    assert_eq!(found(search("countess@")).await, "Ada");
    assert_eq!(found(search("b_")).await, "b_b");
    for nobody in ["%", "_", "da", "", "a b"] {
        assert_eq!(found(search(nobody)).await, "", "{nobody:?}");
    }
    assert_eq!(found(role(Role::Admin)).await, "bob");
    assert_eq!(found(role(Role::User)).await, "Ada adam b_b");
    assert_eq!(found(active(false)).await, "adam");
    let narrow = UserFilter { role: Some(Role::User), is_active: Some(true), ..search("ada") };
    assert_eq!(found(narrow).await, "Ada");
}

async fn sessions_are_found_by_every_filter(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await, make(&store, "bob").await);
    let opened = async |user: UserId, moment: i64, ip: Option<&str>, agent: &str| {
        let mut new = new_session(user, at(moment));
        new.origin.ip = ip.map(|ip| ip.parse().unwrap());
        new.origin.user_agent = UserAgent::parse(agent);
        try_open(&store, opening(new)).await.unwrap().session
    };
    let expired = opened(ada.id, 0, Some("192.0.2.7"), "Firefox 50%_\\x").await;
    let moved = opened(bob.id, 3_000, Some("2001:db8::1"), "curl/8").await;
    let ended = opened(ada.id, 3_001, None, "").await;
    let mut order = rotation(&moved, at(3_500));
    order.origin.ip = Some("198.51.100.1".parse().unwrap());
    store.rotate(order).await.unwrap().unwrap();
    end(&store, Scope::One(ended.id), at(3_600)).await;
    let now = at(0) + REFRESH;
    let found = async |filter: SessionFilter| {
        let sessions = store.sessions(&filter, &all(), now).await.unwrap().items;
        let count = store.count_sessions(&filter, now).await.unwrap();
        assert_eq!(count, Some(i64::try_from(sessions.len()).unwrap()));
        let name = |id: SessionId| match id {
            id if id == expired.id => 'x',
            id if id == moved.id => 'm',
            id => {
                if id == ended.id {
                    'e'
                } else {
                    '?'
                }
            }
        };
        sessions.iter().map(|session| name(session.id)).collect::<String>()
    };
    let any = SessionFilter::default;
    let state = |state| SessionFilter { state: Some(state), ..any() };
    let ip = |block: &str| SessionFilter { ip: Some(IpBlock::parse(block).unwrap()), ..any() };
    let agent = |text: &str| SessionFilter { user_agent_contains: Some(text.to_owned()), ..any() };
    let range = |after: Option<i64>, before: Option<i64>| TimeRange {
        after: after.map(at),
        before: before.map(at),
    };
    assert_eq!(found(any()).await, "emx");
    assert_eq!(found(state(SessionState::Active)).await, "m");
    assert_eq!(found(state(SessionState::Expired)).await, "x");
    assert_eq!(found(state(SessionState::Ended)).await, "e");
    assert_eq!(found(SessionFilter { user_id: Some(ada.id), ..any() }).await, "ex");
    assert_eq!(found(ip("192.0.2.0/24")).await, "x");
    assert_eq!(found(ip("198.51.100.1")).await, "m", "the last address counts, too");
    assert_eq!(found(ip("2001:db8::/32")).await, "m");
    assert_eq!(found(ip("0.0.0.0/0")).await, "mx");
    assert_eq!(found(ip("192.0.2.8")).await, "");
    for (text, expected) in
        [("FIREFOX", "x"), ("50%_\\", "x"), ("0_", ""), ("%", "x"), ("\\", "x"), ("curl", "m")]
    {
        assert_eq!(found(agent(text)).await, expected, "{text}");
    }
    // From the first moment on, up to and without the last.
    let created = |after, before| SessionFilter { created_at: range(after, before), ..any() };
    assert_eq!(found(created(Some(3_000), None)).await, "em");
    assert_eq!(found(created(Some(0), Some(3_000))).await, "x");
    assert_eq!(found(created(None, Some(0))).await, "");
    let used = |after, before| SessionFilter { last_used_at: range(after, before), ..any() };
    assert_eq!(found(used(Some(3_500), None)).await, "m");
    assert_eq!(found(used(None, Some(3_001))).await, "x");
    let reason = |reason| SessionFilter { end_reason: Some(reason), ..any() };
    assert_eq!(found(reason(EndReason::Admin)).await, "e");
    assert_eq!(found(reason(EndReason::Logout)).await, "");
    let narrow = SessionFilter { user_id: Some(bob.id), ..state(SessionState::Expired) };
    assert_eq!(found(narrow).await, "");
}

async fn entries_are_found_by_every_filter(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await, make(&store, "bob").await);
    let (mine, theirs) = (open(&store, ada.id, at(0)).await, open(&store, bob.id, at(0)).await);
    rotate(&store, &mine, at(10)).await.unwrap();
    rotate(&store, &theirs, at(20)).await.unwrap();
    end(&store, Scope::One(mine.id), at(30)).await;
    let found = async |filter: BlacklistFilter| {
        let count = store.count_blacklist_entries(&filter).await.unwrap();
        let found: Vec<i64> = entries(&store, filter)
            .await
            .iter()
            .map(|entry| (entry.blacklisted_at.as_micros() - at(0).as_micros()) / 1_000_000)
            .collect();
        assert_eq!(count, Some(i64::try_from(found.len()).unwrap()));
        found
    };
    let any = BlacklistFilter::default;
    let reasons =
        |reasons: &[BlacklistReason]| BlacklistFilter { reasons: Some(reasons.to_vec()), ..any() };
    assert_eq!(found(any()).await, [30, 20, 10]);
    assert_eq!(found(BlacklistFilter { user_id: Some(ada.id), ..any() }).await, [30, 10]);
    assert_eq!(found(BlacklistFilter { session_id: Some(theirs.id), ..any() }).await, [20]);
    assert_eq!(found(BlacklistFilter { token_id: Some(mine.token.id), ..any() }).await, [10]);
    assert_eq!(found(reasons(&[BlacklistReason::Rotated])).await, [20, 10]);
    let either = [BlacklistReason::Rotated, BlacklistReason::Ended(EndReason::Admin)];
    assert_eq!(found(reasons(&either)).await, [30, 20, 10]);
    assert_eq!(found(reasons(&[])).await, [0_i64; 0]);
    let range = TimeRange { after: Some(at(10)), before: Some(at(30)) };
    assert_eq!(found(BlacklistFilter { blacklisted_at: range, ..any() }).await, [20, 10]);
    let apart = BlacklistFilter { user_id: Some(bob.id), session_id: Some(mine.id), ..any() };
    assert_eq!(found(apart).await, [0_i64; 0]);
}

async fn past_the_cap_there_are_many(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let opened = open(&store, ada.id, at(0)).await;
    let columns = "user_id, created_at, last_used_at, token_id, token_issued_at, token_expires_at, \
                   generation, access_expires_at";
    let id = if database.is_sqlite() { "randomblob(16)" } else { "gen_random_uuid()" };
    let copy = async |rows: usize| {
        let sql = format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) \
             INSERT INTO sessions (id, {columns}) SELECT {id}, {columns} FROM n, sessions \
             WHERE id = {}",
            database.literal(opened.id.as_uuid())
        );
        database.raw().await.execute(sql).await;
    };
    copy(9_999).await;
    let count = async || store.count_sessions(&SessionFilter::default(), at(1)).await.unwrap();
    assert_eq!(count().await, Some(10_000));
    copy(1).await;
    assert_eq!(count().await, None);
}

async fn what_is_asked_for_by_id_is_found_as_far_as_it_is_there(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let (first, other) = (open(&store, ada.id, at(0)).await, open(&store, ada.id, at(0)).await);
    rotate(&store, &first, at(1)).await.unwrap();
    let absent = SessionId::new(at(0), &SystemEntropy);
    let found = store.sessions_by_id(&[first.id, absent, other.id, first.id]).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!((found[&first.id].generation, found[&other.id].generation), (1, 0));
    let tokens = [first.token.id, other.token.id];
    let found = store.blacklist_entries_by_id(&tokens).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[&first.token.id].session_id, first.id);
    assert!(store.sessions_by_id(&[]).await.unwrap().is_empty());
    assert!(store.blacklist_entries_by_id(&[]).await.unwrap().is_empty());
}
