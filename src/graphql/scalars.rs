//! Custom scalars.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use serde_json::Map;

use crate::clock::Timestamp;

/// Point in time. The description in the schema is on the implementation below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub Timestamp);

/// Date and time in RFC 3339, e.g. `2026-11-24T08:00:00.000Z`. Responses are in UTC with exactly
/// three decimals of the second; further decimals are cut off. Arguments may have any offset except
/// `-00:00`, and zero to nine decimals of the second.
#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/andimarek/date-time")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        Timestamp::parse(text).map(Self).ok_or_else(|| {
            InputValueError::custom(
                "Expected a date and time in RFC 3339, such as 2026-11-24T08:00:00.000Z.",
            )
        })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<Timestamp> for DateTime {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp)
    }
}

/// JSON object. The description in the schema is on the implementation below.
#[derive(Clone, Debug)]
pub struct JsonObject(pub Map<String, serde_json::Value>);

/// JSON object (RFC 8259) with any members, as a value of the response rather than as text.
#[Scalar(name = "JsonObject")]
impl ScalarType for JsonObject {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value.clone().into_json() {
            Ok(serde_json::Value::Object(members)) => Ok(Self(members)),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::from_json(serde_json::Value::Object(self.0.clone())).unwrap_or_default()
    }
}

/// JSON of WebAuthn. The description in the schema is on the implementation below.
#[derive(Clone, Debug)]
pub struct WebAuthnJson(pub serde_json::Value);

/// JSON object of WebAuthn, as a value rather than as text: options for
/// `PublicKeyCredential.parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON`, and what
/// `PublicKeyCredential.toJSON` returns.
#[Scalar(name = "WebAuthnJson", specified_by_url = "https://www.w3.org/TR/webauthn-3/")]
impl ScalarType for WebAuthnJson {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value.clone().into_json() {
            Ok(json @ serde_json::Value::Object(_)) => Ok(Self(json)),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}
