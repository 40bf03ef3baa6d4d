//! Floors: bulk ends of sessions by one row, and the batches that end their rows.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use sallyport::clock::Timestamp;
use sallyport::domain::audit::{AuditKind, Note};
use sallyport::domain::filter::{BlacklistFilter, SessionFilter};
use sallyport::domain::id::{SessionId, TokenId, UserId};
use sallyport::domain::pagination::PageRequest;
use sallyport::domain::session::{EndReason, Session, SessionName, SessionState};
use sallyport::entropy::SystemEntropy;
use sallyport::store::{
    EndSessions, EndedSession, Expired, Floor, FloorBatch, FloorId, MAX_ENDS_PER_TRANSACTION,
    MatchingSessions, Scope, Store,
};

use super::faults::{WAITING, until};
use super::support::{
    at, ending, entries, event, hash, make, new_session, open, opening, rotate, session, try_open,
};
use crate::databases::{Database, on_both, on_postgres};

on_both!(
    a_thousand_end_by_their_rows_and_more_by_a_floor,
    below_a_floor_nothing_is_refreshed_and_above_it_everything,
    a_session_that_stays_is_above_its_own_floor,
    a_login_after_a_floor_is_above_it_by_whatever_clock,
    every_order_about_very_many_sets_one_floor,
    rows_below_a_floor_are_ended_in_batches_with_all_that_follows,
    any_worker_goes_on_where_another_stopped,
    of_many_who_end_the_same_very_many_one_sets_a_floor,
    logins_beside_a_floor_are_before_it_or_after_it,
    a_list_and_a_count_know_what_is_below_a_floor,
    a_floor_goes_once_it_could_refuse_no_token,
    very_many_that_match_are_found_and_counted_in_stretches,
    a_lowered_limit_of_sessions_is_reached_a_hundred_a_login,
    what_is_below_a_floor_takes_no_place_among_a_users_sessions,
);

on_postgres!(
    everybody_is_logged_out_while_the_table_of_accounts_is_tended,
    a_floor_under_everybody_waits_for_a_login_that_has_begun,
);

async fn seed(database: &Database, user: UserId, sessions: usize) {
    database.add_sessions(user.as_uuid(), sessions, at(900).as_micros()).await;
}

/// The floor that an order sets.
async fn set_floor(store: &Store, scope: Scope, now: Timestamp) -> Floor {
    let done = store.end_sessions(ending(scope, now), None).await.unwrap();
    assert!(done.is_new && done.ended.is_empty(), "{done:?}");
    done.floor.unwrap()
}

fn worker() -> TokenId {
    TokenId::new(at(0), &SystemEntropy)
}

