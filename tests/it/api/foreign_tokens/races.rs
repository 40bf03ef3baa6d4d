//! Many callers, several replicas, and ends at the same time.

use std::collections::BTreeSet;

use futures_util::future::{join, join_all};
use serde_json::Value;

use super::super::service::{Service, code, tokens};
use super::old_site::OldSite;
use crate::databases::{Database, on_both};
use crate::proof::rounds;

on_both!(
    fifty_exchanges_on_two_replicas_open_one_session,
    no_exchange_survives_a_logout_everywhere_at_the_same_time,
    of_a_logout_and_an_exchange_at_once_nothing_is_left,
);

async fn fifty_exchanges_on_two_replicas_open_one_session(database: Database) {
    let site = OldSite::new("");
    let one = site.service(&database, "").await;
    let other = Service::start(&database, &site.flags()).await;
    for round in 0..rounds(3, 20) {
        let token = site.outstanding(&database, &format!("token-{round}")).await;
        let answers = join_all((0..50).map(|n| {
            let service = if n % 2 == 0 { &one } else { &other };
            service.refresh(&token, None)
        }))
        .await;
        let pairs: BTreeSet<String> = answers
            .iter()
            .map(|payload| tokens(payload).unwrap_or_else(|| panic!("{payload}")).refresh)
            .collect();
        assert_eq!(pairs.len(), 1, "all have the same pair");
    }
    let sessions = database.raw().await.number("SELECT count(*) FROM sessions").await;
    let exchanged = "SELECT count(*) FROM foreign_tokens WHERE exchanged_at IS NOT NULL";
    assert_eq!(sessions, database.raw().await.number(exchanged).await);
}

async fn no_exchange_survives_a_logout_everywhere_at_the_same_time(database: Database) {
    let site = OldSite::new("");
    let one = site.service(&database, "").await;
    let mut other = Service::start(&database, &site.flags()).await;
    for round in 0..rounds(10, 100) {
        let mut site = OldSite::new("");
        // Tokens that are newer than the logout of the round before.
        site.began = sallyport::clock::Clock::now(&*one.clock).as_seconds() + 3_601;
        let token = site.outstanding(&database, &format!("token-{round}")).await;
        one.clock.advance(std::time::Duration::from_secs(5));
        other.pass(std::time::Duration::from_secs(5)).await;
        let login = one.login("ada").await;
        let (exchanged, done) =
            join(other.refresh(&token, None), one.logout(Some(&login.access), None, "ALL")).await;
        assert_eq!(done["errors"], Value::Array(Vec::new()));
        match tokens(&exchanged) {
            Some(session) => {
                assert_eq!(code(&other.refresh(&session.refresh, None).await), "SESSION_ENDED");
            }
            None => assert_eq!(code(&exchanged), "SESSION_ENDED"),
        }
        assert_eq!(code(&one.refresh(&token, None).await), "SESSION_ENDED");
    }
}

async fn of_a_logout_and_an_exchange_at_once_nothing_is_left(database: Database) {
    let site = OldSite::new("");
    let one = site.service(&database, "").await;
    let other = Service::start(&database, &site.flags()).await;
    for round in 0..rounds(10, 100) {
        let token = site.outstanding(&database, &format!("token-{round}")).await;
        let (exchanged, done) =
            join(other.refresh(&token, None), one.logout(None, Some(&token), "CURRENT")).await;
        assert_eq!(done["errors"], Value::Array(Vec::new()));
        if let Some(session) = tokens(&exchanged) {
            assert_eq!(code(&other.refresh(&session.refresh, None).await), "SESSION_ENDED");
        }
        assert_eq!(code(&one.refresh(&token, None).await), "SESSION_ENDED");
    }
}
