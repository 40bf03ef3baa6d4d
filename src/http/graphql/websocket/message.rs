//! The messages of `graphql-transport-ws`, read and written.

use async_graphql::ServerError;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::http::graphql::response::Answer;

/// The longest id of an operation.
const MAX_ID: usize = 128;

/// What a client says.
#[derive(Debug, PartialEq)]
pub(super) enum ClientMessage {
    /// It wants to begin.
    Init(Map<String, Value>),
    /// It asks whether anybody is there.
    Ping,
    /// It is there.
    Pong,
    /// It wants this operation, and calls it so.
    Subscribe(String, Map<String, Value>),
    /// It has heard enough of this one.
    Complete(String),
}

impl ClientMessage {
    /// Reads a message.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Ok(Value::Object(mut message)) = serde_json::from_str(text) else {
            return Err("A message is a JSON object".to_owned());
        };
        let Some(Value::String(kind)) = message.remove("type") else {
            return Err("A message has a type".to_owned());
        };
        match kind.as_str() {
            "connection_init" => optional_payload(&mut message).map(Self::Init),
            "ping" => optional_payload(&mut message).map(|_| Self::Ping),
            "pong" => optional_payload(&mut message).map(|_| Self::Pong),
            "subscribe" => {
                let Some(Value::Object(payload)) = message.remove("payload") else {
                    return Err("The payload of subscribe is an object".to_owned());
                };
                Ok(Self::Subscribe(id(&mut message)?, payload))
            }
            "complete" => id(&mut message).map(Self::Complete),
            _ => Err("There is no such type of message".to_owned()),
        }
    }
}

fn optional_payload(message: &mut Map<String, Value>) -> Result<Map<String, Value>, String> {
    match message.remove("payload") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(payload)) => Ok(payload),
        Some(_) => Err("A payload is an object".to_owned()),
    }
}

fn id(message: &mut Map<String, Value>) -> Result<String, String> {
    match message.remove("id") {
        Some(Value::String(id)) if !id.is_empty() && id.len() <= MAX_ID => Ok(id),
        _ => Err(format!("An id is a text of 1 to {MAX_ID} bytes")),
    }
}

/// What the service says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerMessage<'a> {
    /// The client may begin.
    ConnectionAck,
    /// Somebody is there.
    Pong,
    /// An answer of this operation.
    Next { id: &'a str, payload: Answer<'a> },
    /// This operation is not executed.
    Error { id: &'a str, payload: &'a [ServerError] },
    /// Nothing more of this operation follows.
    Complete { id: &'a str },
}

impl ServerMessage<'_> {
    /// The message as text; `None` where it cannot be written.
    pub(super) fn text(&self) -> Option<String> {
        let written = serde_json::to_string(self);
        written.inspect_err(|error| tracing::error!(%error, "a message could not be written")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_protocol_are_read() {
        for (text, message) in [
            (r#"{"type":"connection_init"}"#, ClientMessage::Init(Map::new())),
            (r#"{"type":"connection_init","payload":null}"#, ClientMessage::Init(Map::new())),
            (r#"{"type":"ping","payload":{"a":1}}"#, ClientMessage::Ping),
            (r#"{"type":"pong"}"#, ClientMessage::Pong),
            (r#"{"type":"complete","id":"1"}"#, ClientMessage::Complete("1".to_owned())),
            (
                r#"{"type":"subscribe","id":"1","payload":{}}"#,
                ClientMessage::Subscribe("1".to_owned(), Map::new()),
            ),
        ] {
            assert_eq!(ClientMessage::parse(text), Ok(message), "{text}");
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let long = format!(r#"{{"type":"complete","id":"{}"}}"#, "1".repeat(129));
        for text in [
            "",
            "[]",
            "{}",
            r#"{"type":1}"#,
            r#"{"type":"start","id":"1","payload":{}}"#,
            r#"{"type":"connection_ack"}"#,
            r#"{"type":"connection_init","payload":[]}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","payload":{}}"#,
            r#"{"type":"subscribe","id":"","payload":{}}"#,
            r#"{"type":"complete","id":1}"#,
            &long,
        ] {
            assert!(ClientMessage::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn messages_are_written_as_the_protocol_has_them() {
        let text = |message: ServerMessage<'_>| message.text().unwrap();
        assert_eq!(text(ServerMessage::ConnectionAck), r#"{"type":"connection_ack"}"#);
        let errors = [ServerError::new("no", None)];
        let error = ServerMessage::Error { id: "1", payload: &errors };
        assert_eq!(text(error), r#"{"type":"error","id":"1","payload":[{"message":"no"}]}"#);
        assert_eq!(text(ServerMessage::Complete { id: "1" }), r#"{"type":"complete","id":"1"}"#);
    }
}
