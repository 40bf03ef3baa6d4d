//! The end of sessions: scopes, the rows that commit with it, and the feed.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use sallyport::domain::audit::AuditKind;
use sallyport::domain::blacklist::BlacklistReason;
use sallyport::domain::filter::{BlacklistFilter, SessionFilter};
use sallyport::domain::id::{SessionId, UserId};
use sallyport::domain::session::{EndReason, Session};
use sallyport::entropy::SystemEntropy;
use sallyport::store::{
    EndSessions, EndedSession, FeedReader, MAX_ENDS_PER_TRANSACTION, MatchingSessions, Scope, Store,
};

use super::faults::{WAITING, until};
use super::support::{
    ACCESS, REFRESH, at, end, ending, entries, event, make, new_session, open, opening, origin,
    rotate, session, try_open,
};
use crate::databases::{Database, on_both, on_postgres};

on_both!(
    a_scope_ends_what_it_says_and_nothing_else,
    the_oldest_beyond_a_limit_end,
    an_end_commits_with_its_entry_its_note_and_its_event,
    what_has_ended_or_run_out_stays_as_it_is,
    what_led_to_no_end_is_not_written_down,
    the_feed_hands_on_every_end_and_each_reader_has_its_own_place,
    a_new_reader_is_told_what_there_is,
    a_wait_ends_with_the_next_end_at_the_latest,
    the_ends_of_a_scope_are_found_while_an_access_token_may_live,
    who_knows_every_end_of_a_scope_is_told_of_none,
);

on_postgres!(who_ends_many_sessions_waits_for_them_in_the_order_of_their_ids);

/// The sessions that a scope ends of these, by their places.
async fn ended_of(store: &Store, sessions: &[Session], scope: Scope) -> Vec<usize> {
    let ended: HashSet<SessionId> = ids(&end(store, scope.clone(), at(100)).await);
    let mut places = Vec::new();
    for (place, opened) in sessions.iter().enumerate() {
        let is_over = session(store, opened.id).await.end.is_some();
        assert_eq!(is_over, ended.contains(&opened.id), "{scope:?}");
        if is_over {
            places.push(place);
        }
    }
    places
}

fn ids(ended: &[EndedSession]) -> HashSet<SessionId> {
    ended.iter().map(|end| end.id).collect()
}

/// A scope made of some sessions and of the id of one that is not there.
type Chosen = fn(&[Session], SessionId) -> Scope;

async fn a_scope_ends_what_it_says_and_nothing_else(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await, make(&store, "bob").await);
    let absent = SessionId::new(at(0), &SystemEntropy);
    let scopes: [(Chosen, &[usize]); 9] = [
        (|all, _| Scope::One(all[1].id), &[1]),
        (|_, absent| Scope::One(absent), &[]),
        (|all, _| Scope::Own { user: all[0].user_id, session: all[1].id }, &[1]),
        (|all, _| Scope::Own { user: all[3].user_id, session: all[1].id }, &[]),
        (|all, _| Scope::User(all[0].user_id), &[0, 1, 2]),
        (|all, _| Scope::Others { user: all[0].user_id, except: all[1].id }, &[0, 2]),
        // The session that stays need not be there.
        (|all, absent| Scope::Others { user: all[0].user_id, except: absent }, &[0, 1, 2]),
        (|all, _| Scope::Others { user: all[3].user_id, except: all[1].id }, &[3]),
        (|_, _| Scope::All, &[0, 1, 2, 3]),
    ];
    for (scope, expected) in scopes {
        let mut sessions = Vec::new();
        for (user, moment) in [(ada.id, 0), (ada.id, 1), (ada.id, 2), (bob.id, 3)] {
            sessions.push(open(&store, user, at(moment)).await);
        }
        let scope = scope(&sessions, absent);
        assert_eq!(ended_of(&store, &sessions, scope.clone()).await, expected, "{scope:?}");
        end(&store, Scope::All, at(100)).await;
    }
}

async fn the_oldest_beyond_a_limit_end(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await, make(&store, "bob").await);
    for (keep, expected) in
        [(0, &[0, 1, 2][..]), (1, &[0, 1, 2]), (2, &[0, 1]), (4, &[]), (u32::MAX, &[])]
    {
        let mut sessions = Vec::new();
        for (user, moment) in [(ada.id, 0), (ada.id, 1), (ada.id, 2), (bob.id, 0)] {
            sessions.push(open(&store, user, at(moment)).await.id);
        }
        let mut login = opening(new_session(ada.id, at(3)));
        login.max_sessions = Some(keep);
        let ended = try_open(&store, login).await.unwrap().ended;
        assert!(ended.iter().all(|ended| ended.reason == EndReason::SessionLimit));
        let is_ended = |index: &usize| ended.iter().any(|ended| ended.id == sessions[*index]);
        let found: Vec<_> = (0..sessions.len()).filter(is_ended).collect();
        assert_eq!((found.as_slice(), ended.len()), (expected, expected.len()), "{keep}");
        end(&store, Scope::All, at(100)).await;
    }
}