/// Ends all rows below a floor; the batches.
async fn end_rows(store: &Store, floor: FloorId, worker: TokenId) -> Vec<Vec<EndedSession>> {
    let mut batches = Vec::new();
    loop {
        match store.end_batch(floor, worker, at(50)).await.unwrap() {
            FloorBatch::Ended(ended) => batches.push(ended),
            FloorBatch::Last(ended, floor) => {
                assert!(floor.until.is_some());
                batches.push(ended);
                return batches;
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn is_live(store: &Store, session: &Session) -> bool {
    rotate(store, session, at(60)).await.is_some()
}

const LIVE: &str = "SELECT count(*) FROM sessions WHERE ended_at IS NULL";

async fn a_thousand_end_by_their_rows_and_more_by_a_floor(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await.id, make(&store, "bob").await.id);
    seed(&database, ada, MAX_ENDS_PER_TRANSACTION).await;
    seed(&database, bob, MAX_ENDS_PER_TRANSACTION + 1).await;
    let done = store.end_sessions(ending(Scope::User(ada), at(10)), None).await.unwrap();
    assert_eq!((done.ended.len(), done.floor), (MAX_ENDS_PER_TRANSACTION, None));
    let why = event(AuditKind::PasswordChanged, at(10));
    let done = store.end_sessions(ending(Scope::User(bob), at(10)), Some(why)).await.unwrap();
    let floor = done.floor.unwrap();
    assert_eq!((done.ended.len(), done.is_new), (0, true));
    assert_eq!((floor.user, floor.reason, floor.at), (Some(bob), EndReason::Admin, at(10)));
    assert_eq!(store.count_below(&floor).await.unwrap(), MAX_ENDS_PER_TRANSACTION + 1);
    let mut raw = database.raw().await;
    assert_eq!(raw.number(LIVE).await, 1_001, "no row is ended yet");
    let events = "SELECT count(*) FROM audit_events WHERE kind = 'PASSWORD_CHANGED'";
    assert_eq!(raw.number(events).await, 1);
}

async fn below_a_floor_nothing_is_refreshed_and_above_it_everything(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await.id, make(&store, "bob").await.id);
    let (before, other) = (open(&store, ada, at(0)).await, open(&store, bob, at(0)).await);
    seed(&database, ada, 1_500).await;
    set_floor(&store, Scope::User(ada), at(10)).await;
    let after = open(&store, ada, at(10)).await;
    assert!(!is_live(&store, &before).await);
    assert!(is_live(&store, &after).await && is_live(&store, &other).await);
    let known = store.known_token(ada, before.id, before.token.id).await.unwrap().unwrap();
    let end = known.session.end.unwrap();
    assert_eq!((end.at, end.reason), (at(10), EndReason::Admin));
    let known = store.known_token(ada, after.id, after.token.id).await.unwrap().unwrap();
    assert!(known.session.end.is_none());
    let name = SessionName::parse("phone").unwrap();
    let rename = |id| store.rename_session(ada, id, name.clone(), at(60));
    assert!(rename(before.id).await.unwrap().is_none());
    assert!(rename(after.id).await.unwrap().is_some());
    // Where refresh tokens do not rotate.
    let touch = |session: &Session| sallyport::store::Reissue {
        session_id: session.id,
        presented: session.token.id,
        access_expires_at: at(900),
        at: at(61),
        origin: super::support::origin(),
        limit: None,
    };
    assert!(store.reissue(touch(&before)).await.unwrap().is_none());
    let bobs = session(&store, other.id).await;
    assert!(store.reissue(touch(&bobs)).await.unwrap().is_some());

    let floor = set_floor(&store, Scope::All, at(20)).await;
    assert!(!is_live(&store, &session(&store, after.id).await).await);
    assert!(!is_live(&store, &bobs).await);
    // Only what the floor before it had not ended.
    assert_eq!(store.count_below(&floor).await.unwrap(), 2);
    // The account may log in again, and what was ended stays so.
    assert!(is_live(&store, &open(&store, ada, at(21)).await).await);
    assert!(!is_live(&store, &before).await);
}

async fn a_session_that_stays_is_above_its_own_floor(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await.id;
    let (kept, other) = (open(&store, ada, at(0)).await, open(&store, ada, at(0)).await);
    seed(&database, ada, 1_500).await;
    let floor = set_floor(&store, Scope::Others { user: ada, except: kept.id }, at(10)).await;
    assert_eq!(store.count_below(&floor).await.unwrap(), 1_501);
    assert!(!floor.covers(ada, kept.id) && floor.covers(ada, other.id));
    assert!(is_live(&store, &kept).await && !is_live(&store, &other).await);
    assert_eq!(store.newest_below(&floor, 1).await.unwrap(), [other.id]);
    end_rows(&store, floor.id, worker()).await;
    assert_eq!(database.raw().await.number(LIVE).await, 1);
    assert!(session(&store, kept.id).await.end.is_none());
    let everybody = Scope::AllBut(kept.id);
    let none = store.end_sessions(ending(everybody, at(11)), None).await.unwrap();
    assert_eq!((none.ended.len(), none.floor), (0, None));
}

/// Replicas' clocks are apart, and two things may happen in one millisecond.
async fn a_login_after_a_floor_is_above_it_by_whatever_clock(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await.id;
    // Opened by a clock that is ahead.
    let ahead = open(&store, ada, at(30)).await;
    seed(&database, ada, 1_500).await;
    let floor = set_floor(&store, Scope::User(ada), at(10)).await;
    assert!(floor.covers(ada, ahead.id) && !is_live(&store, &ahead).await);
    let mut seen = HashSet::new();
    for moment in [at(5), at(10), at(30), at(31)] {
        let mut order = new_session(ada, moment);
        order.token.expires_at = at(90_000);
        let named = order.id;
        let told = event(AuditKind::LoginSucceeded, moment);
        let told = sallyport::store::NewEvent { session: Some(named), ..told };
        let opened = store.open_session(opening(order), told).await.unwrap().unwrap().session;
        assert!(!floor.covers(ada, opened.id) && seen.insert(opened.id));
        assert_eq!(opened.id == named, moment == at(31), "{moment}");
        let known = rotate(&store, &opened, at(60)).await;
        assert!(known.is_some(), "{moment}");
        let id = database.literal(opened.id.as_uuid());
        let told = format!("SELECT count(*) FROM audit_events WHERE session_id = {id}");
        assert_eq!(database.raw().await.number(told).await, 1, "the event names it");
    }
}

async fn every_order_about_very_many_sets_one_floor(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await.id;
    seed(&database, ada, 1_200).await;
    let order = |reason| EndSessions { reason, ..ending(Scope::User(ada), at(10)) };
    let changed = event(AuditKind::PasswordChanged, at(10));
    let end = Some(order(EndReason::PasswordChanged));
    let (_, set) =
        store.set_password(ada, None, hash('b'), changed, end, Vec::new()).await.unwrap().unwrap();
    assert!(set.is_new);
    let deactivated = event(AuditKind::UserDeactivated, at(11));
    let again = store.set_active(ada, false, deactivated, order(EndReason::UserDeactivated));
    let (user, same) = again.await.unwrap().unwrap().unwrap();
    assert!(!user.is_active());
    assert_eq!((same.floor, same.is_new), (set.floor, false), "it covers everything already");
    let everybody = store.end_sessions(ending(Scope::All, at(12)), None).await.unwrap();
    assert!(everybody.is_new, "that of one account covers no others");
    let again = store.end_sessions(ending(Scope::User(ada), at(13)), None).await.unwrap();
    assert!(!again.is_new);
    let floors = "SELECT count(*) FROM session_floors";
    assert_eq!(database.raw().await.number(floors).await, 2);
}

async fn rows_below_a_floor_are_ended_in_batches_with_all_that_follows(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await.id;
    let last = open(&store, ada, at(1)).await;
    seed(&database, ada, 2_000).await;
    let note = Note::parse("the laptop was stolen").unwrap();
    let order = EndSessions { note: Some(note), ..ending(Scope::User(ada), at(10)) };
    let floor = store.end_sessions(order, None).await.unwrap().floor.unwrap();
    let batches = end_rows(&store, floor.id, worker()).await;
    assert!(batches.iter().all(|batch| batch.len() <= store.max_batch_rows()), "each is small");
    assert!(batches.len() >= 2_001 / store.max_batch_rows() && store.batch_pause_factor() > 0);
    let ended: HashSet<_> = batches.iter().flatten().map(|ended| ended.id).collect();
    assert_eq!((ended.len(), ended.contains(&last.id)), (2_001, true));
    let mut raw = database.raw().await;
    assert_eq!(raw.number(LIVE).await, 0);
    for (table, time) in [
        ("sessions", "ended_at"),
        ("session_ends", "ended_at"),
        ("blacklist_entries", "blacklisted_at"),
        ("audit_events", "occurred_at"),
    ] {
        let of = format!("SELECT count(*) FROM {table} WHERE {time} = {}", at(10).as_micros());
        assert_eq!(raw.number(of).await, 2_001, "{table}");
    }
    let told = "SELECT DISTINCT detail FROM audit_events WHERE kind = 'SESSION_ENDED'";
    assert_eq!(raw.texts(told).await, ["ADMIN: the laptop was stolen"]);
    let entry = &entries(&store, BlacklistFilter::default()).await[0];
    assert_eq!(entry.ip, super::support::origin().ip);
    assert_eq!(store.end_batch(floor.id, worker(), at(50)).await.unwrap(), FloorBatch::Done);
    assert_eq!(store.count_below(&floor).await.unwrap(), 2_001, "as many as before");
}

async fn any_worker_goes_on_where_another_stopped(database: Database) {
    let store = Arc::new(database.store().await);
    let ada = make(&store, "ada").await.id;
    seed(&database, ada, 1_800).await;
    let floor = set_floor(&store, Scope::All, at(10)).await;
    let (one, other) = (worker(), worker());
    let FloorBatch::Ended(first) = store.end_batch(floor.id, one, at(50)).await.unwrap() else {
        panic!("there are more")
    };
    assert_eq!(store.end_batch(floor.id, other, at(51)).await.unwrap(), FloorBatch::Busy);
    // The first was killed, and is not heard of for some seconds.
    let FloorBatch::Ended(second) = store.end_batch(floor.id, other, at(56)).await.unwrap() else {
        panic!("there are more")
    };
    assert!(first.iter().all(|ended| !second.contains(ended)));
    // Both at once, whatever the lease says: nothing ends twice and nothing is left out.
    let together = [one, other].map(|worker| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut ended = Vec::new();
            for second in (100..).step_by(10) {
                match store.end_batch(floor.id, worker, at(second)).await.unwrap() {
                    FloorBatch::Ended(batch) | FloorBatch::Last(batch, _) => ended.extend(batch),
                    FloorBatch::Busy => {}
                    FloorBatch::Done => break,
                }
            }
            ended
        })
    });
    let mut all: Vec<_> = first.into_iter().chain(second).collect();
    for worked in together {
        all.extend(worked.await.unwrap());
    }
    assert_eq!(all.len(), 1_800);
    assert_eq!(database.raw().await.number(LIVE).await, 0);
    assert_eq!(database.raw().await.number("SELECT count(*) FROM session_ends").await, 1_800);
}

