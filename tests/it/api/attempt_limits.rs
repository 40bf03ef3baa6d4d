//! Limits of login attempts: per account, address and network.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{PASSWORD, Service, Tokens, code, tokens};
use crate::databases::{Database, on_both};
use crate::proof::may_repeat;

on_both!(
    after_five_wrong_tries_each_waits_twice_as_long,
    of_a_hundred_wrong_tries_at_once_five_are_looked_at,
    what_is_right_writes_nothing_and_forgets_what_was_wrong,
    many_right_logins_at_once_are_all_let_in,
    nobody_is_locked_out_of_where_they_logged_in_before,
    past_the_limits_nothing_tells_which_name_has_an_account,
    an_address_that_is_limited_keeps_no_other_from_logging_in,
    an_address_has_a_limit_whatever_the_names,
    one_ipv6_client_is_one_address_and_a_neighbourhood_has_a_limit,
    slowing_down_is_written_down_once_a_wait_and_names_nobody,
    the_current_password_is_not_guessed_with_a_stolen_token,
    a_weak_new_password_is_estimated_only_after_the_current_one_was_right,
    registrations_from_an_address_have_a_limit,
    without_the_throttle_nothing_is_counted,
    what_was_counted_is_forgotten_after_a_day,
);

const HERE: &str = "192.0.2.7";

const AGENT: &str = "Browser/1.0";

/// The payload of a login from an address.
async fn try_from(service: &Service, ip: &str, name: &str, password: &str) -> Value {
    const LOGIN: &str = "mutation($u: String!, $p: String!) {
        login(input: { username: $u, password: $p }) {
            tokens { accessToken refreshToken } errors { code message path retryAfterSeconds } } }";
    let answer =
        service.send_from((ip, AGENT), None, LOGIN, json!({ "u": name, "p": password })).await;
    answer["data"]["login"].clone()
}

/// The payload of a right login, which may have waited too long for the login before it, for a core or for the
/// database (without a payload): on a busy machine it is repeated. A limit that refuses it answers at once.
async fn let_in_from(service: &Service, ip: &str, name: &str) -> Value {
    loop {
        let began = Instant::now();
        let payload = try_from(service, ip, name, PASSWORD).await;
        let refusal = payload["errors"][0]["code"].as_str();
        let may_pass = payload.is_null() || matches!(refusal, Some("OVERLOADED" | "RATE_LIMITED"));
        if !may_pass || !may_repeat(began) {
            return payload;
        }
    }
}

async fn login_from(service: &Service, ip: &str, name: &str) -> Tokens {
    let payload = try_from(service, ip, name, PASSWORD).await;
    tokens(&payload).unwrap_or_else(|| panic!("{payload}"))
}

/// How long whoever was refused has to wait.
fn wait(payload: &Value) -> i64 {
    assert_eq!(code(payload), "RATE_LIMITED");
    payload["errors"][0]["retryAfterSeconds"].as_i64().unwrap()
}

const WRONG: &str = "INVALID_CREDENTIALS";

async fn after_five_wrong_tries_each_waits_twice_as_long(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    // A name that nobody has is counted like one that somebody has, and another spelling is it.
    let mut answers = Vec::new();
    for names in [["ada", "ADA "], ["nobody", "\u{3000}Nobody"]] {
        let mut told = Vec::new();
        for n in 0..5 {
            told.push(try_from(&service, HERE, names[n % 2], "wrong").await);
            assert_eq!(code(&told[n]), WRONG);
        }
        for expected in [1, 2, 4, 8] {
            let refused = try_from(&service, HERE, names[0], "wrong").await;
            assert_eq!(wait(&refused), expected);
            told.push(refused);
            // The right one is not looked at either.
            assert_eq!(wait(&try_from(&service, HERE, names[1], PASSWORD).await), expected);
            service.clock.advance(Duration::from_secs(expected.unsigned_abs()));
            told.push(try_from(&service, HERE, names[0], "wrong").await);
            assert_eq!(code(told.last().unwrap()), WRONG);
        }
        answers.push(told);
    }
    assert_eq!(answers[0], answers[1]);
    // A process that starts later knows.
    let again = Service::start_at(&database, "", service.clock.clone()).await;
    assert_eq!(wait(&try_from(&again, HERE, "nobody", PASSWORD).await), 16);
}

