//! Client addresses, with and without proxies.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, header};
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use crate::api::service::{PASSWORD, Service};
use crate::databases::{Database, on_both};

on_both!(a_session_has_the_clients_address);

/// The address of the session that a login opens from this peer with these headers.
async fn address(service: &Service, peer: &str, headers: &[(&str, &str)]) -> Value {
    const LOGIN: &str =
        "mutation($p: String!) { login(input: { username: \"ann\", password: $p }) {
        session { client { ip } } } }";
    let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = json!({ "query": LOGIN, "variables": { "p": PASSWORD } }).to_string();
    let mut request = request.body(Body::from(body)).unwrap();
    let peer: SocketAddr = peer.parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    let (_, answer) = service.call(request).await;
    answer["data"]["login"]["session"]["client"]["ip"].clone()
}

async fn a_session_has_the_clients_address(database: Database) {
    let flags = "--trusted-proxy 10.0.0.0/8 --trusted-proxy 2001:db8::/32";
    let service = Service::start(&database, flags).await;
    service.make("ann", Role::User).await;
    for (peer, name, line, client) in [
        ("10.0.0.1:4000", "x-forwarded-for", "6.6.6.6, 192.0.2.7", "192.0.2.7"),
        ("10.0.0.1:4000", "forwarded", "for=\"[2001:db9::7]:4711\";proto=https", "2001:db9::7"),
        ("[2001:db8::1]:4000", "x-forwarded-for", "192.0.2.7", "192.0.2.7"),
        ("[::ffff:10.0.0.1]:4000", "x-forwarded-for", "192.0.2.7", "192.0.2.7"),
        ("203.0.113.9:4000", "x-forwarded-for", "192.0.2.7", "203.0.113.9"),
        ("203.0.113.9:4000", "forwarded", "for=192.0.2.7", "203.0.113.9"),
        ("10.0.0.1:4000", "x-forwarded-for", "nonsense", "10.0.0.1"),
        ("10.0.0.1:4000", "x-real-ip", "192.0.2.7", "10.0.0.1"),
    ] {
        assert_eq!(address(&service, peer, &[(name, line)]).await, client, "{peer} {line}");
    }
    assert_eq!(address(&service, "[::ffff:192.0.2.9]:1", &[]).await, "192.0.2.9");
}

#[tokio::test]
async fn a_client_hides_behind_no_header_of_its_own() {
    let database = Database::sqlite();
    let told = ("x-forwarded-for", "192.0.2.7");
    let service = Service::start(&database, "--trusted-proxy 10.0.0.0/8").await;
    service.make("ann", Role::User).await;
    for own in ["for=x", "for=192.0.2.1", "proto=https", "\""] {
        let headers = [("forwarded", own), told];
        assert_eq!(address(&service, "10.0.0.1:4000", &headers).await, "192.0.2.7", "{own}");
    }
}

#[tokio::test]
async fn the_header_that_the_proxy_writes_is_the_one_that_counts() {
    let database = Database::sqlite();
    let flags = "--trusted-proxy 10.0.0.0/8 --trusted-proxy-header forwarded";
    let service = Service::start(&database, flags).await;
    service.make("ann", Role::User).await;
    let own = ("x-forwarded-for", "6.6.6.6");
    let headers = [own, ("forwarded", "for=6.6.6.6;x=\", for=192.0.2.7")];
    assert_eq!(address(&service, "10.0.0.1:4000", &headers).await, "192.0.2.7");
    assert_eq!(address(&service, "10.0.0.1:4000", &[own]).await, "10.0.0.1");
}

#[tokio::test]
async fn without_a_trusted_proxy_nobody_is_believed() {
    let database = Database::sqlite();
    let service = Service::start(&database, "").await;
    service.make("ann", Role::User).await;
    for name in ["x-forwarded-for", "forwarded"] {
        let line = [(name, "for=192.0.2.7")];
        assert_eq!(address(&service, "127.0.0.1:4000", &line).await, "127.0.0.1");
    }
}
