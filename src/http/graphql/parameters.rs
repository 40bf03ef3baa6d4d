//! Parameters of a GraphQL request, from a query string or a JSON body.
//!
//! `query`, `operationName`, `variables` and `extensions` have the types of the GraphQL over HTTP
//! specification. `documentId`, which some clients call `doc_id` or `id`, may replace `query`. Other
//! members are ignored. A request has one operation; batches are refused.

use axum::extract::{Query, Request};
use axum::http::{Method, Uri};
use serde_json::{Map, Value};

use super::persisted_documents::DocumentKey;
use super::rejection::Rejection;
use crate::http::bounded_body;
use crate::http::media_type::is_json;

/// Names of the parameter with the id of a trusted document.
const DOCUMENT_ID: &str = "documentId";
const DOC_ID: &str = "doc_id";
const ID: &str = "id";

#[derive(Debug, PartialEq)]
pub(super) struct Parameters {
    pub(super) query: Option<String>,
    pub(super) key: Option<DocumentKey>,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Map<String, Value>,
}

impl Parameters {
    /// Reads the parameters of an HTTP request.
    pub(super) async fn read(request: Request) -> Result<Self, Rejection> {
        match *request.method() {
            Method::GET => Self::from_members(members_of_uri(request.uri())?),
            Method::POST => Self::from_members(members_of_body(request).await?),
            _ => Err(Rejection::MethodNotAllowed),
        }
    }

    /// Reads the parameters from a JSON object, such as a WebSocket message has.
    pub(super) fn from_members(mut members: Map<String, Value>) -> Result<Self, Rejection> {
        let variables = object(&mut members, "variables")?;
        let extensions = object(&mut members, "extensions")?;
        let operation_name = string(&mut members, "operationName")?.filter(|name| !name.is_empty());
        let key = key(&mut members, &extensions)?;
        // Beside an id or a hash, some clients send an empty `query`.
        let query = string(&mut members, "query")?.filter(|text| key.is_none() || !text.is_empty());
        Ok(Self { query, key, operation_name, variables })
    }
}

fn members_of_uri(uri: &Uri) -> Result<Map<String, Value>, Rejection> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|error| Rejection::Malformed(format!("The query string is invalid: {error}.")))?;
    let mut members = Map::new();
    for (name, text) in pairs {
        let value = match name.as_str() {
            "variables" | "extensions" if text.is_empty() => Value::Null,
            "variables" | "extensions" => serde_json::from_str(&text).map_err(|error| {
                Rejection::Malformed(format!("`{name}` is not valid JSON: {error}."))
            })?,
            "query" | "operationName" | DOCUMENT_ID | DOC_ID | ID => Value::String(text),
            _ => continue,
        };
        if members.contains_key(&name) {
            return Err(Rejection::Malformed(format!("`{name}` is given more than once.")));
        }
        members.insert(name, value);
    }
    Ok(members)
}

async fn members_of_body(request: Request) -> Result<Map<String, Value>, Rejection> {
    if !is_json(request.headers()) {
        return Err(Rejection::UnsupportedMediaType);
    }
    let body = bounded_body::read(request).await?;
    match serde_json::from_slice(&body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(Value::Array(_)) => Err(Rejection::Malformed(
            "Batches are not supported. Send one operation, as a JSON object.".to_owned(),
        )),
        Ok(_) => Err(Rejection::Malformed("The request body must be a JSON object.".to_owned())),
        Err(error) => {
            Err(Rejection::Malformed(format!("The request body is not valid JSON: {error}.")))
        }
    }
}

/// The id or hash of the document, in place of `query` or beside it.
fn key(
    members: &mut Map<String, Value>,
    extensions: &Map<String, Value>,
) -> Result<Option<DocumentKey>, Rejection> {
    for name in [DOCUMENT_ID, DOC_ID, ID] {
        if let Some(id) = string(members, name)? {
            return Ok(Some(DocumentKey::Id(id)));
        }
    }
    let Some(persisted) = extensions.get("persistedQuery") else { return Ok(None) };
    match (&persisted["version"], &persisted["sha256Hash"]) {
        (Value::Number(version), Value::String(hash)) if version.as_u64() == Some(1) => {
            Ok(Some(DocumentKey::Hash(hash.clone())))
        }
        _ => Err(Rejection::Malformed(
            "`extensions.persistedQuery` must be { version: 1, sha256Hash }.".to_owned(),
        )),
    }
}

fn string(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Rejection> {
    match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Rejection::Malformed(format!("`{name}` must be a string."))),
    }
}

/// Removes an object. A missing member and null are the empty object.
fn object(members: &mut Map<String, Value>, name: &str) -> Result<Map<String, Value>, Rejection> {
    match members.remove(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object),
        Some(_) => Err(Rejection::Malformed(format!("`{name}` must be an object."))),
    }
}
