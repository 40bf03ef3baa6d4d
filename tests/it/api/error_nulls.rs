//! Errors and nulls: whatever fails, the response conforms to the schema.

use std::collections::BTreeSet;
use std::time::Duration;

use async_graphql::parser::types::FieldDefinition;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{PASSWORD, Service, Tokens, tokens};
use crate::databases::{Database, on_both};
use crate::response::{Schema, named};

on_both!(
    a_bad_argument_nulls_the_nearest_position_that_may_be_null,
    what_cannot_be_read_nulls_the_nearest_position_that_may_be_null,
    a_bad_argument_in_the_payload_of_a_mutation_nulls_the_nearest_position_that_may_be_null,
    an_entity_of_which_a_field_fails_is_null_alone,
    a_field_that_is_selected_twice_fails_once,
    an_object_of_which_nothing_is_selected_is_empty,
);

/// How a document goes on from a root field, down to a list.
struct Route {
    root: String,
    /// From the root field's own selections to those of the list.
    open: String,
    list: String,
    close: String,
}

/// Every way from the fields of this root to a list, that comes by no type twice.
fn routes(schema: &Schema, root: &str) -> Vec<Route> {
    let mut found = Vec::new();
    for field in schema.fields(root) {
        let inner = named(&field.ty.node);
        let start = Route {
            root: field.name.node.to_string(),
            open: String::new(),
            list: String::new(),
            close: String::new(),
        };
        descend(schema, inner, &start, &mut vec![root.to_owned()], &mut found);
    }
    found
}

fn descend(
    schema: &Schema,
    ty: &str,
    so_far: &Route,
    seen: &mut Vec<String>,
    found: &mut Vec<Route>,
) {
    let objects = schema.objects(ty);
    for object in &objects {
        if seen.iter().any(|name| name == object) {
            continue;
        }
        let (condition, end) = match objects.as_slice() {
            [_] => (String::new(), ""),
            _ => (format!("... on {object} {{ "), " }"),
        };
        let leaves = leaves(schema, object);
        seen.push((*object).to_owned());
        for field in schema.fields(object) {
            let (name, inner) = (field.name.node.as_str(), named(&field.ty.node));
            // What is in edges is what is in nodes: below the first list, only those.
            if schema.objects(inner).is_empty() || name == "edges" && seen.len() > 2 {
                continue;
            }
            let open = format!("{}__typename {condition}{leaves} ", so_far.open);
            let close = format!("{end}{}", so_far.close);
            let (root, list) = (so_far.root.clone(), name.to_owned());
            if is_list(field) {
                let (open, close) = (open.clone(), close.clone());
                found.push(Route { root: root.clone(), open, list: list.clone(), close });
            }
            let arguments = if is_list(field) { "(first: 2)" } else { "" };
            let open = format!("{open}{name}{arguments} {{ ");
            let further = Route { root, open, list, close: format!(" }}{close}") };
            descend(schema, inner, &further, seen, found);
        }
        seen.pop();
    }
}

/// The names of the fields that have no fields themselves and need no arguments.
fn leaves(schema: &Schema, of: &str) -> String {
    let fields = schema.fields(of).into_iter();
    let leaves = fields.filter(|field| schema.objects(named(&field.ty.node)).is_empty());
    leaves.map(|field| field.name.node.as_str()).collect::<Vec<_>>().join(" ")
}

fn is_list(field: &FieldDefinition) -> bool {
    field.arguments.iter().any(|argument| argument.node.name.node == "first")
}

impl Route {
    /// The document that asks for the list so.
    fn document(&self, operation: &str, root_arguments: &str, list_arguments: &str) -> String {
        let Self { root, open, list, close } = self;
        format!(
            "{operation} {{ {root}{root_arguments} {{ {open} \
             {list}{list_arguments} {{ totalCount nodes {{ id }} }} {close} }} }}"
        )
    }
}

/// Two users with sessions that were refreshed, ended and looked into, and who asks.
struct Crowd {
    service: Service,
    root: Tokens,
    ids: Vec<String>,
}

async fn crowd(database: &Database, flags: &str) -> Crowd {
    let service =
        Service::start(database, &format!("--throttle false --max-nodes 100000 {flags}")).await;
    let mut ids = vec![service.make("ada", Role::User).await];
    service.make("root", Role::Admin).await;
    let ada = service.login("ada").await;
    let next = tokens(&service.refresh(&ada.refresh, None).await).unwrap();
    service.logout(Some(&next.access), None, "CURRENT").await;
    let root = service.login("root").await;
    let root = tokens(&service.refresh(&root.refresh, None).await).unwrap();
    const IDS: &str = "{ sessions { nodes { id } } auditEvents { nodes { id } }
        blacklistEntries { nodes { id } } signingKeys { id } }";
    let answer = service.send(Some(&root.access), IDS, Value::Null).await;
    for list in ["sessions", "auditEvents", "blacklistEntries"] {
        ids.push(answer["data"][list]["nodes"][0]["id"].as_str().unwrap().to_owned());
    }
    ids.push(answer["data"]["signingKeys"][0]["id"].as_str().unwrap().to_owned());
    Crowd { service, root, ids }
}

