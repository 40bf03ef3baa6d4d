//! Rotation and reissue of refresh tokens, and lookups of refused ones.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sallyport::clock::Timestamp;
use sallyport::domain::audit::AuditKind;
use sallyport::domain::blacklist::BlacklistReason;
use sallyport::domain::filter::BlacklistFilter;
use sallyport::domain::id::{SessionId, TokenId, UserId};
use sallyport::domain::session::{AttemptHash, Session};
use sallyport::domain::throttle::{self, Limit};
use sallyport::domain::user::Role;
use sallyport::entropy::SystemEntropy;
use sallyport::store::{LoggedRetries, RefreshRetry, Refreshed, Reissue, Rotate, Scope, Store};

use super::support::{
    ACCESS, REFRESH, at, at_once, end, entries, event, make, new_session, open, opening, origin,
    rotate, rotation, session, try_open,
};
use crate::databases::{Database, on_both};
use crate::proof::rounds;

/// Repeats in the audit.
const RETRIED: &str = "SELECT count(*) FROM audit_events WHERE kind = 'REFRESH_RETRIED'";

/// The limit on refreshes where access tokens live long.
fn limit() -> Limit {
    throttle::refresh(Duration::from_mins(15))
}

on_both!(
    a_rotation_moves_the_chain_on_and_remembers_where_it_came_from,
    only_the_outstanding_token_rotates,
    nothing_of_a_session_that_is_over_rotates_or_is_touched,
    a_successor_lives_no_longer_than_its_session,
    a_touch_leaves_the_chain_as_it_is,
    a_repeat_is_of_the_token_before_and_no_other,
    of_a_hundred_repeats_at_once_one_is_written_down,
    no_more_refreshes_take_place_than_the_limit_says,
    a_clock_that_is_set_back_uses_up_no_limit,
    a_token_is_known_to_its_own_user_and_session_only,
    a_hundred_rotations_of_one_token_are_one,
    after_an_end_nothing_of_the_session_moves_however_close_they_were,
);

async fn a_rotation_moves_the_chain_on_and_remembers_where_it_came_from(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let opened = open(&store, ada.id, at(0)).await;
    let now = at(60) + Duration::from_micros(123_456);
    let elsewhere: IpAddr = "2001:db8::9".parse().unwrap();
    let mut order = rotation(&opened, now);
    order.attempt = Some(AttemptHash([7; 32]));
    order.origin.ip = Some(elsewhere);
    let next = order.next;
    let Refreshed { session: rotated, claims } = store.rotate(order).await.unwrap().unwrap();
    assert_eq!(claims.role, Role::User);
    assert_eq!((rotated.token.id, rotated.token.issued_at), (next, at(60)));
    assert_eq!(rotated.token.expires_at, at(60) + REFRESH);
    let previous = rotated.previous.clone().unwrap();
    assert_eq!((previous.token_id, previous.at), (opened.token.id, now));
    assert_eq!(previous.attempt, Some(AttemptHash([7; 32])));
    assert_eq!((rotated.generation, rotated.last_used_at), (1, now));
    assert_eq!((rotated.ip, rotated.last_ip), (origin().ip, Some(elsewhere)));
    assert_eq!((rotated.created_at, rotated.access_expires_at), (at(0), now + ACCESS));
    assert_eq!(session(&store, opened.id).await.token, rotated.token);

    let entries = entries(&store, BlacklistFilter::default()).await;
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!((entry.token_id, entry.session_id), (opened.token.id, opened.id));
    assert_eq!((entry.user_id, entry.actor), (ada.id, Some(ada.id)));
    assert_eq!((entry.generation, entry.reason), (0, BlacklistReason::Rotated));
    assert_eq!((entry.issued_at, entry.expires_at), (at(0), at(0) + REFRESH));
    assert_eq!((entry.blacklisted_at, entry.ip), (now, Some(elsewhere)));
    assert_eq!(entry.user_agent, origin().user_agent);
}

