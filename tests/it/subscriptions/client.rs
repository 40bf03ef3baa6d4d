//! A client of `graphql-transport-ws` that says exactly what a test wants said.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::StatusCode;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::api::service::{Service, Tokens};

/// Longer than anything here takes, so that a test fails and does not hang.
const PATIENCE: Duration = Duration::from_secs(20);

pub const OWN: &str = "subscription { sessionEnded { session { id sid } reason endedAt cursor } }";
pub const OWN_AFTER: &str =
    "subscription($after: String) { sessionEnded(after: $after) { session { id } cursor } }";
pub const ALL: &str =
    "subscription($after: String) { sessionEnds(after: $after) { session { id } reason cursor } }";

/// Serves on a port of its own, with a feed that runs.
pub async fn serve(service: &Service) -> SocketAddr {
    tokio::spawn(service.core.feed().run());
    serve_without_feed(service).await
}

/// The same, without: it learns nothing of other replicas.
pub async fn serve_without_feed(service: &Service) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = service.router().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

pub struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    /// Opens a socket with these headers; or the status that was answered instead.
    pub async fn open(
        address: SocketAddr,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, StatusCode> {
        let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(answer)) => Err(answer.status()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens a socket that speaks the protocol.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::open(address, &[("sec-websocket-protocol", "graphql-transport-ws")]).await.unwrap()
    }

    /// The same, with this token, up to the acknowledgement.
    pub async fn begin(address: SocketAddr, token: Option<&str>) -> Self {
        let mut client = Self::connect(address).await;
        client.init(token).await;
        assert_eq!(client.hear().await, json!({ "type": "connection_ack" }));
        client
    }

    /// The same, with operation 1 under way, which subscribes.
    pub async fn subscribed(address: SocketAddr, tokens: &Tokens, query: &str) -> Self {
        let mut client = Self::begin(address, Some(&tokens.access)).await;
        client.subscribe("1", query, Value::Null).await;
        client.settle().await;
        client
    }

    pub async fn init(&mut self, token: Option<&str>) {
        let payload = token.map(|token| json!({ "Authorization": format!("Bearer {token}") }));
        self.say(&json!({ "type": "connection_init", "payload": payload })).await;
    }

    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.say(&json!({ "type": "subscribe", "id": id, "payload": payload })).await;
    }

    pub async fn say(&mut self, message: &Value) {
        self.send(Message::text(message.to_string())).await;
    }

    pub async fn send(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    /// The next message.
    pub async fn hear(&mut self) -> Value {
        match self.receive().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// Says something that may be cut off.
    pub async fn try_send(&mut self, message: Message) {
        let _ = self.0.send(message).await;
    }

    /// The next text, or else the code with which the socket is closed; `None` where it is cut off.
    pub async fn hear_or_end(&mut self) -> Result<Value, Option<u16>> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await;
            match message.expect("nothing was heard") {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => return Err(Some(frame.code.into())),
                _ => return Err(None),
            }
        }
    }

    /// The code with which the socket is closed next.
    pub async fn closed(&mut self) -> u16 {
        match self.receive().await {
            Message::Close(Some(frame)) => frame.code.into(),
            other => panic!("{other:?}"),
        }
    }

    /// What the next answer of this operation says under `data`.
    pub async fn next(&mut self, id: &str) -> Value {
        let message = self.hear().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!(id)), "{message}");
        message["payload"]["data"].clone()
    }

    /// The code of the error that this operation is answered with.
    pub async fn refused(&mut self, id: &str) -> String {
        let message = self.hear().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!(id)), "{message}");
        let extensions = &message["payload"][0]["extensions"];
        assert!(extensions["requestId"].is_string(), "{message}");
        extensions["code"].as_str().unwrap().to_owned()
    }

    /// Waits until the service has done all it was asked before.
    pub async fn settle(&mut self) {
        self.say(&json!({ "type": "ping" })).await;
        assert_eq!(self.hear().await, json!({ "type": "pong" }));
    }

    async fn receive(&mut self) -> Message {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await;
            match message.expect("nothing was heard").expect("the socket is cut off").unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }
}