async fn of_many_who_end_the_same_very_many_one_sets_a_floor(database: Database) {
    let store = Arc::new(database.store().await);
    let ada = make(&store, "ada").await.id;
    seed(&database, ada, 20_000).await;
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(
                async move { store.end_sessions(ending(Scope::User(ada), at(10)), None).await },
            )
        })
        .collect();
    let (mut new, mut floors) = (0, HashSet::new());
    for caller in callers {
        // On a busy machine some may not be answered in time; what they did is done.
        let Ok(done) = caller.await.unwrap() else { continue };
        new += usize::from(done.is_new);
        floors.insert(done.floor.unwrap().id);
    }
    assert_eq!((new <= 1, floors.len()), (true, 1));
    let floors = "SELECT count(*) FROM session_floors";
    assert_eq!(database.raw().await.number(floors).await, 1);
}

async fn logins_beside_a_floor_are_before_it_or_after_it(database: Database) {
    let store = Arc::new(database.store().await);
    let ada = make(&store, "ada").await.id;
    seed(&database, ada, 1_500).await;
    let logins: Vec<_> = (0..100)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { open(&store, ada, at(10)).await })
        })
        .collect();
    let ending = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { set_floor(&store, Scope::All, at(10)).await })
    };
    let mut opened = Vec::new();
    for login in logins {
        opened.push(login.await.unwrap());
    }
    let floor = ending.await.unwrap();
    let (mut before, mut after) = (0, 0);
    for session in opened {
        let is_covered = floor.covers(ada, session.id);
        assert_eq!(is_live(&store, &session).await, !is_covered);
        *(if is_covered { &mut before } else { &mut after }) += 1;
    }
    assert_eq!(store.count_below(&floor).await.unwrap(), 1_500 + before);
    end_rows(&store, floor.id, worker()).await;
    assert_eq!(usize::try_from(database.raw().await.number(LIVE).await).unwrap(), after);
}

