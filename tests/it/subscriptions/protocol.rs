//! The protocol `graphql-transport-ws`: opening, refusing, using and closing sockets.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use sallyport::auth::{Admin, KeyRotation};
use sallyport::domain::origin::Origin;
use sallyport::domain::user::Role;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::client::{ALL, Client, OWN, serve};
use crate::api::service::{Service, tokens};
use crate::databases::{Database, on_both};

on_both!(
    a_socket_speaks_one_protocol_to_pages_of_its_own,
    what_is_not_of_the_protocol_closes_the_socket,
    a_socket_begins_in_time_and_once,
    a_token_is_judged_at_the_beginning,
    only_subscriptions_run_over_a_socket,
    a_refused_subscription_leaves_the_socket_open,
    a_socket_has_twenty_operations_at_a_time,
    a_token_that_runs_out_closes_the_socket,
    a_key_that_is_removed_closes_the_sockets_of_its_tokens,
    a_client_that_is_silent_is_asked_and_then_dropped,
    a_service_that_stops_says_so,
);

const PROTOCOL: &str = "sec-websocket-protocol";
const OURS: &str = "graphql-transport-ws";

async fn a_socket_speaks_one_protocol_to_pages_of_its_own(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    let host = format!("http://{address}");
    for (headers, refused) in [
        (&[(PROTOCOL, OURS)][..], None),
        (&[(PROTOCOL, "graphql-ws, graphql-transport-ws")], None),
        (&[(PROTOCOL, OURS), ("origin", &host)], None),
        (&[], Some(StatusCode::BAD_REQUEST)),
        (&[(PROTOCOL, "graphql-ws")], Some(StatusCode::BAD_REQUEST)),
        (&[(PROTOCOL, OURS), ("origin", "https://evil.example")], Some(StatusCode::FORBIDDEN)),
        (&[(PROTOCOL, OURS), ("origin", "null")], Some(StatusCode::FORBIDDEN)),
    ] {
        assert_eq!(Client::open(address, headers).await.err(), refused, "{headers:?}");
    }
}

