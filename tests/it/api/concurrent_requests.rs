//! Concurrent requests that decide about a login or a session.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;
use sallyport::domain::user::Role;

use super::service::{Service, code, tokens};
use crate::databases::{Database, on_both};
use crate::proof::rounds;

on_both!(
    a_hundred_refreshes_of_one_token_are_one_rotation,
    after_a_logout_nothing_of_the_session_works,
    a_client_that_goes_away_does_not_stop_what_it_asked_for,
);

async fn a_hundred_refreshes_of_one_token_are_one_rotation(database: Database) {
    // Two processes, as two replicas or as a server and its successor.
    let one = Service::start(&database, "").await;
    one.make("ada", Role::User).await;
    let two = Service::start_at(&database, "", one.clock.clone()).await;
    let ada = one.login("ada").await;
    let all = (0..100).map(|n| if n % 2 == 0 { &one } else { &two });
    let payloads = join_all(all.map(|service| service.refresh(&ada.refresh, None))).await;
    let successors: HashSet<String> =
        payloads.iter().map(|payload| tokens(payload).unwrap().refresh).collect();
    assert_eq!(successors.len(), 1);
    assert!(payloads.iter().all(|payload| payload["session"]["generation"] == 1));
    let entries = "SELECT count(*) FROM blacklist_entries";
    assert_eq!(database.raw().await.number(entries).await, 1);
}

async fn after_a_logout_nothing_of_the_session_works(database: Database) {
    let service = Arc::new(Service::start(&database, "").await);
    service.make("ada", Role::User).await;
    for round in 0..rounds(100, 500) {
        let ada = service.login("ada").await;
        let (refreshing, leaving) = (Arc::clone(&service), Arc::clone(&service));
        let (token, same) = (ada.refresh.clone(), ada.refresh.clone());
        let refresh = tokio::spawn(async move { refreshing.refresh(&token, None).await });
        let logout =
            tokio::spawn(async move { leaving.logout(None, Some(&same), "CURRENT").await });
        let (refreshed, left) = (refresh.await.unwrap(), logout.await.unwrap());
        assert_eq!(left["endedCount"], 1, "round {round}");
        let mut given = vec![ada];
        match tokens(&refreshed) {
            Some(next) => given.push(next),
            None => assert_eq!(code(&refreshed), "SESSION_ENDED"),
        }
        for pair in given {
            assert_eq!(service.refusal(&pair.access).await.as_deref(), Some("SESSION_ENDED"));
            assert_eq!(code(&service.refresh(&pair.refresh, None).await), "SESSION_ENDED");
        }
    }
}

async fn a_client_that_goes_away_does_not_stop_what_it_asked_for(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    for _ in 0..20 {
        let ada = service.login("ada").await;
        {
            let logout = service.logout(None, Some(&ada.refresh), "CURRENT");
            let mut logout = std::pin::pin!(logout);
            // Asked for, and dropped at the first wait.
            let _ = futures_util::poll!(&mut logout);
        }
        let gone = async {
            while service.refusal(&ada.access).await.is_none() {
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(5), gone).await;
        assert!(waited.is_ok(), "the logout was lost with its client");
    }
}
