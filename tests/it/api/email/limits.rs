//! Limits on mails that strangers cause.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::super::service::Service;
use super::mailbox::{challenge_token, mails, newest, request, reset_by_code, verified};
use crate::databases::{Database, on_both};
use crate::proof::rounds;

on_both!(
    one_recipient_gets_three_mails_in_ten_minutes_and_ten_a_day,
    of_a_thousand_requests_at_once_three_are_mailed,
    one_address_and_one_network_cause_so_many_mails_an_hour,
    the_deployment_has_a_ceiling,
    no_setting_switches_the_limits_off,
    a_stranger_uses_up_nothing_of_what_a_session_needs,
    beyond_the_limits_of_its_sender_a_request_stores_nothing,
);

const RESET: &str = "requestPasswordReset";

async fn one_recipient_gets_three_mails_in_ten_minutes_and_ten_a_day(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let mut sent = Vec::new();
    for minute in 0..(25 * 60) {
        if minute % 2 == 0 {
            let name = if minute % 4 == 0 { "ada" } else { "ada@example.com" };
            request_from(&service, &format!("198.51.{}.{}", minute % 250, minute % 7), name).await;
            if mails(&service).await.len() > sent.len() {
                sent.push(minute);
            }
        }
        service.clock.advance(Duration::from_mins(1));
    }
    assert!(sent.len() >= 10, "{sent:?}");
    for (index, first) in sent.iter().enumerate() {
        let within =
            |minutes: i32| sent[index..].iter().filter(|at| **at < first + minutes).count();
        assert!(within(10) <= 3 && within(24 * 60) <= 10, "{sent:?}");
    }
}

/// Asks for a reset from an address.
async fn request_from(service: &Service, ip: &str, name: &str) -> Value {
    const REQUEST: &str = "mutation($u: String!) { requestPasswordReset(input: { username: $u }) {
        challenge { challengeToken } errors { code } } }";
    let answer = service.send_from((ip, "Browser/1.0"), None, REQUEST, json!({ "u": name })).await;
    assert!(answer["data"]["requestPasswordReset"]["challenge"].is_object(), "{answer}");
    answer
}

async fn of_a_thousand_requests_at_once_three_are_mailed(database: Database) {
    let replicas = [Service::start(&database, "").await, Service::start(&database, "").await];
    verified(&replicas[0], "ada").await;
    for round in 0..rounds(4, 40) {
        join_all((0..25_usize).map(|n| {
            let ip = format!("198.51.{}.{n}", round % 250);
            let service = &replicas[n % 2];
            async move { request_from(service, &ip, "ada").await }
        }))
        .await;
    }
    assert_eq!(mails(&replicas[0]).await.len(), 3);
}

async fn one_address_and_one_network_cause_so_many_mails_an_hour(database: Database) {
    let service = Service::start(&database, "").await;
    for n in 0..70 {
        verified(&service, &format!("user{n}")).await;
    }
    for n in 0..25 {
        request_from(&service, "192.0.2.7", &format!("user{n}")).await;
    }
    assert_eq!(mails(&service).await.len(), 20);
    for n in 25..70 {
        request_from(&service, &format!("192.0.2.{}", 10 + n), &format!("user{n}")).await;
    }
    assert_eq!(mails(&service).await.len(), 60);
    service.clock.advance(Duration::from_hours(1));
    request_from(&service, "192.0.2.7", "user0").await;
    assert_eq!(mails(&service).await.len(), 61);
}

async fn the_deployment_has_a_ceiling(database: Database) {
    let service = Service::start(&database, "--email-ceiling 5").await;
    for n in 0..8 {
        let name = format!("user{n}");
        verified(&service, &name).await;
        request_from(&service, &format!("198.51.{n}.1"), &name).await;
    }
    assert_eq!(mails(&service).await.len(), 5);
}

async fn no_setting_switches_the_limits_off(database: Database) {
    let service = Service::start(&database, "--throttle false").await;
    verified(&service, "ada").await;
    for _ in 0..5 {
        request(&service, RESET, "ada").await;
    }
    assert_eq!(mails(&service).await.len(), 3);
    newest(&service, "reset").await;
}

async fn beyond_the_limits_of_its_sender_a_request_stores_nothing(database: Database) {
    let service = Service::start(&database, "").await;
    for n in 0..40 {
        request_from(&service, "192.0.2.7", &format!("nobody{n}")).await;
    }
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM challenges").await, 20);
    assert_eq!(raw.number("SELECT count(*) FROM emails").await, 20);
}

async fn a_stranger_uses_up_nothing_of_what_a_session_needs(database: Database) {
    let service = Service::start(&database, "").await;
    verified(&service, "ada").await;
    let ada = service.login("ada").await;
    for n in 0..4 {
        let asked = request_from(&service, &format!("198.51.100.{n}"), "ada").await;
        let asked = &asked["data"]["requestPasswordReset"];
        for _ in 0..5 {
            let token = challenge_token(asked);
            reset_by_code(&service, token, "00000000", "velvet-kayak-hyphen-77").await;
        }
    }
    const BEGIN: &str = "mutation { beginReauthentication(sendCode: true) { errors { code } } }";
    service.send(Some(&ada.access), BEGIN, Value::Null).await;
    let mail = newest(&service, "reauthenticate").await;
    const PROVE: &str =
        "mutation($c: String!) { reauthenticate(input: { proof: { emailCode: $c } }) {
        errors { code } } }";
    let proved = service.send(Some(&ada.access), PROVE, json!({ "c": mail.code() })).await;
    assert_eq!(proved["data"]["reauthenticate"]["errors"], json!([]), "{proved}");
}
