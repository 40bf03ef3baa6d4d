//! Every hostile value in every argument of every field of the schema: a result or an error with a
//! code, never an internal error.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use futures_util::StreamExt;
use sallyport::domain::user::Role;
use serde_json::{Map, Value, json};

use super::values::values;
use crate::api::service::Service;
use crate::databases::{Database, on_both};

on_both!(no_value_in_any_argument_is_a_fault_of_ours);

/// Internal words that no response may contain.
const INTERNAL: [&str; 8] = [
    "INTERNAL_SERVER_ERROR",
    "sqlx",
    "panicked",
    "src/",
    "SELECT ",
    "constraint",
    "sqlite",
    "postgres",
];

async fn no_value_in_any_argument_is_a_fault_of_ours(database: Database) {
    let service = Service::start(&database, "--registration open").await;
    service.make("admin", Role::Admin).await;
    let victim = service.make("victim", Role::User).await;
    let session = service.try_login("victim", crate::api::service::PASSWORD).await;
    let session = session["session"]["id"].as_str().unwrap().to_owned();
    let schema = Schema::read(&service, [victim, session]).await;
    let mut places = 0;
    let mut caller = service.login("admin").await.access;
    for field in schema.fields_with_arguments() {
        for place in schema.places(&field) {
            places += 1;
            for (name, value) in values() {
                let body = field.request(&place, &value);
                let mut answer = field.send(&service, &caller, &body).await;
                if answer.1.contains("\"UNAUTHENTICATED\"") {
                    // Some of these requests end the session of the caller, as intended.
                    caller = service.login("admin").await.access;
                    answer = field.send(&service, &caller, &body).await;
                }
                assert_sound(&answer, &format!("{} at {place:?}: {name}", field.document));
            }
        }
    }
    assert!(places > 70, "only {places} places for a value were found");
}

#[track_caller]
fn assert_sound((status, text): &(u16, String), what: &str) {
    let [is_small, is_4xx] = [text.len() < 100_000, (400..500).contains(status)];
    assert!(is_small && (*status == 200 || is_4xx), "{what}: {status} {text:.500}");
    for word in INTERNAL {
        assert!(!text.contains(word), "{what}: {word} in {text:.500}");
    }
    let answer: Value =
        serde_json::from_str(text).unwrap_or_else(|_| panic!("{what}: {text:.500}"));
    let errors = answer["errors"].as_array();
    assert!(*status == 200 || errors.is_some(), "{what}: {text:.500}");
    for error in errors.into_iter().flatten() {
        assert!(error["extensions"]["code"].is_string(), "{what}: {text:.500}");
    }
}

fn request(accept: &str, bearer: &str, body: &str) -> Request<Body> {
    let request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, accept)
        .header(header::AUTHORIZATION, format!("Bearer {bearer}"));
    request.body(Body::from(body.to_owned())).unwrap()
}

/// Subscribes and returns the first event or error. If the subscription is not refused, a session is
/// ended to cause an event.
async fn subscribe(service: &Service, bearer: &str, body: &str) -> (u16, String) {
    let answer = service.answer(request("text/event-stream", bearer, body)).await;
    let status = answer.status().as_u16();
    let is_stream = answer.headers()[header::CONTENT_TYPE].as_bytes().starts_with(b"text/event");
    let mut body = answer.into_body().into_data_stream();
    if is_stream {
        let tokens = service.login("admin").await;
        service.logout(Some(&tokens.access), None, "CURRENT").await;
    }
    let mut said = String::new();
    loop {
        let event = said.split_once("data: ").and_then(|(_, rest)| rest.split_once('\n'));
        if let Some((data, _)) = event {
            return (status, data.to_owned());
        }
        let bytes = tokio::time::timeout(Duration::from_mins(1), body.next()).await;
        match bytes.expect("an answer") {
            Some(bytes) => said.push_str(str::from_utf8(&bytes.unwrap()).unwrap()),
            None => return (status, said),
        }
    }
}

/// A field with arguments, in a document that selects it.
struct Field {
    operation: String,
    document: String,
    arguments: Vec<Argument>,
    variables: Map<String, Value>,
}

/// An argument, passed as a variable of the same name.
struct Argument {
    name: String,
    of: Value,
}

/// Position of a value: the argument, then members of input objects.
type FeedCursor = Vec<String>;

impl Field {
    async fn send(&self, service: &Service, bearer: &str, body: &str) -> (u16, String) {
        if self.operation == "subscription" {
            return subscribe(service, bearer, body).await;
        }
        let (status, answer) = service.call(request("application/json", bearer, body)).await;
        (status.as_u16(), answer.to_string())
    }

    /// The request with one value replaced by this JSON text.
    fn request(&self, place: &FeedCursor, value: &str) -> String {
        let mut variables = Value::Object(self.variables.clone());
        let mut spot = &mut variables;
        for member in place {
            spot = &mut spot[member];
        }
        *spot = json!("HOSTILE");
        json!({ "query": self.document, "variables": variables })
            .to_string()
            .replace("\"HOSTILE\"", value)
    }
}

/// The schema by introspection.
struct Schema {
    types: Map<String, Value>,
    /// Existing ids: of a user and of a session.
    ids: [String; 2],
}

