//! Quotas of subscribers, and subscribers that do not read.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::client::{Client, OWN, serve};
use crate::api::service::{Service, tokens};
use crate::databases::{Database, on_both};
use crate::program::Process;

on_both!(a_user_has_fifty_permits);

async fn a_user_has_fifty_permits(database: Database) {
    let service = Service::start(&database, "").await;
    let address = serve(&service).await;
    service.make("ada", Role::User).await;
    service.make("bob", Role::User).await;
    let (ada, bob) = (service.login("ada").await, service.login("bob").await);
    let mut open = Vec::new();
    for _ in 0..49 {
        open.push(Client::connect_as(address, Some(&ada.access)).await);
    }
    // An event stream counts, too.
    let stream = stream(&service, 1, Some(&ada.access)).await;
    assert_eq!(stream.status(), StatusCode::OK);
    let mut one_more = Client::connect(address).await;
    one_more.init(Some(&ada.access)).await;
    assert_eq!(one_more.close_code().await, 1013);
    assert_eq!(refusal(self::stream(&service, 1, Some(&ada.access)).await).await, 429);
    // Other users have their own quota, and a closed subscription frees a permit.
    Client::connect_as(address, Some(&bob.access)).await.ping().await;
    drop(stream);
    Client::connect_as(address, Some(&ada.access)).await.ping().await;
}

/// The quotas of addresses are acquired before authentication, so no caller needs a token here.
#[tokio::test]
async fn an_address_has_a_thousand_permits_and_there_are_ten_thousand() {
    let service = Service::start(&Database::sqlite(), "").await;
    let mut open = Vec::new();
    for host in 0..10 {
        for _ in 0..1000 {
            let stream = stream(&service, host, None).await;
            assert_eq!(stream.status(), StatusCode::OK);
            open.push(stream);
        }
        if host == 0 {
            assert_eq!(refusal(stream(&service, host, None).await).await, 429);
        }
    }
    assert_eq!(refusal(stream(&service, 10, None).await).await, 429);
    open.truncate(9_999);
    assert_eq!(stream(&service, 10, None).await.status(), StatusCode::OK);
}

/// An event stream to a client with its own address. The response holds the permit.
async fn stream(service: &Service, host: u8, token: Option<&str>) -> Response {
    let mut request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "text/event-stream");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, host, 2)), 1);
    let body = Body::from(json!({ "query": OWN }).to_string());
    service.answer(request.extension(ConnectInfo(peer)).body(body).unwrap()).await
}

/// The status of a response with the error that a quota is used up.
async fn refusal(response: Response) -> u16 {
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "SERVICE_UNAVAILABLE", "{body}");
    status
}

/// Every event is sent twenty times and has kilobytes, more than the buffers of the system hold.
#[tokio::test]
async fn a_client_that_reads_nothing_is_dropped_and_nothing_is_kept_for_it() {
    const SESSIONS: usize = 300;
    const PASSWORD: &str = "tangerine-orbit-quartz-41";
    let database = Database::sqlite();
    let flags = "--metrics-listen 127.0.0.1:0 --throttle false";
    let process = Process::start(&database, flags, &[("SALLYPORT_ADMIN_PASSWORD", PASSWORD)]);
    let login = "mutation($p: String!) { login(input: { username: \"admin\", password: $p }) \
                 { tokens { accessToken refreshToken } errors { code } } }";
    let body = json!({ "query": login, "variables": { "p": PASSWORD } }).to_string();
    let answer: Value = serde_json::from_str(&process.post("", &body).body).unwrap();
    let admin = tokens(&answer["data"]["login"]).unwrap();
    let mut raw = database.raw().await;
    let user = raw.texts("SELECT hex(id) FROM users").await[0].parse().unwrap();
    database.add_sessions(user, SESSIONS, i64::MAX / 2).await;
    let browser = "browser ".repeat(64);
    let named = format!("UPDATE sessions SET user_agent = '{browser}' WHERE created_at = 0");
    raw.execute(named).await;
    let mut client = Client::connect_as(process.address, Some(&admin.access)).await;
    let mut document = "subscription { sessionEnds { session { ".to_owned();
    for alias in 0..10 {
        write!(document, "a{alias}: client {{ userAgent }} ").unwrap();
    }
    document.push_str("} } }");
    for id in 0..20 {
        client.subscribe(&id.to_string(), &document, Value::Null).await;
    }
    client.ping().await;
    assert_eq!(open_sockets(&process), 1);
    let before = process.resident();

    let end = json!({ "query": "mutation { logout(input: { scope: OTHERS }) { endedCount } }" });
    let headers = format!("authorization: Bearer {}\r\n", admin.access);
    let answer = process.post(&headers, &end.to_string()).body;
    assert!(answer.contains(&format!("\"endedCount\":{SESSIONS}")), "{answer}");
    let began = Instant::now();
    while open_sockets(&process) == 1 {
        assert!(began.elapsed() < Duration::from_mins(1), "it is still connected");
        tokio::task::yield_now().await;
    }
    let after = process.resident();
    assert!(after < before + 12 * 1024, "{before} KiB before, {after} KiB after");
    // The client did not get all events; the rest comes from the buffers of the system.
    let mut told = 0;
    while client.receive_or_close_code().await.is_ok() {
        told += 1;
    }
    assert!(told > 0 && told < 20 * SESSIONS, "{told}");
}

fn open_sockets(process: &Process) -> usize {
    let page = process.metrics_page();
    let line = page.lines().find_map(|line| line.strip_prefix("sallyport_open_sockets "));
    line.unwrap_or_else(|| panic!("{page}")).parse().unwrap()
}