async fn an_end_commits_with_its_entry_its_note_and_its_event(database: Database) {
    let store = database.store().await;
    let (ada, root) = (make(&store, "ada").await, make(&store, "root").await);
    let opened = open(&store, ada.id, at(0)).await;
    let last = rotate(&store, &opened, at(60)).await.unwrap();
    let mut order = ending(Scope::One(opened.id), at(90));
    (order.reason, order.actor) = (EndReason::RefreshReused, Some(root.id));
    let why = event(AuditKind::RefreshReused, at(90));
    let ended = store.end_sessions(order, Some(why)).await.unwrap().ended;
    // A replica whose clock is a minute behind still takes an access token for alive.
    let until = at(60) + ACCESS + Duration::from_mins(1);
    let reason = EndReason::RefreshReused;
    assert_eq!(ended, [EndedSession { id: opened.id, user_id: ada.id, reason, until }]);
    let over = session(&store, opened.id).await.end.unwrap();
    assert_eq!((over.at, over.reason, over.by), (at(90), reason, Some(root.id)));

    let entries = entries(&store, BlacklistFilter::default()).await;
    let entry = &entries[0];
    assert_eq!((entries.len(), entry.token_id), (2, last.token.id));
    assert_eq!(
        (entry.reason, entry.generation),
        (BlacklistReason::Ended(EndReason::RefreshReused), 1)
    );
    assert_eq!((entry.issued_at, entry.expires_at), (at(60), at(60) + REFRESH));
    assert_eq!((entry.blacklisted_at, entry.actor), (at(90), Some(root.id)));
    assert_eq!((entry.ip, entry.user_agent.clone()), (origin().ip, origin().user_agent));
    let mut raw = database.raw().await;
    let events = "SELECT kind || ' ' || coalesce(detail, '-') FROM audit_events \
                  WHERE occurred_at > 0 AND kind <> 'USER_CREATED' AND kind <> 'LOGIN_SUCCEEDED' \
                  ORDER BY id";
    assert_eq!(raw.texts(events).await, ["SESSION_ENDED REFRESH_REUSED", "REFRESH_REUSED -"]);
    let user = database.literal(ada.id.as_uuid());
    let told = format!("SELECT count(*) FROM session_ends WHERE user_id = {user} AND ended_at > 0");
    assert_eq!(raw.number(told).await, 1);
}

async fn what_has_ended_or_run_out_stays_as_it_is(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let (first, expired) = (open(&store, ada.id, at(0)).await, open(&store, ada.id, at(0)).await);
    assert_eq!(end(&store, Scope::One(first.id), at(1)).await.len(), 1);
    let mut again = ending(Scope::User(ada.id), expired.token.expires_at);
    again.reason = EndReason::Logout;
    assert!(store.end_sessions(again, None).await.unwrap().ended.is_empty());
    let over = session(&store, first.id).await.end.unwrap();
    assert_eq!((over.at, over.reason), (at(1), EndReason::Admin));
    assert!(session(&store, expired.id).await.end.is_none());
    assert_eq!(entries(&store, BlacklistFilter::default()).await.len(), 1);
}

async fn what_led_to_no_end_is_not_written_down(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let why = event(AuditKind::RefreshReused, at(1));
    let none = store.end_sessions(ending(Scope::User(ada.id), at(1)), Some(why)).await.unwrap();
    assert!(none.ended.is_empty());
    let reused = "SELECT count(*) FROM audit_events WHERE kind = 'REFRESH_REUSED'";
    assert_eq!(database.raw().await.number(reused).await, 0);
}

/// What a reader is handed on next.
async fn read(tail: &mut FeedReader) -> Vec<EndedSession> {
    let mut seen = Vec::new();
    tail.read(|ended, _| seen.extend_from_slice(ended)).await.unwrap();
    seen
}

async fn the_feed_hands_on_every_end_and_each_reader_has_its_own_place(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let other = database.connect().await;
    let (mut here, mut there) = (store.feed_reader(), other.feed_reader());
    assert_eq!(read(&mut here).await, []);
    let mut all = HashSet::new();
    for round in 0..20 {
        let opened = open(&store, ada.id, at(0)).await;
        let ended = end(&store, Scope::One(opened.id), at(1)).await;
        all.insert(opened.id);
        let seen = read(&mut here).await;
        assert!(seen.contains(&ended[0]), "round {round}: {seen:?}");
    }
    assert_eq!(ids(&read(&mut there).await), all);
    // On PostgreSQL a row comes again for as long as any older transaction runs.
    if database.is_sqlite() {
        assert_eq!([read(&mut here).await, read(&mut there).await], [[], []]);
    }
}