/// Autovacuum and the building of an index take this lock, and last.
async fn everybody_is_logged_out_while_the_table_of_accounts_is_tended(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await.id;
    seed(&database, ada, MAX_ENDS_PER_TRANSACTION + 1).await;
    let mut vacuum = database.raw().await;
    vacuum.execute("BEGIN; LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE").await;
    let floor = set_floor(&store, Scope::All, at(10)).await;
    assert!(!floor.covers(ada, open(&store, ada, at(10)).await.id));
    vacuum.execute("ROLLBACK").await;
}

/// Its id may be of a clock that is ahead of that of the order.
async fn a_floor_under_everybody_waits_for_a_login_that_has_begun(database: Database) {
    let store = Arc::new(database.store().await);
    let ada = make(&store, "ada").await.id;
    seed(&database, ada, MAX_ENDS_PER_TRANSACTION + 1).await;
    let mut locked = database.raw().await;
    locked.execute("BEGIN; SELECT 1 FROM sessions FOR UPDATE").await;
    // It waits for the rows of the sessions that it ends, with its own inserted.
    let mut order = opening(new_session(ada, at(30)));
    order.max_sessions = Some(1);
    let login = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { try_open(&store, order).await.unwrap() })
    };
    let mut raw = database.raw().await;
    until(&mut raw, WAITING, 1).await;
    let ending = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { set_floor(&store, Scope::All, at(10)).await })
    };
    until(&mut raw, WAITING, 2).await;
    locked.execute("ROLLBACK").await;
    let (opened, floor) = (login.await.unwrap(), ending.await.unwrap());
    assert!(floor.covers(ada, opened.session.id));
}