async fn only_the_outstanding_token_rotates(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let (first, other) = (open(&store, ada.id, at(0)).await, open(&store, ada.id, at(0)).await);
    let second = rotate(&store, &first, at(1)).await.unwrap();
    assert!(rotate(&store, &first, at(1)).await.is_none());
    // A token of one session does not move another.
    let mut stray = rotation(&second, at(2));
    stray.session_id = other.id;
    assert!(store.rotate(stray).await.unwrap().is_none());
    let third = rotate(&store, &second, at(2)).await.unwrap();
    assert_eq!((third.generation, third.previous.unwrap().token_id), (2, second.token.id));
    assert_eq!(session(&store, other.id).await.generation, 0);
    assert_eq!(entries(&store, BlacklistFilter::default()).await.len(), 2);
}

async fn nothing_of_a_session_that_is_over_rotates_or_is_touched(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await, make(&store, "bob").await);
    let ended = open(&store, ada.id, at(0)).await;
    let expired = open(&store, ada.id, at(0)).await;
    let of_nobody = open(&store, bob.id, at(0)).await;
    end(&store, Scope::One(ended.id), at(1)).await;
    // By hand, so that the account alone stands in the way.
    let id = database.literal(bob.id.as_uuid());
    let deactivate = format!("UPDATE users SET deactivated_at = 1 WHERE id = {id}");
    database.raw().await.execute(deactivate).await;
    let last = expired.token.expires_at;
    let mut tried = vec![(&ended, at(2)), (&expired, last), (&of_nobody, at(2))];
    tried.push((&expired, last + REFRESH));
    for (session, now) in tried {
        assert!(rotate(&store, session, now).await.is_none(), "{session:?}");
        assert!(touched(&store, session, session.token.id, now).await.is_none());
    }
    let one_microsecond = Duration::from_micros(1);
    assert!(rotate(&store, &expired, last - one_microsecond).await.is_some());
    let absent = Session { id: SessionId::new(at(0), &SystemEntropy), ..expired.clone() };
    assert!(rotate(&store, &absent, at(1)).await.is_none());
}

async fn a_successor_lives_no_longer_than_its_session(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let mut order = opening(new_session(ada.id, at(0)));
    order.session.absolute_expires_at = Some(at(5_000));
    let opened = try_open(&store, order).await.unwrap().session;
    let second = rotate(&store, &opened, at(1_000)).await.unwrap();
    assert_eq!(second.token.expires_at, at(1_000) + REFRESH);
    let third = rotate(&store, &second, at(2_000)).await.unwrap();
    assert_eq!(third.token.expires_at, at(5_000));
    assert!(rotate(&store, &third, at(5_000)).await.is_none());
}

async fn a_touch_leaves_the_chain_as_it_is(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let opened = open(&store, ada.id, at(0)).await;
    let used = touched(&store, &opened, opened.token.id, at(100)).await.unwrap();
    assert_eq!((used.session.token, used.session.generation), (opened.token, 0));
    assert_eq!((used.session.last_used_at, used.claims.role), (at(100), Role::User));
    assert_eq!(used.session.access_expires_at, at(100) + ACCESS);
    // An access token that lives longer is not forgotten for one that lives less long.
    let back = touched(&store, &opened, opened.token.id, at(50)).await.unwrap();
    assert_eq!(back.session.access_expires_at, at(100) + ACCESS);
    assert!(entries(&store, BlacklistFilter::default()).await.is_empty());
    let stranger = TokenId::new(at(0), &SystemEntropy);
    assert!(touched(&store, &opened, stranger, at(100)).await.is_none());
}

async fn a_repeat_is_of_the_token_before_and_no_other(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let first = open(&store, ada.id, at(0)).await;
    assert!(repeated(&store, &first, at(1)).await.is_none());
    let second = rotate(&store, &first, at(1)).await.unwrap();
    let retried = repeated(&store, &first, at(2)).await.unwrap();
    assert_eq!((retried.session.token, retried.session.generation), (second.token, 1));
    assert_eq!(retried.session.previous.unwrap().at, at(1), "the window does not slide");
    assert_eq!(retried.session.access_expires_at, at(2) + ACCESS);
    assert!(repeated(&store, &second, at(2)).await.is_none());
    assert!(touched(&store, &first, first.token.id, at(2)).await.is_none());
    rotate(&store, &second, at(3)).await.unwrap();
    assert!(repeated(&store, &first, at(3)).await.is_none());
    assert!(repeated(&store, &second, at(3)).await.is_some(), "of another rotation");
    assert_eq!(database.raw().await.number(RETRIED).await, 2, "only what took place is told");
}