impl Crowd {
    /// The arguments of each root field of queries, as often as they lead to something else.
    fn arguments(&self, field: &str) -> Vec<String> {
        match field {
            "node" => self.ids.iter().map(|id| format!("(id: \"{id}\")")).collect(),
            "nodes" => vec![format!("(ids: {})", json!(self.ids))],
            "tokenStatus" => vec![format!("(token: \"{}\")", self.root.access)],
            "user" => vec!["(username: \"root\")".to_owned()],
            "users" | "sessions" | "blacklistEntries" | "auditEvents" => {
                vec!["(first: 3)".to_owned()]
            }
            _ => vec![String::new()],
        }
    }

    async fn ask(&self, document: &str) -> Value {
        self.service.send(Some(&self.root.access), document, Value::Null).await
    }
}

async fn a_bad_argument_nulls_the_nearest_position_that_may_be_null(database: Database) {
    let crowd = crowd(&database, "").await;
    let schema = Schema::parse(&sallyport::graphql::sdl());
    let mut failed = BTreeSet::new();
    let mut bad =
        ["(first: -1)", "(first: 1000)", "(first: 1, last: 1)", "(after: \"x\")"].iter().cycle();
    for route in routes(&schema, "Query") {
        for arguments in crowd.arguments(&route.root) {
            let wrong = route.document("query", &arguments, bad.next().unwrap());
            let answer = crowd.ask(&wrong).await;
            schema.check(&wrong, &answer);
            if !answer["errors"].is_null() {
                failed.insert((route.root.clone(), route.list.clone()));
            }
        }
    }
    assert!(failed.len() > 25, "{failed:?}");
    // As it was found.
    let answer = crowd
        .ask("{ viewer { id sessions(first: -1) { totalCount } } viewerSession { id } }")
        .await;
    assert!(answer["data"]["viewer"].is_null() && answer["data"]["viewerSession"].is_object());
    assert_eq!(answer["errors"][0]["path"], json!(["viewer", "sessions"]));
}

async fn what_cannot_be_read_nulls_the_nearest_position_that_may_be_null(database: Database) {
    let mut crowd = crowd(&database, "").await;
    let schema = Schema::parse(&sallyport::graphql::sdl());
    let mut raw = database.raw().await;
    let tables = ["sessions", "users", "blacklist_entries", "audit_events", "signing_keys"];
    for (n, table) in tables.into_iter().enumerate() {
        // What is remembered of an account is forgotten.
        crowd.service.pass(Duration::from_secs(70)).await;
        raw.execute(format!("ALTER TABLE {table} RENAME TO away")).await;
        let mut failed = 0;
        for route in routes(&schema, "Query").iter().skip(n % 2).step_by(2) {
            for arguments in crowd.arguments(&route.root) {
                let document = route.document("query", &arguments, "(first: 1)");
                let answer = crowd.ask(&document).await;
                schema.check(&document, &answer);
                failed += usize::from(!answer["errors"].is_null());
            }
        }
        raw.execute(format!("ALTER TABLE away RENAME TO {table}")).await;
        assert!(failed > 0, "{table}");
    }
}