async fn a_list_and_a_count_know_what_is_below_a_floor(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await.id;
    seed(&database, ada, 1_500).await;
    let floor = set_floor(&store, Scope::User(ada), at(10)).await;
    let after = open(&store, ada, at(11)).await;
    let page = PageRequest { after: None, before: None, size: 100, from_end: false };
    for _ in 0..2 {
        let state = |state| SessionFilter { state: Some(state), ..SessionFilter::default() };
        let (active, over) = (state(SessionState::Active), state(SessionState::Ended));
        let listed = store.sessions(&active, &page, at(50)).await.unwrap().items;
        assert_eq!(listed.iter().map(|session| session.id).collect::<Vec<_>>(), [after.id]);
        assert_eq!(store.count_sessions(&active, at(50)).await.unwrap(), Some(1));
        assert_eq!(store.count_sessions(&over, at(50)).await.unwrap(), Some(1_500));
        let matching = MatchingSessions { filter: active, except: None };
        assert_eq!(store.count_matching(&matching, at(50)).await.unwrap(), 1);
        // The same once their rows say so.
        if store.end_batch(floor.id, worker(), at(50)).await.unwrap() != FloorBatch::Done {
            while !matches!(
                store.end_batch(floor.id, worker(), at(1_000)).await.unwrap(),
                FloorBatch::Last(..) | FloorBatch::Done
            ) {
                database.raw().await.execute("UPDATE session_floors SET leased_until = 0").await;
            }
        }
    }
}

async fn a_floor_goes_once_it_could_refuse_no_token(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await.id;
    seed(&database, ada, 1_100).await;
    let floor = set_floor(&store, Scope::User(ada), at(10)).await;
    let purge = async |now| store.purge_batch(Expired::SessionFloors, now).await.unwrap();
    assert_eq!(purge(at(1_000_000)).await, 0, "rows are not ended yet");
    end_rows(&store, floor.id, worker()).await;
    let until = at(900) + Duration::from_mins(1);
    assert_eq!(purge(until - Duration::from_micros(1)).await, 0);
    assert_eq!(store.count_expired(Expired::SessionFloors, until).await.unwrap(), 1);
    assert_eq!(purge(until).await, 1);
}

async fn very_many_that_match_are_found_and_counted_in_stretches(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await.id, make(&store, "bob").await.id);
    seed(&database, ada, 60_000).await;
    let one = open(&store, bob, at(0)).await;
    seed(&database, bob, 1_500).await;
    for (user, expected) in [(Some(bob), 1_501), (None, 61_501)] {
        let filter = SessionFilter { user_id: user, ..SessionFilter::default() };
        let matching = MatchingSessions { filter, except: None };
        assert_eq!(store.count_matching(&matching, at(5)).await.unwrap(), expected);
        let (mut found, mut behind) = (HashSet::<SessionId>::new(), None);
        loop {
            let more = store.find_matching(&matching, behind, 1_000, at(5)).await.unwrap();
            assert!(more.sessions.len() <= 1_000);
            found.extend(more.sessions);
            behind = more.next_after;
            if behind.is_none() {
                break;
            }
        }
        assert_eq!((found.len(), found.contains(&one.id)), (expected, true));
    }
}

async fn a_lowered_limit_of_sessions_is_reached_a_hundred_a_login(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await.id;
    seed(&database, ada, 250).await;
    let mut left = Vec::new();
    for second in 0..5 {
        let mut order = opening(new_session(ada, at(second)));
        order.max_sessions = Some(20);
        let opened = try_open(&store, order).await.unwrap();
        assert!(
            opened.ended.len() <= 100 && !opened.ended.iter().any(|e| e.id == opened.session.id)
        );
        left.push(database.raw().await.number(LIVE).await);
    }
    assert_eq!(left, [151, 52, 20, 20, 20]);
}

async fn what_is_below_a_floor_takes_no_place_among_a_users_sessions(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await.id;
    let kept = open(&store, ada, at(0)).await;
    seed(&database, ada, MAX_ENDS_PER_TRANSACTION + 1).await;
    set_floor(&store, Scope::Others { user: ada, except: kept.id }, at(50)).await;
    let mut opened: Vec<Session> = Vec::new();
    let mut ended = Vec::new();
    for second in 51..54 {
        let mut order = opening(new_session(ada, at(second)));
        order.max_sessions = Some(2);
        let login = try_open(&store, order).await.unwrap();
        ended.push(login.ended.iter().map(|ended| ended.id).collect::<Vec<_>>());
        opened.push(login.session);
    }
    assert_eq!(ended, [vec![], vec![kept.id], vec![opened[0].id]]);
}
