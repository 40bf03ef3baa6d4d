//! Fields of a request, read and checked as Django REST framework does: from JSON or from a form, without the
//! white space around them.

use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};

use super::answer::Answer;
use super::json_error::describe;
use crate::http::bounded_body::{self, BodyError};
use crate::http::media_type::{is_form, is_json};

const REQUIRED: &str = "This field is required.";
const NULL: &str = "This field may not be null.";
const BLANK: &str = "This field may not be blank.";
const NO_TEXT: &str = "Not a valid string.";
const NUL_CHARACTER: &str = "Null characters are not allowed.";

/// Seconds after which to try again where there is no memory for a body.
const MEMORY_WAIT: u64 = 1;

/// The fields of a request. Without `Debug`, since they are passwords and tokens.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) async fn read(request: Request) -> Result<Self, Answer> {
        if request.body().is_end_stream() {
            return Ok(Self(Map::new()));
        }
        let (is_json, is_form) = (is_json(request.headers()), is_form(request.headers()));
        if !is_json && !is_form {
            return Err(unsupported(&request));
        }
        let body = bounded_body::read(request).await.map_err(unread)?;
        if is_form { Ok(Self(form(&body))) } else { json(&body).map(Self) }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The text of a field, or what is wrong with it.
    pub(super) fn text(&self, name: &str) -> Result<String, &'static str> {
        let text = match self.0.get(name) {
            None => return Err(REQUIRED),
            Some(Value::Null) => return Err(NULL),
            Some(Value::String(text)) => text.trim_matches(is_space).to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => return Err(NO_TEXT),
        };
        match text {
            text if text.is_empty() => Err(BLANK),
            text if text.contains('\0') => Err(NUL_CHARACTER),
            text => Ok(text),
        }
    }

    /// The text of the only field of a view.
    pub(super) fn only(&self, name: &str) -> Result<String, Answer> {
        self.text(name).map_err(|error| Answer::field_errors(&[(name, error)]))
    }
}

/// White space that Python strips.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

fn json(body: &[u8]) -> Result<Map<String, Value>, Answer> {
    let kind = match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => return Ok(members),
        Ok(Value::Null) => {
            return Err(Answer::field_errors(&[("non_field_errors", "No data provided")]));
        }
        Ok(Value::Array(_)) => "list",
        Ok(Value::String(_)) => "str",
        Ok(Value::Bool(_)) => "bool",
        Ok(Value::Number(number)) if number.is_f64() => "float",
        Ok(Value::Number(_)) => "int",
        Err(error) => {
            let detail = format!("JSON parse error - {}", describe(&error, body));
            return Err(Answer::detail(StatusCode::BAD_REQUEST, &detail));
        }
    };
    let message = format!("Invalid data. Expected a dictionary, but got {kind}.");
    Err(Answer::field_errors(&[("non_field_errors", &message)]))
}

/// The fields of a form. Of several fields with one name the last one counts.
fn form(body: &[u8]) -> Map<String, Value> {
    let pairs = form_urlencoded::parse(body).into_owned();
    pairs.map(|(name, text)| (name, Value::String(text))).collect()
}

fn unsupported(request: &Request) -> Answer {
    let sent = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let sent = String::from_utf8_lossy(sent.unwrap_or_default());
    let detail = format!("Unsupported media type \"{sent}\" in request.");
    Answer::detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, &detail)
}

fn unread(error: BodyError) -> Answer {
    let status = match error {
        BodyError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::Timeout => StatusCode::REQUEST_TIMEOUT,
        BodyError::NoMemory => StatusCode::SERVICE_UNAVAILABLE,
        BodyError::Compressed => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        BodyError::Incomplete => StatusCode::BAD_REQUEST,
    };
    let answer = Answer::detail(status, &error.to_string());
    if error == BodyError::NoMemory { answer.after(MEMORY_WAIT) } else { answer }
}
