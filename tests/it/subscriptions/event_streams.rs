//! Subscriptions as server-sent events, by the graphql-sse protocol.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode, header};
use futures_util::StreamExt;
use sallyport::auth::{Admin, KeyRotation};
use sallyport::domain::origin::Origin;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::client::{ALL, OWN};
use crate::api::service::Service;
use crate::databases::{Database, on_both};

on_both!(
    a_stream_ends_with_its_session,
    a_stream_breaks_off_when_its_token_runs_out,
    a_stream_breaks_off_when_the_key_of_its_token_is_removed,
    a_stream_breaks_off_when_the_service_stops,
    single_answers_are_streamed_where_nothing_else_is_accepted,
    a_client_of_both_gets_single_answers_as_json,
    what_is_refused_is_told_in_the_stream,
);

/// An open stream.
pub struct Events(BodyDataStream, String);

impl Events {
    pub async fn open(service: &Service, token: Option<&str>, query: &str) -> Self {
        let request = post("text/event-stream", token, query);
        let answer = service.answer(request).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream; charset=utf-8");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        Self(answer.into_body().into_data_stream(), String::new())
    }

    /// The next event with its data, without comments. `None` at the end.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((event, rest)) = self.1.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.1 = rest;
                if event != ":" {
                    let (name, data) = event.split_once('\n').unwrap();
                    let data = data.strip_prefix("data:").unwrap().trim();
                    let data = serde_json::from_str(data).unwrap_or(Value::Null);
                    return Some((name.strip_prefix("event: ").unwrap().to_owned(), data));
                }
            }
            let bytes = tokio::time::timeout(Duration::from_secs(20), self.0.next()).await;
            let bytes = bytes.expect("nothing was heard")?.unwrap();
            self.1.push_str(str::from_utf8(&bytes).unwrap());
        }
    }

    async fn assert_complete(&mut self) {
        assert_eq!(self.next().await, Some(("complete".to_owned(), Value::Null)));
        assert_eq!(self.next().await, None);
    }
}

fn post(accept: &str, token: Option<&str>, query: &str) -> Request<Body> {
    let mut request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .header(header::ACCEPT, accept);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(Body::from(json!({ "query": query }).to_string())).unwrap()
}

async fn a_stream_ends_with_its_session(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let mut events = Events::open(&service, Some(&ada.access), OWN).await;
    assert_eq!(service.core.subscribers.open(), 1);
    service.logout(Some(&ada.access), None, "CURRENT").await;
    let (name, data) = events.next().await.unwrap();
    assert_eq!(name, "next");
    assert_eq!(data["data"]["sessionEnded"]["reason"], "LOGOUT");
    events.assert_complete().await;
    drop(events);
    assert_eq!(service.core.subscribers.open(), 0);
}

async fn a_stream_breaks_off_when_its_token_runs_out(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let mut events = Events::open(&service, Some(&ada.access), OWN).await;
    service.clock.advance(Duration::from_mins(16));
    assert_eq!(events.next().await, None);
}

async fn a_stream_breaks_off_when_the_key_of_its_token_is_removed(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let mut events = Events::open(&service, Some(&ada.access), OWN).await;
    let rotation = KeyRotation { algorithm: None, immediately: true };
    let rotated = service.core.auth.keys.rotate(Admin::operator(), rotation, Origin::default());
    rotated.await.unwrap();
    assert_eq!(events.next().await, None);
}

async fn a_stream_breaks_off_when_the_service_stops(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    let mut events = Events::open(&service, Some(&ada.access), OWN).await;
    service.core.subscribers.stop();
    assert_eq!(events.next().await, None);
    drop(events);
    service.core.subscribers.all_closed().await;
}

async fn single_answers_are_streamed_where_nothing_else_is_accepted(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    for (query, field) in
        [("{ viewer { username } }", "viewer"), ("mutation { logout { endedCount } }", "logout")]
    {
        let mut events = Events::open(&service, Some(&ada.access), query).await;
        let (name, data) = events.next().await.unwrap();
        assert_eq!(name, "next");
        assert!(data["data"][field].is_object(), "{data}");
        events.assert_complete().await;
    }
}

async fn a_client_of_both_gets_single_answers_as_json(database: Database) {
    let service = Service::start(&database, "").await;
    let accept = "application/graphql-response+json, application/json, text/event-stream";
    let answer = service.answer(post(accept, None, "{ __typename }")).await;
    let content_type = &answer.headers()["content-type"];
    assert_eq!(content_type, "application/graphql-response+json; charset=utf-8");
    let answer = service.answer(post(accept, None, OWN)).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream; charset=utf-8");
}

async fn what_is_refused_is_told_in_the_stream(database: Database) {
    let service = Service::start(&database, "").await;
    service.make("ada", Role::User).await;
    let ada = service.login("ada").await;
    for (token, query, code) in [
        (None, OWN, "UNAUTHENTICATED"),
        (Some(&*ada.access), ALL, "FORBIDDEN"),
        (Some(&*ada.access), "subscription {", "GRAPHQL_PARSE_FAILED"),
        (Some(&*ada.access), "subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        let mut events = Events::open(&service, token, query).await;
        let (name, data) = events.next().await.unwrap();
        assert_eq!(name, "next");
        assert_eq!(data["errors"][0]["extensions"]["code"], code, "{query}");
        events.assert_complete().await;
    }
    // A malformed request keeps its status.
    let request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "text/plain")
        .header(header::ACCEPT, "text/event-stream")
        .body(Body::from("{}"));
    let (status, _) = service.call(request.unwrap()).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}