async fn of_a_hundred_repeats_at_once_one_is_written_down(database: Database) {
    let store = database.store().await;
    let replicas = [database.connect().await, database.connect().await];
    let ada = make(&store, "ada").await;
    let first = open(&store, ada.id, at(0)).await;
    rotate(&store, &first, at(1)).await.unwrap();
    let tried = (0..100).map(|n| repeated(&replicas[n % 2], &first, at(2)));
    assert_eq!(at_once(tried).await.into_iter().flatten().count(), 1);
    assert_eq!(database.raw().await.number(RETRIED).await, 1);
}

async fn no_more_refreshes_take_place_than_the_limit_says(database: Database) {
    let store = database.store().await;
    let replicas = [database.connect().await, database.connect().await];
    let ada = make(&store, "ada").await;
    // The chain moves on, or stays as it is.
    for rotates in [true, false] {
        let mut current = open(&store, ada.id, at(0)).await;
        let mut refresh = async |now: Timestamp| {
            let tried = (0..4).map(|n| {
                let (replica, current) = (&replicas[n % 2], current.clone());
                async move {
                    if rotates {
                        let order = Rotate { limit: Some(limit()), ..rotation(&current, now) };
                        replica.rotate(order).await.unwrap()
                    } else {
                        let order = Reissue { limit: Some(limit()), ..touch(&current, now) };
                        replica.reissue(order).await.unwrap()
                    }
                }
            });
            let refreshed: Vec<_> = join_all(tried).await.into_iter().flatten().collect();
            if let [refreshed, ..] = refreshed.as_slice() {
                current = refreshed.session.clone();
            }
            refreshed.len()
        };
        let mut took_place = 0;
        for _ in 0..130 {
            took_place += refresh(at(1)).await;
        }
        assert_eq!(took_place, 120, "rotates: {rotates}");
        assert_eq!(refresh(at(6)).await, 0);
        assert_eq!(refresh(at(7)).await, 1);
        assert_eq!(refresh(at(7)).await, 0);
        let known = store.known_token(ada.id, current.id, current.token.id).await.unwrap().unwrap();
        assert_eq!(known.limit_until, Some(at(1) + 121 * limit().longest));
        // The token is as good as before.
        assert!(rotate(&store, &current, at(7)).await.is_some());
    }
}

async fn a_clock_that_is_set_back_uses_up_no_limit(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let opened = open(&store, ada.id, at(0)).await;
    let order = |session: &Session, now| Rotate { limit: Some(limit()), ..rotation(session, now) };
    let later = store.rotate(order(&opened, at(3_000))).await.unwrap().unwrap().session;
    let back = store.rotate(order(&later, at(0))).await.unwrap().unwrap().session;
    let known = store.known_token(ada.id, back.id, back.token.id).await.unwrap().unwrap();
    assert_eq!(known.limit_until, Some(at(0) + limit().longest));
}

async fn a_token_is_known_to_its_own_user_and_session_only(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await, make(&store, "bob").await);
    let first = open(&store, ada.id, at(0)).await;
    let other = open(&store, ada.id, at(0)).await;
    rotate(&store, &first, at(9)).await.unwrap();
    let known = async |user: UserId, session: SessionId, token: TokenId| {
        let known = store.known_token(user, session, token).await.unwrap();
        known.map(|known| (known.session.generation, known.rotated_at))
    };
    let rotated = first.token.id;
    assert_eq!(known(ada.id, first.id, rotated).await, Some((1, Some(at(9)))));
    assert_eq!(known(ada.id, first.id, other.token.id).await, Some((1, None)));
    // An entry counts for the session that it belongs to.
    assert_eq!(known(ada.id, other.id, rotated).await, Some((0, None)));
    assert_eq!(known(bob.id, first.id, rotated).await, None);
    let absent = SessionId::new(at(0), &SystemEntropy);
    assert_eq!(known(ada.id, absent, rotated).await, None);
}

