//! Client of `graphql-transport-ws` whose messages a test controls.

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

/// A test without a message in this time fails instead of hanging.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(20);

pub const OWN: &str = "subscription { sessionEnded { session { id sid } reason endedAt cursor } }";
pub const OWN_AFTER: &str =
    "subscription($after: String) { sessionEnded(after: $after) { session { id } cursor } }";
pub const ALL: &str =
    "subscription($after: String) { sessionEnds(after: $after) { session { id } reason cursor } }";

/// Serves on a local port, with a running feed.
pub async fn serve(service: &Service) -> SocketAddr {
    tokio::spawn(service.core.revocation_sync().run());
    serve_without_feed(service).await
}

/// Serves without a feed: the service does not learn of events of other replicas.
pub async fn serve_without_feed(service: &Service) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = service.router().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

pub struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    /// Opens a WebSocket with these headers; an error is the status of the response.
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

    /// Opens a WebSocket with the subprotocol.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::open(address, &[("sec-websocket-protocol", "graphql-transport-ws")]).await.unwrap()
    }

    /// Connects and initializes with this token.
    pub async fn connect_as(address: SocketAddr, token: Option<&str>) -> Self {
        let mut client = Self::connect(address).await;
        client.init(token).await;
        assert_eq!(client.receive_json().await, json!({ "type": "connection_ack" }));
        client
    }

    /// Connects and starts operation 1, a subscription.
    pub async fn subscribed(address: SocketAddr, tokens: &Tokens, query: &str) -> Self {
        let mut client = Self::connect_as(address, Some(&tokens.access)).await;
        client.subscribe("1", query, Value::Null).await;
        client.ping().await;
        client
    }

    pub async fn init(&mut self, token: Option<&str>) {
        let payload = token.map(|token| json!({ "Authorization": format!("Bearer {token}") }));
        self.send_json(&json!({ "type": "connection_init", "payload": payload })).await;
    }

    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.send_json(&json!({ "type": "subscribe", "id": id, "payload": payload })).await;
    }

    pub async fn send_json(&mut self, message: &Value) {
        self.send(Message::text(message.to_string())).await;
    }

    pub async fn send(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    /// The next text message.
    pub async fn receive_json(&mut self) -> Value {
        match self.receive_message().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// Sends a message; the server may have closed the WebSocket.
    pub async fn try_send(&mut self, message: Message) {
        let _ = self.0.send(message).await;
    }

    /// The next text message, or the close code; `None` where the WebSocket ends without one.
    pub async fn receive_or_close_code(&mut self) -> Result<Value, Option<u16>> {
        loop {
            let message = tokio::time::timeout(RECEIVE_TIMEOUT, self.0.next()).await;
            match message.expect("nothing was heard") {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => return Err(Some(frame.code.into())),
                _ => return Err(None),
            }
        }
    }

    /// The close code, which must come next.
    pub async fn close_code(&mut self) -> u16 {
        match self.receive_message().await {
            Message::Close(Some(frame)) => frame.code.into(),
            other => panic!("{other:?}"),
        }
    }

    /// The `data` of the next event of this operation.
    pub async fn next(&mut self, id: &str) -> Value {
        let message = self.receive_json().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!(id)), "{message}");
        message["payload"]["data"].clone()
    }

    /// The error code of this operation, which must be refused.
    pub async fn error_code(&mut self, id: &str) -> String {
        let message = self.receive_json().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!(id)), "{message}");
        let extensions = &message["payload"][0]["extensions"];
        assert!(extensions["requestId"].is_string(), "{message}");
        extensions["code"].as_str().unwrap().to_owned()
    }

    /// Waits until the service has handled all earlier messages.
    pub async fn ping(&mut self) {
        self.send_json(&json!({ "type": "ping" })).await;
        assert_eq!(self.receive_json().await, json!({ "type": "pong" }));
    }

    async fn receive_message(&mut self) -> Message {
        loop {
            let message = tokio::time::timeout(RECEIVE_TIMEOUT, self.0.next()).await;
            match message.expect("nothing was heard").expect("the socket is cut off").unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }
}