async fn a_new_reader_is_told_what_there_is(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    // More than are handed on at a time.
    let many = 1_500;
    database.add_sessions(ada.id.as_uuid(), many, at(900).as_micros()).await;
    let mut behind = None;
    let all = MatchingSessions { filter: SessionFilter::default(), except: None };
    let mut ended = 0;
    loop {
        let page =
            store.find_matching(&all, behind, MAX_ENDS_PER_TRANSACTION, at(0)).await.unwrap();
        ended += end(&store, Scope::These(page.sessions), at(1)).await.len();
        behind = page.next_after;
        if behind.is_none() {
            break;
        }
    }
    assert_eq!(ended, many);
    let (mut seen, mut chunks) = (HashSet::new(), 0);
    let counting = |ended: &[EndedSession], _| {
        chunks += usize::from(!ended.is_empty());
        seen.extend(ended.iter().map(|end| end.id));
    };
    database.connect().await.feed_reader().read(counting).await.unwrap();
    assert_eq!(seen.len(), many);
    assert!(chunks > 1, "{chunks}");
}

async fn a_wait_ends_with_the_next_end_at_the_latest(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let opened = open(&store, ada.id, at(0)).await;
    let other = database.connect().await;
    let mut tail = other.feed_reader();
    read(&mut tail).await;
    end(&store, Scope::One(opened.id), at(1)).await;
    let waited = tokio::time::timeout(Duration::from_secs(5), tail.wait()).await;
    assert!(waited.is_ok(), "it waits for more than its second");
    assert!(ids(&read(&mut tail).await).contains(&opened.id));
}

async fn the_ends_of_a_scope_are_found_while_an_access_token_may_live(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await.id, make(&store, "bob").await.id);
    let one = open(&store, ada, at(0)).await.id;
    let two = open(&store, ada, at(0)).await.id;
    let live = open(&store, ada, at(0)).await.id;
    let bobs = open(&store, bob, at(0)).await.id;
    let mut ended = Vec::new();
    for session in [one, two, bobs] {
        ended.extend(end(&store, Scope::One(session), at(1)).await);
    }
    for (scope, expected) in [
        (Scope::One(live), &[][..]),
        (Scope::One(one), &[one]),
        (Scope::Own { user: ada, session: two }, &[two]),
        (Scope::User(ada), &[one, two]),
        (Scope::Others { user: ada, except: live }, &[one, two]),
        (Scope::All, &[one, two, bobs]),
    ] {
        let found = store.recent_ends(&scope, &[], at(0), at(2), &[]).await.unwrap();
        assert_eq!(ids(&found), expected.iter().copied().collect(), "{scope:?}");
        assert!(found.iter().all(|end| ended.contains(end)), "{scope:?}");
    }
    assert!(store.recent_ends(&Scope::All, &[], at(2), at(2), &[]).await.unwrap().is_empty());
    assert!(
        store.recent_ends(&Scope::All, &[], at(0), ended[0].until, &[]).await.unwrap().is_empty()
    );
}

async fn who_knows_every_end_of_a_scope_is_told_of_none(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await.id;
    let mut known = Vec::new();
    for _ in 0..3 {
        let session = open(&store, ada, at(0)).await.id;
        known.extend(end(&store, Scope::One(session), at(1)).await);
    }
    let scope = Scope::User(ada);
    let earlier = async |known: &[EndedSession]| {
        ids(&store.recent_ends(&scope, known, at(0), at(2), &[]).await.unwrap())
    };
    assert_eq!(earlier(&known).await, ids(&[]));
    assert_eq!(earlier(&known[..2]).await, ids(&known));
    // One that by another clock may be purged already does not stand for another.
    let fading = EndedSession { until: at(2) + Duration::from_mins(2), ..known[0] };
    assert_eq!(earlier(&[fading, known[1], known[2]]).await, ids(&known));
}

/// Rotations move the rows of sessions about. Two who end the same ones, each in the order in which they
/// lie there, would each wait for what the other holds.
async fn who_ends_many_sessions_waits_for_them_in_the_order_of_their_ids(database: Database) {
    let store = Arc::new(database.store().await);
    let ada = make(&store, "ada").await.id;
    let mut first = None;
    // The newest lie first.
    for second in (0..50).rev() {
        first = Some(open(&store, ada, at(second)).await.id);
    }
    let (mut holder, mut other) = (database.raw().await, database.raw().await);
    // Knowing that all are one account's it reads the table from its start.
    other.execute("ANALYZE sessions").await;
    let first = database.literal(first.unwrap().as_uuid());
    holder.execute(format!("BEGIN; SELECT 1 FROM sessions WHERE id = {first} FOR UPDATE")).await;
    let ending = Arc::clone(&store);
    let ending =
        tokio::spawn(async move { ending.end_sessions(ending_all(ada), None).await.is_ok() });
    until(&mut other, WAITING, 1).await;
    let free = "SELECT count(*) FROM (SELECT 1 FROM sessions FOR UPDATE SKIP LOCKED) AS free";
    assert_eq!(other.number(free).await, 49, "it waits for the first and holds no other");
    holder.execute("ROLLBACK").await;
    assert!(ending.await.unwrap(), "it ends them once it has the first");
}

fn ending_all(user: UserId) -> EndSessions {
    ending(Scope::User(user), at(60))
}