async fn a_hundred_rotations_of_one_token_are_one(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let replicas = [database.connect().await, database.connect().await, store];
    let mut current = open(&replicas[0], ada.id, at(0)).await;
    for generation in 1..=5 {
        let tried = (0..100).map(|n| rotate(&replicas[n % 3], &current, at(generation)));
        let successors: Vec<_> = at_once(tried).await.into_iter().flatten().collect();
        assert_eq!(successors.len(), 1, "generation {generation}");
        let stored = session(&replicas[0], current.id).await;
        assert_eq!(stored.token, successors[0].token);
        assert_eq!(i64::from(stored.generation), generation);
        current = stored;
    }
    let entries = entries(&replicas[0], BlacklistFilter::default()).await;
    let generations: HashSet<i32> = entries.iter().map(|entry| entry.generation).collect();
    assert_eq!((entries.len(), generations), (5, (0..5).collect()));
}

async fn after_an_end_nothing_of_the_session_moves_however_close_they_were(database: Database) {
    let store = Arc::new(database.store().await);
    let ada = make(&store, "ada").await;
    let rounds = rounds(100, 500);
    for round in 0..rounds {
        let opened = open(&store, ada.id, at(0)).await;
        let (rotating, retrying, ending) = (Arc::clone(&store), Arc::clone(&store), &store);
        let first = opened.clone();
        let rotated = tokio::spawn(async move { rotate(&rotating, &first, at(1)).await });
        let first = opened.clone();
        let retried = tokio::spawn(async move {
            if round % 2 == 0 {
                repeated(&retrying, &first, at(1)).await
            } else {
                touched(&retrying, &first, first.token.id, at(1)).await
            }
        });
        let scope = [Scope::One(opened.id), Scope::User(ada.id), Scope::All][round % 3].clone();
        let ended = end(ending, scope, at(1)).await;
        assert_eq!(ended.len(), 1, "round {round}");
        let (rotated, _) = (rotated.await.unwrap(), retried.await.unwrap());
        let newest = rotated.unwrap_or(opened);
        let over = session(&store, newest.id).await;
        assert!(over.end.is_some() && over.token == newest.token, "round {round}: {over:?}");
        assert!(over.access_expires_at + Duration::from_mins(1) <= ended[0].until);
        assert!(rotate(&store, &newest, at(1)).await.is_none());
        assert!(touched(&store, &newest, newest.token.id, at(1)).await.is_none());
    }
    let one_entry_each = "SELECT count(*) FROM sessions WHERE generation + 1 <> \
         (SELECT count(*) FROM blacklist_entries WHERE session_id = sessions.id)";
    assert_eq!(database.raw().await.number(one_entry_each).await, 0);
    let ends = database.raw().await.number("SELECT count(*) FROM session_ends").await;
    assert_eq!(usize::try_from(ends).unwrap(), rounds);
}

/// An order to refresh that leaves the chain as it is.
fn touch(session: &Session, now: Timestamp) -> Reissue {
    Reissue {
        session_id: session.id,
        presented: session.token.id,
        access_expires_at: now + ACCESS,
        at: now,
        origin: origin(),
        limit: None,
    }
}

async fn touched(
    store: &Store,
    session: &Session,
    presented: TokenId,
    now: Timestamp,
) -> Option<Refreshed> {
    store.reissue(Reissue { presented, ..touch(session, now) }).await.unwrap()
}

/// The first repeat of the rotation of what the session had outstanding.
async fn repeated(store: &Store, session: &Session, now: Timestamp) -> Option<Refreshed> {
    let repeat = RefreshRetry {
        session_id: session.id,
        presented: session.token.id,
        access_expires_at: now + ACCESS,
        at: now,
        origin: origin(),
        logged: LoggedRetries::None,
        event: Some((LoggedRetries::SameClient, event(AuditKind::RefreshRetried, now))),
    };
    store.retry_refresh(repeat).await.unwrap()
}