async fn of_a_hundred_wrong_tries_at_once_five_are_looked_at(database: Database) {
    let one = Service::start(&database, "").await;
    one.make("ada", Role::User).await;
    let two = Service::start_at(&database, "", one.clock.clone()).await;
    for name in ["ada", "nobody"] {
        let all = (0..100).map(|n| if n % 2 == 0 { &one } else { &two });
        let all = all.map(|service| try_from(service, HERE, name, "wrong"));
        let payloads = join_all(all).await;
        let looked_at = payloads.iter().filter(|payload| code(payload) == WRONG).count();
        assert_eq!(looked_at, 5, "{name}");
        let refused = payloads.iter().filter(|payload| code(payload) == "RATE_LIMITED");
        assert_eq!(refused.filter(|payload| wait(payload) >= 1).count(), 95);
    }
}

async fn what_is_right_writes_nothing_and_forgets_what_was_wrong(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let rows = "SELECT count(*) FROM login_failures";
    let before = service.core.store.operations();
    login_from(&service, HERE, "ada").await;
    // The account, the counts, the session.
    assert_eq!(service.core.store.operations() - before, 3);
    assert_eq!(database.raw().await.number(rows).await, 0);
    for round in 0..5 {
        for _ in 0..4 {
            assert_eq!(code(&try_from(&service, HERE, "ada", "wrong").await), WRONG);
        }
        let payload = try_from(&service, HERE, "ada", PASSWORD).await;
        assert!(tokens(&payload).is_some(), "round {round}: {payload}");
    }
}

async fn many_right_logins_at_once_are_all_let_in(database: Database) {
    let one = Service::start(&database, "").await;
    one.make("ada", Role::User).await;
    let two = Service::start_at(&database, "", one.clock.clone()).await;
    let all = (0..20).map(|n| if n % 2 == 0 { &one } else { &two });
    let payloads = join_all(all.map(|service| let_in_from(service, HERE, "ada"))).await;
    for payload in payloads {
        assert!(tokens(&payload).is_some(), "{payload}");
    }
    assert_eq!(database.raw().await.number("SELECT count(*) FROM login_failures").await, 0);
}

async fn nobody_is_locked_out_of_where_they_logged_in_before(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = login_from(&service, HERE, "ada").await;
    // Everywhere at once.
    let mut looked_at = 0;
    for n in 0..100 {
        let payload = try_from(&service, &format!("198.51.{n}.1"), "ada", "wrong").await;
        looked_at += i32::from(code(&payload) == WRONG);
    }
    assert_eq!(looked_at, 20);
    assert!(wait(&try_from(&service, "203.0.113.9", "ada", PASSWORD).await) >= 1);
    assert_eq!(service.refusal(&ada.access).await, None);
    let next = tokens(&service.refresh(&ada.refresh, None).await).unwrap();
    assert_eq!(service.refusal(&next.access).await, None);
    login_from(&service, HERE, "ada").await;
    // There, too, the number of tries is bounded.
    for _ in 0..5 {
        assert_eq!(wait(&try_from(&service, HERE, "ada", "wrong").await), 1);
    }
    assert_eq!(wait(&try_from(&service, HERE, "ada", PASSWORD).await), 1);
    // However patient they are, they have fifty tries in all, and then one a day.
    for _ in 0..200 {
        service.clock.advance(Duration::from_mins(15));
        let payload = try_from(&service, "203.0.113.9", "ada", "wrong").await;
        looked_at += i32::from(code(&payload) == WRONG);
    }
    assert!((50..=52).contains(&looked_at), "{looked_at}");
}

async fn past_the_limits_nothing_tells_which_name_has_an_account(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    login_from(&service, HERE, "ada").await;
    for n in 0..20 {
        for name in ["ada", "nobody"] {
            let payload = try_from(&service, &format!("198.51.{n}.1"), name, "wrong").await;
            assert_eq!(code(&payload), WRONG);
        }
    }
    // By the account's limit, and then by the address's as well.
    for _ in 0..2 {
        for _ in 0..4 {
            let ada = try_from(&service, HERE, "ada", "wrong").await;
            assert_eq!(ada, try_from(&service, HERE, "nobody", "wrong").await);
            assert_eq!(code(&ada), "RATE_LIMITED");
        }
        // Who knows the password is let in.
        login_from(&service, HERE, "ada").await;
        for n in 0..60 {
            try_from(&service, HERE, &format!("user{n}"), "wrong").await;
        }
    }
    // Past the account's own limit there, too.
    for _ in 0..8 {
        let ada = try_from(&service, HERE, "ada", "wrong").await;
        assert_eq!(ada, try_from(&service, HERE, "nobody", "wrong").await);
        assert_eq!(code(&ada), "RATE_LIMITED");
    }
}

