//! Messages of the protocol `graphql-transport-ws`.

use async_graphql::ServerError;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::http::graphql::response::ResponseMap;

/// Bytes of the id of an operation.
const MAX_ID_BYTES: usize = 128;

#[derive(Debug, PartialEq)]
pub(super) enum ClientMessage {
    /// `connection_init` with its payload.
    Init(Map<String, Value>),
    Ping,
    Pong,
    /// Id and payload of an operation.
    Subscribe(String, Map<String, Value>),
    /// The client ends the operation with this id.
    Complete(String),
}

impl ClientMessage {
    /// # Errors
    /// The reason for which the message is invalid.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Ok(Value::Object(mut message)) = serde_json::from_str(text) else {
            return Err("The message must be a JSON object.".to_owned());
        };
        let Some(Value::String(kind)) = message.remove("type") else {
            return Err("The message must have a string `type`.".to_owned());
        };
        match kind.as_str() {
            "connection_init" => optional_payload(&mut message).map(Self::Init),
            "ping" => optional_payload(&mut message).map(|_| Self::Ping),
            "pong" => optional_payload(&mut message).map(|_| Self::Pong),
            "subscribe" => {
                let Some(Value::Object(payload)) = message.remove("payload") else {
                    return Err("The `payload` of subscribe must be an object.".to_owned());
                };
                Ok(Self::Subscribe(id(&mut message)?, payload))
            }
            "complete" => id(&mut message).map(Self::Complete),
            _ => Err("The message has an unknown `type`.".to_owned()),
        }
    }
}

fn optional_payload(message: &mut Map<String, Value>) -> Result<Map<String, Value>, String> {
    match message.remove("payload") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(payload)) => Ok(payload),
        Some(_) => Err("`payload` must be an object.".to_owned()),
    }
}

fn id(message: &mut Map<String, Value>) -> Result<String, String> {
    match message.remove("id") {
        Some(Value::String(id)) if !id.is_empty() && id.len() <= MAX_ID_BYTES => Ok(id),
        _ => Err(format!("`id` must be a string of 1 to {MAX_ID_BYTES} bytes.")),
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerMessage<'a> {
    ConnectionAck,
    Pong,
    Next {
        id: &'a str,
        payload: ResponseMap<'a>,
    },
    /// The operation was refused.
    Error {
        id: &'a str,
        payload: &'a [ServerError],
    },
    /// No event of the operation follows.
    Complete {
        id: &'a str,
    },
}

impl ServerMessage<'_> {
    /// `None` where the message cannot be serialized.
    pub(super) fn to_json(&self) -> Option<String> {
        let json = serde_json::to_string(self);
        json.inspect_err(|error| tracing::error!(%error, "serialization of a message failed")).ok()
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
        let text = |message: ServerMessage<'_>| message.to_json().unwrap();
        assert_eq!(text(ServerMessage::ConnectionAck), r#"{"type":"connection_ack"}"#);
        let errors = [ServerError::new("no", None)];
        let error = ServerMessage::Error { id: "1", payload: &errors };
        assert_eq!(text(error), r#"{"type":"error","id":"1","payload":[{"message":"no"}]}"#);
        assert_eq!(text(ServerMessage::Complete { id: "1" }), r#"{"type":"complete","id":"1"}"#);
    }
}
