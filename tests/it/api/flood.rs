//! A flood of logins: some are sent away, and nobody else notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sallyport::domain::user::Role;

use super::service::{PASSWORD, Service, tokens};
use crate::databases::{Database, on_both};

on_both!(a_flood_of_logins_sends_some_away_and_stops_no_refresh);

async fn a_flood_of_logins_sends_some_away_and_stops_no_refresh(database: Database) {
    const FLOOD: usize = 200;
    // 128 MiB a hash: a flood that takes seconds.
    let flags = "--throttle false --hashing-memory 131072";
    let service = Arc::new(Service::start(&database, flags).await);
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let answered = Arc::new(AtomicUsize::new(0));
    let login = |_| {
        let (service, answered) = (Arc::clone(&service), Arc::clone(&answered));
        tokio::spawn(async move {
            let payload = service.try_login("ada", PASSWORD).await;
            answered.fetch_add(1, Ordering::SeqCst);
            payload
        })
    };
    let flood: Vec<_> = (0..FLOOD).map(login).collect();
    while service.core.auth.hashing_load().waiting == 0 {
        tokio::task::yield_now().await;
    }
    let next = tokens(&service.refresh(&ada.refresh, None).await).unwrap();
    assert_eq!(service.refusal(&next.access).await, None);
    // Those who wait still wait.
    let before = answered.load(Ordering::SeqCst);
    assert!(before < FLOOD, "the refresh waited for the flood");
    let mut sent_away = 0;
    for login in flood {
        let payload = login.await.unwrap();
        sent_away += usize::from(payload["errors"][0]["code"] == "OVERLOADED");
    }
    assert!(sent_away > 0 && sent_away < FLOOD, "{sent_away}");
    let load = service.core.auth.hashing_load();
    assert_eq!((load.running, load.waiting), (0, 0));
    assert!(tokens(&service.try_login("ada", PASSWORD).await).is_some());
}