async fn an_address_that_is_limited_keeps_no_other_from_logging_in(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    login_from(&service, HERE, "ada").await;
    for n in 0..61 {
        try_from(&service, HERE, &format!("user{n}"), "wrong").await;
    }
    let flood = (0..400).map(|n| {
        let service = &service;
        async move { try_from(service, HERE, &format!("other{n}"), "wrong").await }
    });
    let honest = (0..20).map(|n| {
        let service = &service;
        async move { let_in_from(service, &format!("203.0.{n}.7"), "ada").await }
    });
    let (flood, honest, neighbour) =
        tokio::join!(join_all(flood), join_all(honest), let_in_from(&service, HERE, "ada"));
    assert!(flood.iter().all(|payload| code(payload) == "RATE_LIMITED"));
    assert!(tokens(&neighbour).is_some(), "{neighbour}");
    for payload in honest {
        assert!(tokens(&payload).is_some(), "{payload}");
    }
}

async fn an_address_has_a_limit_whatever_the_names(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    service.make("bob", Role::User).await;
    login_from(&service, HERE, "ada").await;
    let mut looked_at = 0;
    for n in 0..80 {
        let payload = try_from(&service, HERE, &format!("user{n}"), "wrong").await;
        looked_at += i32::from(code(&payload) == WRONG);
    }
    assert_eq!(looked_at, 60);
    assert_eq!(wait(&try_from(&service, HERE, "bob", PASSWORD).await), 20);
    // Who logged in from there before is not kept out by whoever shares the address.
    login_from(&service, HERE, "ada").await;
    service.clock.advance(Duration::from_secs(20));
    login_from(&service, HERE, "bob").await;
}

async fn one_ipv6_client_is_one_address_and_a_neighbourhood_has_a_limit(database: Database) {
    let service = Service::start(&database, "").await;
    let mut looked_at = 0;
    for n in 0..80 {
        let ip = format!("2001:db8::{n:x}:1");
        let payload = try_from(&service, &ip, &format!("user{n}"), "wrong").await;
        looked_at += i32::from(code(&payload) == WRONG);
    }
    assert_eq!(looked_at, 60);
    let mut looked_at = 0;
    for n in 0..220 {
        let ip = format!("198.51.100.{n}");
        let payload = try_from(&service, &ip, &format!("user{n}"), "wrong").await;
        looked_at += i32::from(code(&payload) == WRONG);
    }
    assert_eq!(looked_at, 200);
    assert_eq!(code(&try_from(&service, "198.51.101.1", "user1", "wrong").await), WRONG);
    let mut looked_at = 0;
    for n in 0..220 {
        let ip = format!("2001:db8:7:{n:x}::1");
        let payload = try_from(&service, &ip, &format!("user{n}"), "wrong").await;
        looked_at += i32::from(code(&payload) == WRONG);
    }
    assert_eq!(looked_at, 200);
    assert_eq!(code(&try_from(&service, "2001:db8:8::1", "user1", "wrong").await), WRONG);
    // Through a translator everybody has one prefix, and is counted by the address behind it.
    assert_eq!(
        code(&try_from(&service, "64:ff9b::198.51.100.1", "b", "wrong").await),
        "RATE_LIMITED"
    );
    assert_eq!(code(&try_from(&service, "64:ff9b::203.0.113.1", "b", "wrong").await), WRONG);
}

async fn slowing_down_is_written_down_once_a_wait_and_names_nobody(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let mut raw = database.raw().await;
    for name in ["ada", "hunter2-typed-into-the-wrong-field"] {
        for _ in 0..50 {
            try_from(&service, HERE, name, "wrong").await;
        }
    }
    let events = "SELECT count(*) FROM audit_events WHERE kind = ";
    assert_eq!(raw.number(format!("{events}'LOGIN_FAILED'")).await, 10);
    assert_eq!(raw.number(format!("{events}'RATE_LIMITED'")).await, 2);
    assert_eq!(raw.number(format!("{events}'RATE_LIMITED' AND user_id IS NOT NULL")).await, 1);
    let details = "SELECT DISTINCT detail FROM audit_events WHERE kind = 'RATE_LIMITED'";
    assert_eq!(raw.texts(details).await, ["account and address"]);
    let length = "SELECT count(*) FROM login_failures WHERE length(bucket) <> 16";
    assert_eq!(raw.number(length).await, 0);
}

