//! A flood of logins: some are refused, and no other request is affected.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use futures_util::future::join_all;
use sallyport::auth::{Cookies, Error, Login, Refresh, Register, TokenTransport, UserErrorCode};
use sallyport::domain::origin::Origin;
use sallyport::domain::user::Role;
use serde_json::json;
use tokio::task::JoinHandle;

use super::service::{PASSWORD, Service, code, tokens};
use crate::databases::{Database, on_both};

on_both!(
    a_flood_of_logins_sends_some_away_and_stops_no_refresh,
    a_password_that_found_no_core_was_no_guess,
    more_refreshes_of_one_session_than_may_wait_are_sent_away,
);

async fn a_flood_of_logins_sends_some_away_and_stops_no_refresh(database: Database) {
    const FLOOD: usize = 200;
    // 64 MiB a hash: a flood that takes more than a second.
    let flags = "--throttle false --hashing-memory 65536";
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
    while service.core.auth.passwords.hashing_load().waiting == 0 {
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
    let load = service.core.auth.passwords.hashing_load();
    assert_eq!((load.running, load.waiting), (0, 0));
    assert!(tokens(&service.try_login("ada", PASSWORD).await).is_some());
}

/// How many run or wait.
fn inside(service: &Service) -> usize {
    let load = service.core.auth.passwords.hashing_load();
    load.running + load.waiting
}

/// Logs in to nobody's account, from an address.
fn try_from_address(service: &Arc<Service>, address: [u8; 4]) -> JoinHandle<Option<UserErrorCode>> {
    try_name(service, "nobody".to_owned(), address)
}

fn try_name(
    service: &Arc<Service>,
    username: String,
    address: [u8; 4],
) -> JoinHandle<Option<UserErrorCode>> {
    let service = Arc::clone(service);
    tokio::spawn(async move {
        let login = Login {
            username: &username,
            password: PASSWORD,
            session_name: None,
            device_token: None,
            languages: &[],
        };
        let origin = Origin { ip: Some(address.into()), user_agent: None };
        let (transport, cookie) = (TokenTransport::Body, no_cookie());
        refusal(service.core.auth.sessions.log_in(login, transport, &cookie, origin).await)
    })
}

fn refusal<T>(outcome: Result<T, Error>) -> Option<UserErrorCode> {
    match outcome {
        Err(Error::Refused(refusal)) => Some(refusal.code),
        _ => None,
    }
}

async fn a_password_that_found_no_core_was_no_guess(database: Database) {
    const CHANGE: &str = "mutation($c: String!) {
        changePassword(input: { currentPassword: $c, newPassword: \"velvet-kayak-hyphen-77\" }) {
            errors { code } } }";
    let service = Arc::new(Service::start(&database, "--hashing-memory 131072").await);
    // On a machine that is busy otherwise the flood may be over before the passwords come.
    for round in 0..10 {
        let username = format!("user{round}");
        service.make(&username, Role::User).await;
        let session = service.login(&username).await;
        let change = async |current: &str| {
            let answer = service.send(Some(&session.access), CHANGE, json!({ "c": current })).await;
            answer["data"]["changePassword"].clone()
        };
        // From here on a try counts before its hash.
        for _ in 0..3 {
            assert_eq!(code(&change("wrong").await), "INVALID_CREDENTIALS");
        }
        // Each from a network of its own: no limit refuses them.
        let nobody = |n| try_name(&service, format!("nobody{round}"), [10, n, 0, 1]);
        let flood: Vec<_> = (0..250).map(nobody).collect();
        while !flood.iter().any(JoinHandle::is_finished) {
            tokio::task::yield_now().await;
        }
        let answers = join_all((0..5).map(|_| change(PASSWORD))).await;
        join_all(flood).await;
        if answers.iter().all(|answer| answer["errors"][0]["code"] == "OVERLOADED") {
            assert_eq!(change(PASSWORD).await["errors"], json!([]));
            return;
        }
    }
    panic!("none of the floods kept the passwords out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_address_has_half_of_the_places_whatever_it_asks_for() {
    let database = Database::sqlite();
    let flags = "--hashing-memory 65536 --registration open";
    let service = Arc::new(Service::start(&database, flags).await);
    let here = [192, 0, 2, 1];
    let register = |n: usize| {
        let service = Arc::clone(&service);
        tokio::spawn(async move {
            let username = format!("user{n}");
            let register = Register {
                username: &username,
                password: PASSWORD,
                email: None,
                session_name: None,
                locale: None,
                languages: &[],
            };
            let origin = Origin { ip: Some(here.into()), user_agent: None };
            let (transport, cookie) = (TokenTransport::Body, no_cookie());
            refusal(service.core.auth.accounts.register(register, transport, &cookie, origin).await)
        })
    };
    let cores = available_parallelism().map_or(1, NonZero::get);
    let places = cores + 64 * cores.max(2);
    let mut flood = Vec::new();
    for n in 0..places {
        flood.push(try_from_address(&service, here));
        flood.push(register(n));
    }
    let mut most = 0;
    while !flood.iter().all(JoinHandle::is_finished) {
        most = most.max(inside(&service));
        tokio::task::yield_now().await;
    }
    assert!((places / 4..=places.div_ceil(2)).contains(&most), "{most} of {places}");
}

async fn more_refreshes_of_one_session_than_may_wait_are_sent_away(database: Database) {
    const ATTEMPT: &str = "0190c1d2-0000-7000-8000-000000000001";
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let next = tokens(&service.refresh(&ada.refresh, Some(ATTEMPT)).await).unwrap();
    let (input, cookie) = (
        Refresh {
            token: Some(&ada.refresh),
            transport: None,
            attempt_id: Some(ATTEMPT),
            rotate: None,
        },
        no_cookie(),
    );
    let refresh = |_| service.core.auth.sessions.refresh(input, &cookie, Origin::default());
    let refused = join_all((0..1_000).map(refresh)).await.into_iter().filter_map(refusal);
    let limited = refused.filter(|code| *code == UserErrorCode::RateLimited).count();
    assert!(limited > 600, "{limited}");
    assert!(tokens(&service.refresh(&next.refresh, None).await).is_some());
}

fn no_cookie() -> Cookies {
    Cookies::unavailable("this is no browser")
}