async fn a_bad_argument_in_the_payload_of_a_mutation_nulls_the_nearest_position_that_may_be_null(
    database: Database,
) {
    let crowd = crowd(&database, "--registration open").await;
    let service = &crowd.service;
    let schema = Schema::parse(&sallyport::graphql::sdl());
    let mut failed = BTreeSet::new();
    for (n, route) in routes(&schema, "Mutation").into_iter().enumerate() {
        let root = service.login("root").await;
        let (user, ada) = (&crowd.ids[0], service.try_login("ada", PASSWORD).await);
        let (session, refresh) = (&ada["session"]["id"], &ada["tokens"]["refreshToken"]);
        let input = match route.root.as_str() {
            "login" => format!("username: \"ada\", password: \"{PASSWORD}\""),
            "register" | "createUser" => format!("username: \"u{n}\", password: \"{PASSWORD}\""),
            "refresh" | "logout" => format!("refreshToken: {refresh}"),
            "changePassword" => format!(
                "currentPassword: \"{PASSWORD}\", newPassword: \"{PASSWORD}\", \
                 endOtherSessions: false"
            ),
            "renameSession" => {
                let current = "{ viewerSession { id } }";
                let answer = service.send(Some(&root.access), current, Value::Null).await;
                format!("sessionId: {}, name: \"x\"", answer["data"]["viewerSession"]["id"])
            }
            "endSession" => format!("sessionId: {session}"),
            "setUserActive" => format!("userId: \"{user}\", active: true"),
            "reauthenticate" => format!("proof: {{ password: \"{PASSWORD}\" }}"),
            // Nothing has these proofs, so the payload has no lists.
            "continueLogin" => "proof: { emailCode: \"00000000\" }".to_owned(),
            "loginWithLink" => "linkToken: \"x\"".to_owned(),
            "verifyEmail" | "confirmEmailChange" => "proof: { linkToken: \"x\" }".to_owned(),
            "resetPassword" => {
                format!("proof: {{ linkToken: \"x\" }}, newPassword: \"{PASSWORD}\"")
            }
            "confirmTotp" => "challengeToken: \"x\", code: \"000000\"".to_owned(),
            "loginWithPasskey" | "registerPasskey" => {
                "challengeToken: \"x\", credential: {}".to_owned()
            }
            "removePasskey" => "passkeyId: \"x\"".to_owned(),
            "removeTrustedDevice" => "trustedDeviceId: \"x\"".to_owned(),
            "removeTotp" => String::new(),
            "updateAccount" => "locale: \"en\"".to_owned(),
            "changeUsername" => "username: \"root\"".to_owned(),
            "updateUser" => format!("userId: \"{user}\", emailVerified: false"),
            "resetUserFactors" | "unlockUser" => format!("userId: \"{user}\""),
            "deleteUser" => {
                let id = service.make(&format!("gone{n}"), Role::User).await;
                format!("userId: \"{id}\"")
            }
            "setUserPassword" => format!("userId: \"{user}\", newPassword: \"{PASSWORD}\""),
            other => panic!("what does {other} take?"),
        };
        let bearer = (!["refresh", "logout"].contains(&&*route.root)).then_some(&*root.access);
        let arguments = if input.is_empty() { input } else { format!("(input: {{ {input} }})") };
        let wrong = route.document("mutation", &arguments, "(first: -1)");
        let answer = service.send(bearer, &wrong, Value::Null).await;
        schema.check(&wrong, &answer);
        if !answer["errors"].is_null() {
            failed.insert(route.root);
        }
    }
    assert!(failed.len() > 8, "{failed:?}");
}

async fn an_entity_of_which_a_field_fails_is_null_alone(database: Database) {
    let crowd = crowd(&database, "--federation").await;
    let schema = Schema::parse(&format!(
        "{} scalar _Any union _Entity = User | Session
        extend type Query {{ _entities(representations: [_Any!]!): [_Entity]! }}",
        sallyport::graphql::sdl()
    ));
    let of = format!(
        "[{{ __typename: \"User\", id: \"{}\" }}, {{ __typename: \"Session\", id: \"{}\" }}]",
        crowd.ids[0], crowd.ids[1]
    );
    let document = format!(
        "{{ _entities(representations: {of}) {{ __typename ... on Session {{ id }}
            ... on User {{ id sessions(first: -1) {{ totalCount }} }} }} }}"
    );
    let answer = crowd.ask(&document).await;
    schema.check(&document, &answer);
    assert!(answer["data"]["_entities"][0].is_null(), "{answer}");
    assert!(answer["data"]["_entities"][1]["id"].is_string(), "{answer}");
    assert_eq!(answer["errors"][0]["path"], json!(["_entities", 0, "sessions"]), "{answer}");
}

async fn a_field_that_is_selected_twice_fails_once(database: Database) {
    let crowd = crowd(&database, "").await;
    let schema = Schema::parse(&sallyport::graphql::sdl());
    for document in [
        "{ viewer { id } viewer { sessions(first: -1) { totalCount } } }",
        "{ viewer { sessions(first: -1) { totalCount } } ...F }
            fragment F on Query { viewer { sessions(first: -1) { nodes { id } } id } }",
        "{ sessions { nodes { id } nodes { list: blacklistEntries(last: -1) { totalCount } } } }",
    ] {
        let answer = crowd.ask(document).await;
        schema.check(document, &answer);
        assert!(answer["errors"].is_array(), "{answer}");
    }
}

const NOTHING: &str = "id @skip(if: true)";

async fn an_object_of_which_nothing_is_selected_is_empty(database: Database) {
    let crowd = crowd(&database, "").await;
    let sessions = format!(
        "viewer {{ sessions(first: 1) {{ nodes {{ {NOTHING} }} edges {{ node {{ {NOTHING} }} }}
            pageInfo {{ ... @include(if: false) {{ endCursor }} }} }} }}"
    );
    let node = format!("node(id: \"{}\") {{ ... on AuditEvent {{ id }} }}", crowd.ids[1]);
    for (selected, expected) in [
        (format!("viewer {{ {NOTHING} }}"), json!({ "viewer": {} })),
        (format!("viewerSession {{ {NOTHING} }}"), json!({ "viewerSession": {} })),
        (
            sessions,
            json!({ "viewer": { "sessions": {
                "nodes": [{}], "edges": [{ "node": {} }], "pageInfo": {} } } }),
        ),
        (node, json!({ "node": {} })),
        ("... @skip(if: true) { viewer { id } }".to_owned(), json!({})),
    ] {
        let answer = crowd.ask(&format!("{{ {selected} }}")).await;
        assert_eq!(answer, json!({ "data": expected }), "{selected}");
    }
}
