//! The service as a subgraph: the router is shown no more than its caller may see.

use axum::http::StatusCode;
use sallyport::domain::user::Role;
use sallyport::graphql::{Supergraph, subgraph_sdl};
use serde_json::{Value, json};

use super::service::Service;
use crate::databases::{Database, on_both};

on_both!(an_entity_is_shown_to_whom_its_node_is_shown);

const ENTITIES: &str = "query($of: [_Any!]!) {
    _entities(representations: $of) {
        __typename ... on User { id username } ... on Session { id user { username } }
    }
}";

async fn an_entity_is_shown_to_whom_its_node_is_shown(database: Database) {
    let service = Service::start(&database, "--federation").await;
    let ada = service.make("ada", Role::User).await;
    let bob = service.make("bob", Role::User).await;
    service.make("root", Role::Admin).await;
    let tokens = service.login("ada").await;
    let login = service.try_login("ada", super::service::PASSWORD).await;
    let session = &login["session"]["id"];
    let of = json!({ "of": [
        { "__typename": "User", "id": ada },
        { "__typename": "Session", "id": session },
        { "__typename": "User", "id": bob },
        { "__typename": "Session", "id": ada },
        { "__typename": "User", "id": "none" },
    ] });
    let seen = |answer: Value| answer["data"]["_entities"].clone();
    let of_ada = seen(service.send(Some(&tokens.access), ENTITIES, of.clone()).await);
    assert_eq!(
        of_ada,
        json!([
            { "__typename": "User", "id": ada, "username": "ada" },
            { "__typename": "Session", "id": session, "user": { "username": "ada" } },
            null, null, null,
        ])
    );
    let nobody = seen(service.send(None, ENTITIES, of.clone()).await);
    assert_eq!(nobody, json!([null, null, null, null, null]));
    let root = service.login("root").await;
    let of_root = seen(service.send(Some(&root.access), ENTITIES, of).await);
    assert_eq!(of_root[2]["username"], "bob");
    service.logout(Some(&tokens.access), None, "CURRENT").await;
    let after = json!({ "of": [{ "__typename": "User", "id": ada }] });
    for (bearer, reason) in [(&*tokens.access, "SESSION_ENDED"), ("garbage", "MALFORMED")] {
        let answer = service.send(Some(bearer), ENTITIES, after.clone()).await;
        assert_eq!(answer["data"], Value::Null, "{answer}");
        let error = &answer["errors"][0];
        assert_eq!(error["path"], json!(["_entities"]));
        assert_eq!(error["extensions"]["code"], "UNAUTHENTICATED");
        assert_eq!(error["extensions"]["reason"], reason);
    }
}

#[tokio::test]
async fn a_representation_that_is_none_is_bad_input() {
    let database = Database::sqlite();
    let service = Service::start(&database, "--federation").await;
    for of in [json!([{ "__typename": "User" }]), json!(["User"]), json!([{ "id": "User:1" }])] {
        let answer = service.send(None, ENTITIES, json!({ "of": of })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
    }
}

#[tokio::test]
async fn a_subgraph_that_hides_its_schema_gives_no_text_of_it() {
    let flags = "--federation --introspection false";
    let service = Service::start(&Database::sqlite(), flags).await;
    let asked = service.send(None, "{ _service { __typename sdl } }", Value::Null).await;
    assert_eq!(asked["data"]["_service"], json!({ "__typename": "_Service", "sdl": null }));
    assert_eq!(asked["errors"][0]["extensions"]["code"], "FORBIDDEN", "{asked}");
}

#[tokio::test]
async fn only_a_subgraph_is_asked_as_one() {
    let database = Database::sqlite();
    let subgraph = Service::start(&database, "--federation").await;
    let asked = subgraph.send(None, "{ _service { sdl } }", Value::Null).await;
    assert_eq!(asked["data"]["_service"]["sdl"], subgraph_sdl(Supergraph::Router));
    let database = Database::sqlite();
    let service = Service::start(&database, "").await;
    let (status, answer) = service.post(None, "{ _service { sdl } }", Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
}

#[test]
fn what_a_router_enforces_is_what_the_guard_enforces() {
    let sdl = subgraph_sdl(Supergraph::Router);
    // Directives are only where the language allows them.
    async_graphql::parser::parse_schema(&sdl).unwrap();
    let guarded =
        sdl.lines().filter(|line| line.starts_with('\t') && line.contains("@requiresAuth"));
    let mut count = 0;
    for line in guarded {
        assert!(line.contains("@authenticated"), "{line}");
        let scoped = line.contains(r#"@requiresScopes(scopes: [["ADMIN"]])"#);
        assert_eq!(line.contains("role: ADMIN"), scoped, "{line}");
        let is_fresh = line.contains("freshWithin: ");
        assert_eq!(line.contains(r#"@policy(policies: [["freshWithin:"#), is_fresh, "{line}");
        count += 1;
    }
    assert!(count > 10, "{count}");
    assert_eq!(sdl.matches(r#"@key(fields: "id")"#).count(), 2);
}
