//! Counters of failed logins, and session searches.

use std::time::Duration;

use sallyport::domain::audit::AuditKind;
use sallyport::domain::filter::{AuditFilter, IpBlock, SessionFilter};
use sallyport::domain::pagination::PageRequest;
use sallyport::domain::throttle::{ACCOUNT_AND_ADDRESS, ADDRESS, Bucket};
use sallyport::store::{Charge, Charged, Grounds, MatchingSessions, NewEvent, Settlement};

use super::support::{at, at_once, event, make, new_session, open, opening, try_open, verified};
use crate::databases::{Database, on_both};

on_both!(
    of_a_hundred_charges_at_once_a_limit_takes_what_it_says,
    free_failures_wait_for_no_other_clock,
    each_failure_doubles_the_wait_and_a_day_forgets_it,
    what_is_settled_is_as_if_it_had_not_been_charged,
    a_failure_is_counted_past_the_limit_and_written_down_once,
    a_source_is_known_by_the_accounts_own_sessions,
    events_are_listed_counted_and_found_by_their_numbers,
    what_would_end_is_counted,
);

const OWN: Charge = Charge { bucket: Bucket([1; 16]), limit: ACCOUNT_AND_ADDRESS, account: None };
const ADDRESSES: Charge = Charge { bucket: Bucket([2; 16]), limit: ADDRESS, account: None };

async fn of_a_hundred_charges_at_once_a_limit_takes_what_it_says(database: Database) {
    let (one, two) = (database.store().await, database.connect().await);
    for (charge, taken) in [(OWN, 5), (ADDRESSES, 60)] {
        let all = (0..100).map(|n| if n % 2 == 0 { &one } else { &two });
        let charged = at_once(all.map(|store| store.charge(vec![charge], at(0)))).await;
        let charged: Vec<Charged> = charged.into_iter().map(Result::unwrap).collect();
        assert_eq!(charged.iter().filter(|charged| charged.refused.is_none()).count(), taken);
        let closing = charged.iter().filter(|charged| charged.closed.is_some()).count();
        assert_eq!(closing, 1, "{}", charge.limit.name);
    }
}

/// As replicas whose clocks differ count them, or attempts at once whose times and commits are in another
/// order.
async fn free_failures_wait_for_no_other_clock(database: Database) {
    let store = database.store().await;
    for n in 0..5 {
        let now = at(i64::from(n % 2 == 0));
        let tally = store.tallies(&[OWN.bucket]).await.unwrap().remove(&OWN.bucket);
        assert_eq!(OWN.limit.wait(tally.as_ref(), 0, now), None, "{n}");
        let charged = store.charge(vec![OWN], now).await.unwrap();
        assert_eq!(charged.refused, None, "{n}");
        assert_eq!(charged.closed.is_some(), n == 4, "{n}");
    }
    let tally = store.tallies(&[OWN.bucket]).await.unwrap().remove(&OWN.bucket);
    assert_eq!(OWN.limit.wait(tally.as_ref(), 0, at(1)), Some(Duration::from_secs(1)));
    assert!(store.charge(vec![OWN], at(1)).await.unwrap().refused.is_some());
}

async fn each_failure_doubles_the_wait_and_a_day_forgets_it(database: Database) {
    let store = database.store().await;
    let (mut now, mut waits) = (at(0), Vec::new());
    for n in 1..=51 {
        let charged = store.charge(vec![OWN], now).await.unwrap();
        assert_eq!(charged.refused, None, "{n}");
        let tally = store.tallies(&[OWN.bucket]).await.unwrap()[&OWN.bucket];
        assert_eq!(tally.failures, n);
        if tally.until > now {
            waits.push((tally.until.as_micros() - now.as_micros()) / 1_000_000);
            let again = store.charge(vec![OWN], now).await.unwrap();
            assert!(again.refused.is_some_and(|wait| wait > Duration::ZERO), "{n}");
        }
        now = tally.until;
    }
    assert_eq!(waits[..6], [1, 2, 4, 8, 16, 32]);
    assert_eq!(waits[12], 3_600);
    assert_eq!(waits[45..], [86_400, 86_400]);
    now = now + Duration::from_hours(24);
    store.charge(vec![OWN], now).await.unwrap();
    assert_eq!(store.tallies(&[OWN.bucket]).await.unwrap()[&OWN.bucket].failures, 1);
}

