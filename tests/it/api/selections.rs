//! Selections: repeated fields, objects without fields, conditions by variables.

use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::service::{Service, Tokens};
use crate::databases::{Database, on_both};
use crate::subscriptions::client::{Client, serve};

on_both!(
    an_object_of_which_nothing_is_selected_is_empty_and_not_null,
    what_one_selection_of_a_field_leaves_out_another_adds,
    an_error_in_one_selection_of_a_field_does_not_go_up_in_another,
    an_event_of_which_nothing_is_selected_is_empty,
    a_variable_that_is_not_given_skips_and_includes_by_its_default,
);

async fn with_root(database: &Database, flags: &str) -> (Service, Tokens) {
    let service = Service::start(database, flags).await;
    service.make("root", Role::Admin).await;
    let root = service.login("root").await;
    (service, root)
}

async fn an_object_of_which_nothing_is_selected_is_empty_and_not_null(database: Database) {
    let (service, root) = with_root(&database, "--federation").await;
    let ids = "{ viewer { id } viewerSession { id } }";
    let answer = service.send(Some(&root.access), ids, Value::Null).await;
    let (user, session) = (&answer["data"]["viewer"]["id"], &answer["data"]["viewerSession"]["id"]);
    for (document, expected) in [
        ("{ viewer { id @skip(if: true) } }".to_owned(), json!({ "viewer": {} })),
        ("{ viewer { id @include(if: false) ... @skip(if: true) { username } } }".to_owned(), json!({ "viewer": {} })),
        ("query ($no: Boolean! = false) { viewer { ...F @include(if: $no) } } fragment F on User { id }".to_owned(), json!({ "viewer": {} })),
        // Of lists of objects, and of their items.
        (
            "{ viewer { sessions { nodes { id @skip(if: true) } edges { node { ... @skip(if: true) { id } } }
                pageInfo { ...P } } } } fragment P on PageInfo { hasNextPage @skip(if: true) }".to_owned(),
            json!({ "viewer": { "sessions": { "nodes": [{}], "edges": [{ "node": {} }], "pageInfo": {} } } }),
        ),
        // Of what is there and of what is not.
        (
            format!("{{ nodes(ids: [{user}, {session}, \"x\"]) {{ ... on User {{ username }} }} }}"),
            json!({ "nodes": [{ "username": "root" }, {}, null] }),
        ),
        (format!("{{ node(id: {session}) {{ id @skip(if: true) }} none: node(id: \"x\") {{ id @skip(if: true) }} }}"), json!({ "node": {}, "none": null })),
        (
            format!("{{ _entities(representations: [{{ __typename: \"User\", id: {user} }}, {{ __typename: \"Session\", id: {user} }}]) {{ ... on Session {{ id }} }} }}"),
            json!({ "_entities": [{}, null] }),
        ),
        // Of the schema.
        (
            "{ q: __type(name: \"Query\") { name @skip(if: true) } x: __type(name: \"X\") { name @skip(if: true) }
                __schema { queryType { ...T } } } fragment T on __Type { name @skip(if: true) }".to_owned(),
            json!({ "q": {}, "x": null, "__schema": { "queryType": {} } }),
        ),
        ("{ viewer @skip(if: true) { id } ... @skip(if: true) { viewer { id } } }".to_owned(), json!({})),
    ] {
        let answer = service.send(Some(&root.access), &document, Value::Null).await;
        assert_eq!(answer, json!({ "data": expected }), "{document}");
    }
}