async fn what_is_not_of_the_protocol_closes_the_socket(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    let subscribe =
        |payload: Value| json!({ "type": "subscribe", "id": "1", "payload": payload }).to_string();
    for (message, code) in [
        (Message::text("{"), 4400),
        (Message::text(r#"{"type":"start","id":"1"}"#), 4400),
        (Message::binary(vec![1]), 4400),
        (Message::text(subscribe(json!({}))), 4400),
        (Message::text(subscribe(json!({ "query": 1 }))), 4400),
        (Message::text(subscribe(json!({ "query": OWN, "variables": [] }))), 4400),
        (Message::text(format!("{{{}}}", " ".repeat(64 * 1024))), 1009),
    ] {
        let mut client = Client::connect_as(address, None).await;
        client.send(message.clone()).await;
        assert_eq!(client.close_code().await, code, "{message:.100}");
    }
}

async fn a_socket_begins_in_time_and_once(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;

    let mut early = Client::connect(address).await;
    early.ping().await;
    early.subscribe("1", OWN, Value::Null).await;
    assert_eq!(early.close_code().await, 4401);

    let mut twice = Client::connect_as(address, None).await;
    twice.init(None).await;
    assert_eq!(twice.close_code().await, 4429);

    let (mut late, mut begun) =
        (Client::connect(address).await, Client::connect_as(address, None).await);
    late.ping().await;
    service.clock.advance_monotonic(Duration::from_secs(5));
    assert_eq!(late.close_code().await, 4408);
    begun.ping().await;
}

async fn a_token_is_judged_at_the_beginning(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    service.make("ada", Role::User).await;
    let expired = service.login("ada").await;
    service.clock.advance(Duration::from_mins(16));
    let (ended, good) = (service.login("ada").await, service.login("ada").await);
    service.logout(Some(&ended.access), None, "CURRENT").await;

    let authorization = |text: &str| json!({ "authorization": text });
    for (payload, code) in [
        (authorization("Bearer nonsense"), 4403),
        (authorization(&format!("Bearer {}", good.refresh)), 4403),
        (authorization(&format!("Bearer {}", expired.access)), 4403),
        (authorization(&format!("bearer {}", ended.access)), 4401),
        (json!({ "Authorization": 1 }), 4403),
    ] {
        let mut client = Client::connect(address).await;
        client.send_json(&json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(client.close_code().await, code, "{payload}");
    }

    // Programs other than browsers may send the header instead.
    let bearer = format!("Bearer {}", good.access);
    let headers = [(PROTOCOL, OURS), ("authorization", bearer.as_str())];
    let mut client = Client::open(address, &headers).await.unwrap();
    client.init(None).await;
    assert_eq!(client.receive_json().await["type"], "connection_ack");
    client.subscribe("1", OWN, Value::Null).await;
    client.ping().await;
    service.logout(Some(&good.access), None, "CURRENT").await;
    assert_eq!(client.next("1").await["sessionEnded"]["reason"], "LOGOUT");
}

async fn only_subscriptions_run_over_a_socket(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let mut client = Client::connect_as(address, Some(&ada.access)).await;
    for (query, code) in [
        ("{ viewer { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("mutation { logout { endedCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "subscription { ...F } fragment F on Subscription { sessionEnded { reason } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            &format!("subscription {{ sessionEnded {{ {} }} }}", "reason ".repeat(201)),
            "QUERY_TOO_COMPLEX",
        ),
        (
            &format!("subscription {{ sessionEnded(a: {}) {{ reason }} }}", "[".repeat(2000)),
            "QUERY_TOO_COMPLEX",
        ),
    ] {
        client.subscribe("1", query, Value::Null).await;
        assert_eq!(client.error_code("1").await, code, "{query:.100}");
    }
    assert_eq!(service.refusal(&ada.access).await, None);
}

async fn a_refused_subscription_leaves_the_socket_open(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    service.make("ada", Role::User).await;

    let mut nobody = Client::connect_as(address, None).await;
    for query in [OWN, ALL] {
        nobody.subscribe("1", query, Value::Null).await;
        assert_eq!(nobody.error_code("1").await, "UNAUTHENTICATED");
    }

    let ada = service.login("ada").await;
    let mut client = Client::connect_as(address, Some(&ada.access)).await;
    client.subscribe("1", ALL, Value::Null).await;
    assert_eq!(client.error_code("1").await, "FORBIDDEN");
    client.subscribe("1", OWN, Value::Null).await;
    client.ping().await;
    client.subscribe("1", OWN, Value::Null).await;
    assert_eq!(client.close_code().await, 4409);
}

async fn a_socket_has_twenty_operations_at_a_time(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let mut client = Client::connect_as(address, Some(&ada.access)).await;
    for id in 0..20 {
        client.subscribe(&id.to_string(), OWN, Value::Null).await;
    }
    client.subscribe("20", OWN, Value::Null).await;
    assert_eq!(client.error_code("20").await, "SERVICE_UNAVAILABLE");
    client.send_json(&json!({ "type": "complete", "id": "7" })).await;
    client.send_json(&json!({ "type": "complete", "id": "unknown" })).await;
    client.subscribe("20", OWN, Value::Null).await;
    client.ping().await;
}

async fn a_token_that_runs_out_closes_the_socket(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let mut client = Client::subscribed(address, &ada, OWN).await;
    service.clock.advance(Duration::from_mins(16));
    assert_eq!(client.close_code().await, 4403);
}

async fn a_key_that_is_removed_closes_the_sockets_of_its_tokens(database: Database) {
    let one = Service::start(&database, "").await;
    let two = Service::start_at(&database, "", Arc::clone(&one.clock)).await;
    let address = serve(&two).await;
    one.make("ada", Role::User).await;
    let ada = one.login("ada").await;
    let mut client = Client::subscribed(address, &ada, OWN).await;
    let rotation = KeyRotation { algorithm: None, immediately: true };
    let rotated = one.core.auth.keys.rotate(Admin::operator(), rotation, Origin::default());
    rotated.await.unwrap();
    assert_eq!(client.close_code().await, 4403);
    // The client reconnects with a token of the new key.
    let next = tokens(&one.refresh(&ada.refresh, None).await).unwrap();
    let mut client = Client::subscribed(address, &next, OWN).await;
    one.logout(Some(&next.access), None, "CURRENT").await;
    assert_eq!(client.next("1").await["sessionEnded"]["reason"], "LOGOUT");
}

async fn a_client_that_is_silent_is_asked_and_then_dropped(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    let mut client = Client::connect_as(address, None).await;
    client.ping().await;
    assert_eq!(service.core.subscribers.open(), 1);
    service.clock.advance_monotonic(Duration::from_mins(1));
    tokio::time::timeout(Duration::from_secs(20), service.core.subscribers.all_closed())
        .await
        .unwrap();
}

async fn a_service_that_stops_says_so(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    let mut client = Client::connect_as(address, None).await;
    service.core.subscribers.stop();
    assert_eq!(client.close_code().await, 1012);
    drop(client);
    service.core.subscribers.all_closed().await;
    let headers = [(PROTOCOL, OURS)];
    let refused = Client::open(address, &headers).await.err();
    assert_eq!(refused, Some(StatusCode::TOO_MANY_REQUESTS));
}