async fn what_is_settled_is_as_if_it_had_not_been_charged(database: Database) {
    let store = database.store().await;
    for _ in 0..5 {
        store.charge(vec![OWN, ADDRESSES], at(0)).await.unwrap();
    }
    let before = store.tallies(&[ADDRESSES.bucket]).await.unwrap();
    store.charge(vec![ADDRESSES], at(1)).await.unwrap();
    let settlement = Settlement { reset: vec![OWN.bucket], refund: vec![ADDRESSES.bucket] };
    store.settle(settlement).await.unwrap();
    let after = store.tallies(&[OWN.bucket, ADDRESSES.bucket]).await.unwrap();
    assert_eq!(after, before);
    // A login settles in its own transaction.
    store.charge(vec![OWN], at(1)).await.unwrap();
    let ada = make(&store, "ada").await;
    let mut login = opening(new_session(ada.id, at(1)));
    let settlement = Settlement { reset: vec![OWN.bucket], refund: Vec::new() };
    login.grounds =
        Grounds::Password { verified: verified('a'), upgraded: None, factors: None, settlement };
    assert!(try_open(&store, login).await.is_some());
    assert!(store.tallies(&[OWN.bucket]).await.unwrap().is_empty());
}

async fn a_failure_is_counted_past_the_limit_and_written_down_once(database: Database) {
    let store = database.store().await;
    let charge = async || {
        let failed = event(AuditKind::LoginFailed, at(0));
        let limited = NewEvent { kind: AuditKind::RateLimited, ..failed.clone() };
        store.charge_failure(vec![OWN, ADDRESSES], None, failed, limited).await.unwrap()
    };
    for n in 1..=6 {
        let charged = charge().await;
        assert_eq!(charged.refused.is_some(), n > 5, "{n}");
        assert_eq!(charged.closed, (n == 5).then_some("account and address"), "{n}");
    }
    let tallies = store.tallies(&[OWN.bucket, ADDRESSES.bucket]).await.unwrap();
    assert!(tallies.values().all(|tally| tally.failures == 6), "{tallies:?}");
    let mut raw = database.raw().await;
    let kinds = "SELECT count(*) FROM audit_events WHERE kind = ";
    assert_eq!(raw.number(format!("{kinds}'LOGIN_FAILED'")).await, 6);
    assert_eq!(raw.number(format!("{kinds}'RATE_LIMITED'")).await, 1);
}

async fn a_source_is_known_by_the_accounts_own_sessions(database: Database) {
    let store = database.store().await;
    let (ada, bob) = (make(&store, "ada").await, make(&store, "bob").await);
    open(&store, ada.id, at(0)).await;
    let knows = async |user, block: &str| {
        store.knows_source(user, &IpBlock::parse(block).unwrap()).await.unwrap()
    };
    assert!(knows(ada.id, "192.0.2.7").await);
    assert!(!knows(ada.id, "192.0.2.8").await);
    assert!(!knows(bob.id, "192.0.2.7").await);
}

async fn events_are_listed_counted_and_found_by_their_numbers(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    for n in 1..=4 {
        let of_ada = (n % 2 == 0).then_some(ada.id);
        let event = NewEvent { user: of_ada, ..event(AuditKind::LoginFailed, at(n)) };
        store.record(event).await.unwrap();
    }
    let page = PageRequest { after: None, before: None, size: 10, from_end: false };
    let filter = AuditFilter { user_id: Some(ada.id), ..AuditFilter::default() };
    let found = store.audit_events(&filter, &page).await.unwrap().items;
    let times: Vec<_> = found.iter().map(|event| event.occurred_at).collect();
    assert_eq!(times, [at(4), at(2)]);
    assert_eq!(store.count_audit_events(&filter).await.unwrap(), Some(2));
    let ids: Vec<_> = found.iter().map(|event| event.id).collect();
    assert_eq!(store.audit_events_by_id(&ids).await.unwrap().len(), 2);
    let after = Some((found[0].occurred_at, found[0].id));
    let rest = PageRequest { after, ..page };
    assert_eq!(store.audit_events(&filter, &rest).await.unwrap().items[0].id, found[1].id);
}

async fn what_would_end_is_counted(database: Database) {
    let store = database.store().await;
    let ada = make(&store, "ada").await;
    let kept = open(&store, ada.id, at(0)).await;
    open(&store, ada.id, at(1)).await;
    let filter = SessionFilter { user_id: Some(ada.id), ..SessionFilter::default() };
    let all = MatchingSessions { filter, except: None };
    assert_eq!(store.count_matching(&all, at(2)).await.unwrap(), 2);
    let others = MatchingSessions { except: Some(kept.id), ..all };
    assert_eq!(store.count_matching(&others, at(2)).await.unwrap(), 1);
    assert_eq!(store.count_matching(&others, at(10_000)).await.unwrap(), 0);
}