async fn what_one_selection_of_a_field_leaves_out_another_adds(database: Database) {
    let (service, root) = with_root(&database, "").await;
    let answer =
        service.send(Some(&root.access), "{ viewerSession { id sid } }", Value::Null).await;
    let session = &answer["data"]["viewerSession"];
    let id = &session["id"];
    let node = format!("node(id: {id})");
    for (document, expected) in [
        (
            "{ viewer { id @skip(if: true) } viewer { username } }".to_owned(),
            json!({ "viewer": { "username": "root" } }),
        ),
        (
            format!(
                "{{ {node} {{ ... on User {{ username }} }} ...M }}
                fragment M on Query {{ {node} {{ ... on Session {{ sid }} }} }}"
            ),
            json!({ "node": { "sid": session["sid"] } }),
        ),
        (
            "{ viewer { sessions { nodes { id @skip(if: true) } } sessions { nodes { id } } } }".to_owned(),
            json!({ "viewer": { "sessions": { "nodes": [{ "id": id }] } } }),
        ),
        (
            "{ q: __type(name: \"PageInfo\") { name @skip(if: true) } q: __type(name: \"PageInfo\") { name } }".to_owned(),
            json!({ "q": { "name": "PageInfo" } }),
        ),
    ] {
        let answer = service.send(Some(&root.access), &document, Value::Null).await;
        assert_eq!(answer, json!({ "data": expected }), "{document}");
    }
}

async fn an_error_in_one_selection_of_a_field_does_not_go_up_in_another(database: Database) {
    let (service, root) = with_root(&database, "").await;
    let failing = "viewer { sessions(first: 1) { nodes { user {
        sessions(first: -1) { totalCount } auditEvents { totalCount } } } } }";
    let other = "viewer { blacklistEntries(first: 1) { totalCount nodes { id } } }";
    for document in [format!("{{ {failing} {other} }}"), format!("{{ {other} {failing} }}")] {
        let answer = service.send(Some(&root.access), &document, Value::Null).await;
        let expected = json!({ "viewer": {
            "sessions": { "nodes": [{ "user": null }] },
            "blacklistEntries": { "totalCount": 0, "nodes": [] },
        } });
        assert_eq!(answer["data"], expected, "{answer}");
        let path = json!(["viewer", "sessions", "nodes", 0, "user", "sessions"]);
        assert_eq!(answer["errors"][0]["path"], path, "{answer}");
    }
}

async fn an_event_of_which_nothing_is_selected_is_empty(database: Database) {
    let (service, root) = with_root(&database, "").await;
    let mut client = Client::connect_as(serve(&service).await, Some(&root.access)).await;
    let document =
        "subscription { sessionEnded { session { ... on Session { id @skip(if: true) } } } }";
    client.subscribe("a", document, Value::Null).await;
    client.ping().await;
    service.logout(Some(&root.access), None, "CURRENT").await;
    let event = client.next("a").await;
    assert_eq!(event, json!({ "sessionEnded": { "session": {} } }));
}

async fn a_variable_that_is_not_given_skips_and_includes_by_its_default(database: Database) {
    let (service, root) = with_root(&database, "").await;
    let whole = json!({ "username": "root", "role": "ADMIN" });
    for (default, given, is_there) in [
        (true, json!({}), true),
        (false, json!({}), false),
        (true, json!({ "wanted": false }), false),
        (false, json!({ "wanted": true }), true),
    ] {
        let document = |ty: &str, directive: &str, default: bool| {
            format!(
                "query ($wanted: {ty} = {default}) {{ viewer {{ username {directive} ...F }} }}
                fragment F on User {{ role {directive} }}"
            )
        };
        for ty in ["Boolean", "Boolean!"] {
            let included = document(ty, "@include(if: $wanted)", default);
            let answer = service.send(Some(&root.access), &included, given.clone()).await;
            assert_eq!(answer["data"]["viewer"] == whole, is_there, "{included} {given} {answer}");
            assert_eq!(answer["data"]["viewer"] == json!({}), !is_there, "{answer}");
            let skipped = document(ty, "@skip(if: $wanted)", default);
            let answer = service.send(Some(&root.access), &skipped, given.clone()).await;
            assert_eq!(
                answer["data"]["viewer"] == json!({}),
                is_there,
                "{skipped} {given} {answer}"
            );
            assert_eq!(answer["data"]["viewer"] == whole, !is_there, "{answer}");
        }
    }
}