async fn the_current_password_is_not_guessed_with_a_stolen_token(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    const CHANGE: &str = "mutation($c: String!) {
        changePassword(input: { currentPassword: $c, newPassword: \"velvet-kayak-hyphen-77\" }) {
            errors { code message path retryAfterSeconds } } }";
    let change = async |current: &str| {
        let answer = service.send(Some(&ada.access), CHANGE, json!({ "c": current })).await;
        answer["data"]["changePassword"].clone()
    };
    for _ in 0..5 {
        assert_eq!(code(&change("wrong").await), WRONG);
    }
    assert_eq!(wait(&change(PASSWORD).await), 1);
    assert_eq!(service.refusal(&ada.access).await, None);
    let events = "SELECT count(*) FROM audit_events WHERE kind = 'LOGIN_FAILED' \
                  AND session_id IS NOT NULL";
    assert_eq!(database.raw().await.number(events).await, 5);
    service.clock.advance(Duration::from_secs(1));
    assert_eq!(change(PASSWORD).await["errors"], json!([]));
}

async fn a_weak_new_password_is_estimated_only_after_the_current_one_was_right(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    const CHANGE: &str = "mutation($c: String!) {
        changePassword(input: { currentPassword: $c, newPassword: \"password1\" }) {
            errors { code path retryAfterSeconds } } }";
    let change = async |current: &str| {
        let answer = service.send(Some(&ada.access), CHANGE, json!({ "c": current })).await;
        answer["data"]["changePassword"].clone()
    };
    for _ in 0..4 {
        assert_eq!(code(&change("wrong").await), WRONG);
    }
    // What is right is no guess, whatever is wrong with the new one.
    assert_eq!(code(&change(PASSWORD).await), "WEAK_PASSWORD");
    for _ in 0..5 {
        assert_eq!(code(&change("wrong").await), WRONG);
    }
    assert_eq!(wait(&change(PASSWORD).await), 1);
}

async fn registrations_from_an_address_have_a_limit(database: Database) {
    let service = Service::start(&database, "--registration open").await;
    const REGISTER: &str = "mutation($u: String!, $p: String!) {
        register(input: { username: $u, password: $p }) {
            tokens { accessToken refreshToken } errors { code retryAfterSeconds } } }";
    let register = async |ip: &str, name: &str| {
        let variables = json!({ "u": name, "p": PASSWORD });
        service.send_from((ip, AGENT), None, REGISTER, variables).await["data"]["register"].clone()
    };
    assert!(tokens(&register(HERE, "ada").await).is_some());
    for _ in 0..19 {
        assert_eq!(code(&register(HERE, "ada").await), "USERNAME_TAKEN");
    }
    assert_eq!(wait(&register(HERE, "bob").await), 60);
    assert!(tokens(&register("192.0.2.8", "bob").await).is_some());
    for n in 0..200 {
        assert_eq!(code(&register(&format!("2001:db8:0:{n:x}::1"), "ada").await), "USERNAME_TAKEN");
    }
    assert_eq!(wait(&register("2001:db8:0:ffff::1", "carol").await), 5);
}

async fn without_the_throttle_nothing_is_counted(database: Database) {
    let service = Service::start(&database, "--throttle false").await;
    service.make("ada", Role::User).await;
    for _ in 0..70 {
        assert_eq!(code(&try_from(&service, HERE, "ada", "wrong").await), WRONG);
    }
    login_from(&service, HERE, "ada").await;
    assert_eq!(database.raw().await.number("SELECT count(*) FROM login_failures").await, 0);
}

async fn what_was_counted_is_forgotten_after_a_day(database: Database) {
    let service = Service::start(&database, "").await;
    for _ in 0..6 {
        try_from(&service, HERE, "nobody", "wrong").await;
    }
    let purge = || async { service.core.auth.system.purge().await.unwrap().login_failures };
    assert_eq!(purge().await, 0);
    service.clock.advance(Duration::from_secs(86_400 + 200));
    // Whether or not a purge came by.
    for _ in 0..5 {
        assert_eq!(code(&try_from(&service, HERE, "nobody", "wrong").await), WRONG);
    }
    service.clock.advance(Duration::from_secs(86_400 + 200));
    assert_eq!(service.core.auth.system.expired().await.unwrap().login_failures, 4);
    assert_eq!(purge().await, 4);
}
