//! Every root field, requested by every kind of caller: the declared guard is the one that holds.

use std::collections::BTreeSet;
use std::time::Duration;

use async_graphql::parser::types::{BaseType, Type, TypeDefinition, TypeKind};
use sallyport::domain::user::Role;
use serde_json::Value;

use super::service::Service;
use crate::databases::{Database, on_both};
use crate::schema::{PUBLIC, RootField, guard, root_fields, types};

on_both!(
    every_guarded_field_lets_in_whom_it_says,
    every_field_that_requires_a_recent_proof_refuses_an_old_one,
    what_is_served_is_what_is_printed,
);

async fn every_guarded_field_lets_in_whom_it_says(database: Database) {
    let service = Service::start(&database, "--registration open").await;
    service.make("root", Role::Admin).await;
    let over = service.login("root").await;
    service.logout(Some(&over.access), None, "CURRENT").await;
    let mut guarded = 0;
    for field in root_fields().iter().filter(|field| field.root != "Subscription") {
        let document = document(field);
        // Some fields delete the account of their caller.
        let [ada, root] = ["ada", "root"].map(|name| format!("{name}-{}", field.name));
        service.make(&ada, Role::User).await;
        service.make(&root, Role::Admin).await;
        let ask = async |bearer: Option<&str>| {
            let (_, answer) = service.post(bearer, &document, Value::Null).await;
            // A public field that cannot be null takes `data` with it.
            let is_public = PUBLIC.contains(&&*field.name);
            assert!(answer["data"].is_object() || is_public, "{document}: {answer}");
            let error = &answer["errors"][0]["extensions"];
            // What is refused is refused for itself, and gives nothing away.
            assert!(error.is_null() || answer["data"][&field.name].is_null(), "{answer}");
            let told = ["code", "reason"].map(|key| error[key].as_str().unwrap_or_default());
            told.join(" ").trim().to_owned()
        };
        let (ada, root) = (service.login(&ada).await, service.login(&root).await);
        let strangers = [None, Some("garbage"), Some(ada.refresh.as_str()), Some(&*over.access)];
        let reasons = ["NO_TOKEN", "MALFORMED", "WRONG_TYPE", "SESSION_ENDED"];
        for (bearer, reason) in strangers.into_iter().zip(reasons) {
            let told = ask(bearer).await;
            let refused = told == format!("UNAUTHENTICATED {reason}");
            // Without a token nothing is seen by its id; with one that is refused, its client is told.
            let is_by_id = ["node", "nodes"].contains(&&*field.name) && bearer.is_some();
            let is_public = PUBLIC.contains(&&*field.name);
            assert_eq!(refused, is_by_id || !is_public, "{document}: {told}");
        }
        let guard = guard(&field.definition);
        let role = guard.and_then(|guard| guard.get_argument("role"));
        let for_admins = role.is_some_and(|role| role.node.to_string() == "ADMIN");
        let told = ask(Some(&ada.access)).await;
        assert_eq!(told == "FORBIDDEN", for_admins, "{document}: {told}");
        // A session of one factor is not enough for these.
        let needs_factor = guard.is_some_and(|guard| guard.get_argument("assurance").is_some());
        for told in [told, ask(Some(&root.access)).await] {
            if needs_factor {
                assert_eq!(told, "UNAUTHENTICATED REAUTHENTICATION_REQUIRED", "{document}");
                continue;
            }
            let let_in = !told.starts_with("UNAUTHENTICATED") && told != "FORBIDDEN";
            assert!(let_in || for_admins && told == "FORBIDDEN", "{document}: {told}");
        }
        guarded += i32::from(guard.is_some());
    }
    assert!(guarded > 10, "{guarded}");
}

/// Every field says in the schema how recent the proof has to be, and asks for that.
async fn every_field_that_requires_a_recent_proof_refuses_an_old_one(database: Database) {
    let mut service = Service::start(&database, "--throttle false").await;
    service.make("root", Role::Admin).await;
    let root = service.login("root").await;
    service.pass(Duration::from_mins(11)).await;
    let mut refused = 0;
    for field in root_fields().iter().filter(|field| field.root != "Subscription") {
        let guard = guard(&field.definition);
        let seconds = guard.and_then(|guard| guard.get_argument("freshWithin"));
        let document = document(field);
        let (_, answer) = service.post(Some(&root.access), &document, Value::Null).await;
        let extensions = &answer["errors"][0]["extensions"];
        let is_refused = extensions["reason"] == "REAUTHENTICATION_REQUIRED";
        assert_eq!(is_refused, seconds.is_some(), "{document}: {answer}");
        if let Some(seconds) = seconds {
            assert_eq!(extensions["maxAge"].to_string(), seconds.node.to_string(), "{document}");
            refused += 1;
        }
    }
    assert!(refused > 10, "{refused}");
}

/// A library may add fields that no one wrote, such as Federation's, with no guard. They are seen
/// here, because they are served, and must be judged before they go into the list of the public.
async fn what_is_served_is_what_is_printed(database: Database) {
    let service = Service::start(&database, "").await;
    const ROOTS: &str = "{ __schema { queryType { name fields { name } }
        mutationType { name fields { name } } subscriptionType { name fields { name } } } }";
    let answer = service.send(None, ROOTS, Value::Null).await;
    let roots = ["queryType", "mutationType", "subscriptionType"]
        .map(|root| answer["data"]["__schema"][root].clone());
    let mut served = BTreeSet::new();
    for root in &roots {
        for field in root["fields"].as_array().into_iter().flatten() {
            served.insert(
                [&root["name"], &field["name"]].map(|name| name.as_str().unwrap().to_owned()),
            );
        }
    }
    let printed = root_fields().into_iter().map(|field| [field.root, field.name]);
    assert_eq!(served, printed.collect());
}

/// A document that asks for the field, with something of the right type for every argument.
fn document(field: &RootField) -> String {
    let types = types();
    let arguments = field.definition.arguments.iter().map(|argument| {
        let argument = &argument.node;
        format!("{}: {}", argument.name.node, value(&types, &argument.ty.node))
    });
    let arguments = arguments.collect::<Vec<_>>().join(", ");
    let arguments = if arguments.is_empty() { arguments } else { format!("({arguments})") };
    format!("{} {{ {}{arguments} {{ __typename }} }}", field.root.to_lowercase(), field.name)
}

fn value(types: &[TypeDefinition], ty: &Type) -> String {
    let name = match &ty.base {
        BaseType::List(item) => return format!("[{}]", value(types, item)),
        BaseType::Named(name) => name.as_str(),
    };
    let definition = types.iter().find(|definition| definition.name.node == name);
    match definition.map(|definition| &definition.kind) {
        Some(TypeKind::Enum(kind)) => kind.values[0].node.value.node.to_string(),
        Some(TypeKind::InputObject(input)) => {
            let directives = definition.iter().flat_map(|definition| &definition.directives);
            let is_one_of = directives.into_iter().any(|found| found.node.name.node == "oneOf");
            let count = if is_one_of { 1 } else { input.fields.len() };
            let fields = input.fields.iter().take(count).map(|field| {
                let field = &field.node;
                format!("{}: {}", field.name.node, value(types, &field.ty.node))
            });
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        _ => match name {
            "Int" => "1".to_owned(),
            "Boolean" => "false".to_owned(),
            "DateTime" => "\"2026-01-01T00:00:00Z\"".to_owned(),
            _ => "\"x\"".to_owned(),
        },
    }
}