impl Schema {
    async fn read(service: &Service, ids: [String; 2]) -> Self {
        const QUERY: &str = "{ __schema { types { name kind enumValues { name }
            inputFields { name type { ...T } }
            fields { name type { ...T } args { name type { ...T } } } } } }
            fragment T on __Type { name kind ofType { name kind ofType { name kind ofType { name kind } } } }";
        let answer = service.send(None, QUERY, json!({})).await;
        let types = answer["data"]["__schema"]["types"].as_array().unwrap();
        let named = types.iter().map(|of| (of["name"].as_str().unwrap().to_owned(), of.clone()));
        Self { types: named.collect(), ids }
    }

    /// Every field with arguments, on the shortest path.
    fn fields_with_arguments(&self) -> Vec<Field> {
        let mut found = Vec::new();
        let roots = ["Query", "Mutation", "Subscription"];
        let mut seen = roots.map(str::to_owned).to_vec();
        let root = |name: &str| (name.to_owned(), name.to_lowercase(), Vec::new());
        let mut queue: Vec<(String, String, Vec<String>)> = roots.map(root).to_vec();
        while !queue.is_empty() {
            let (of, operation, path) = queue.remove(0);
            for field in self.types[&of]["fields"].as_array().unwrap() {
                let name = field["name"].as_str().unwrap().to_owned();
                let arguments = arguments(field);
                let needs = arguments.iter().any(|one| one.of["kind"] == "NON_NULL");
                if !arguments.is_empty() {
                    found.push(self.field(&operation, &path, &name, arguments, &field["type"]));
                }
                let leads_to = named(&field["type"]).to_owned();
                let has_fields = self.types[&leads_to]["kind"] == "OBJECT";
                if has_fields && !needs && operation == "query" && !seen.contains(&leads_to) {
                    seen.push(leads_to.clone());
                    queue.push((leads_to, operation.clone(), [path.clone(), vec![name]].concat()));
                }
            }
        }
        found
    }

    fn field(
        &self,
        operation: &str,
        path: &[String],
        name: &str,
        arguments: Vec<Argument>,
        of: &Value,
    ) -> Field {
        let list = |pair: &dyn Fn(&Argument) -> String| {
            arguments.iter().map(pair).collect::<Vec<_>>().join(", ")
        };
        let declared = list(&|one| format!("${}: {}", one.name, written(&one.of)));
        let given = list(&|one| format!("{0}: ${0}", one.name));
        let is_leaf = ["SCALAR", "ENUM"].contains(&self.types[named(of)]["kind"].as_str().unwrap());
        let inner = if is_leaf { "" } else { "{ __typename }" };
        let before: String = path.iter().map(|name| format!("{name} {{ ")).collect();
        let document = format!(
            "{operation}({declared}) {{ {before}{name}({given}) {inner} {}}}",
            "}".repeat(path.len())
        );
        // Optional arguments are omitted, except the one under test.
        let needed = arguments.iter().filter(|one| one.of["kind"] == "NON_NULL");
        let variables = needed.map(|one| (one.name.clone(), self.value(&one.name, &one.of)));
        let variables = variables.collect();
        Field { operation: operation.to_owned(), document, arguments, variables }
    }

    /// Every position of a value in the arguments of the field.
    fn places(&self, field: &Field) -> Vec<FeedCursor> {
        let mut places = Vec::new();
        for argument in &field.arguments {
            self.collect(&argument.of, vec![argument.name.clone()], &mut places);
        }
        places
    }

    fn collect(&self, of: &Value, place: FeedCursor, places: &mut Vec<FeedCursor>) {
        let members = self.types[named(of)]["inputFields"].as_array();
        for member in members.into_iter().flatten() {
            let inner = [place.clone(), vec![text(&member["name"])]].concat();
            self.collect(&member["type"], inner, places);
        }
        places.push(place);
    }

    /// A valid value without optional members.
    fn value(&self, name: &str, of: &Value) -> Value {
        match of["kind"].as_str().unwrap() {
            "NON_NULL" => self.value(name, &of["ofType"]),
            "LIST" => json!([self.value(name, &of["ofType"])]),
            "ENUM" => self.types[named(of)]["enumValues"][0]["name"].clone(),
            "INPUT_OBJECT" => {
                let members = self.types[named(of)]["inputFields"].as_array().unwrap().iter();
                let needed = members.filter(|member| member["type"]["kind"] == "NON_NULL");
                let pairs = needed.map(|member| {
                    let name = text(&member["name"]);
                    (name.clone(), self.value(&name, &member["type"]))
                });
                Value::Object(pairs.collect())
            }
            _ => match (named(of), name) {
                ("ID", "sessionId") => json!(self.ids[1]),
                ("ID", _) => json!(self.ids[0]),
                ("Int", _) => json!(1),
                ("Boolean", _) => json!(false),
                ("DateTime", _) => json!("2026-01-01T00:00:00Z"),
                // Long enough to be a valid password.
                _ => json!("wooden-lantern-basket-7"),
            },
        }
    }
}

fn arguments(field: &Value) -> Vec<Argument> {
    let all = field["args"].as_array().unwrap().iter();
    all.map(|one| Argument { name: text(&one["name"]), of: one["type"].clone() }).collect()
}

/// The name of the type without list and non-null wrappers.
fn named(of: &Value) -> &str {
    of["name"].as_str().unwrap_or_else(|| named(&of["ofType"]))
}

/// The type in document syntax.
fn written(of: &Value) -> String {
    match of["kind"].as_str().unwrap() {
        "NON_NULL" => format!("{}!", written(&of["ofType"])),
        "LIST" => format!("[{}]", written(&of["ofType"])),
        _ => named(of).to_owned(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
