//! A subgraph of Apollo Federation 2, where the operator wants one.
//!
//! Rule: federation opens nothing. An entity is shown to whom [`Node`] shows it, so the router has to
//! pass the caller's `Authorization` header on; and what a router may enforce by itself is written
//! from the same `@requiresAuth` that is enforced here.
//!
//! async-graphql's own federation is not used: one unknown entity fails all that were asked for, and
//! its SDL knows no `@authenticated`.

use async_graphql::{
    Context, ID, InputValueError, InputValueResult, IntrospectionMode, MergedObject, Object,
    Result, Scalar, ScalarType, Union, Value,
};

use super::error::{bad_input, forbidden};
use super::query::{MAX_NODES, Queries, somebody};
use super::types::{Node, Session, User};

/// What puts the subgraphs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supergraph {
    /// Apollo Router, which enforces what stands in the schema of who may ask.
    Router,
    /// Apollo's gateway for Node, which cannot, and refuses a schema where anything of it stands.
    Gateway,
}

/// The first version that knows both directives of authorization.
const VERSION: &str = "https://specs.apollo.dev/federation/v2.5";

/// What stands in the schema, and what a composition reads in its place.
const ENTITIES: [(&str, &str); 3] = [
    ("type User implements Node {", r#"type User implements Node @key(fields: "id") {"#),
    ("type Session implements Node {", r#"type Session implements Node @key(fields: "id") {"#),
    ("type PageInfo {", "type PageInfo @shareable {"),
];

/// The same for the guards.
const GUARDS: [(&str, &str); 2] = [
    (
        " @requiresAuth(role: ADMIN)\n",
        " @requiresAuth(role: ADMIN) @authenticated @requiresScopes(scopes: [[\"ADMIN\"]])\n",
    ),
    (" @requiresAuth\n", " @requiresAuth @authenticated\n"),
];

/// The SDL of the subgraph.
#[must_use]
pub fn subgraph_sdl(supergraph: Supergraph) -> String {
    let (guards, imports): (&[_], _) = match supergraph {
        Supergraph::Router => {
            (&GUARDS, r#""@key", "@shareable", "@authenticated", "@requiresScopes""#)
        }
        Supergraph::Gateway => (&[], r#""@key", "@shareable""#),
    };
    let replaced = ENTITIES.iter().chain(guards);
    let sdl = replaced.fold(super::sdl(), |sdl, (here, there)| sdl.replace(here, there));
    format!("{sdl}extend schema @link(url: \"{VERSION}\", import: [{imports}])\n")
}

/// The root of queries of a subgraph.
#[derive(Default, MergedObject)]
#[graphql(name = "Query")]
pub struct SubgraphQuery(Queries, Federation);

#[derive(Default)]
struct Federation;

/// What a router asks a subgraph.
#[Object]
impl Federation {
    /// The subgraph's schema.
    #[graphql(name = "_service")]
    async fn service(&self) -> Service {
        Service
    }

    /// What these representations stand for, at most 100, in their order; null for what does not
    /// exist or the caller may not see. An access token that is sent and refused is UNAUTHENTICATED;
    /// without one nothing is seen.
    #[graphql(name = "_entities")]
    async fn entities(
        &self,
        context: &Context<'_>,
        representations: Vec<Representation>,
    ) -> Result<Vec<Option<Entity>>> {
        if representations.len() > MAX_NODES {
            return Err(bad_input(format!("at most {MAX_NODES} entities at once")));
        }
        let Some(viewer) = somebody(context)? else {
            return Ok(representations.iter().map(|_| None).collect());
        };
        let entities = representations.iter().map(async |wanted| {
            let node = Node::load(context, viewer, &wanted.id).await?;
            Ok(node.and_then(|node| Entity::of(node, &wanted.type_name)))
        });
        futures_util::future::try_join_all(entities).await
    }
}

struct Service;

/// A subgraph's description of itself.
#[expect(clippy::unused_async, reason = "a resolver is one, whether or not it waits")]
#[Object(name = "_Service")]
impl Service {
    /// Its schema, with the directives of federation; null where introspection is switched off.
    async fn sdl(&self, context: &Context<'_>) -> Result<Option<String>> {
        if context.schema_env.registry.introspection_mode == IntrospectionMode::Disabled {
            return Err(forbidden(
                "The schema is not given out here. Print it by: sallyport schema --federation",
            ));
        }
        Ok(Some(subgraph_sdl(*context.data_unchecked::<Supergraph>())))
    }
}

/// What other subgraphs may refer to.
#[derive(Union)]
#[graphql(name = "_Entity")]
enum Entity {
    User(User),
    Session(Session),
}

impl Entity {
    /// The node as an entity, if it is of this type.
    fn of(node: Node, type_name: &str) -> Option<Self> {
        match (node, type_name) {
            (Node::User(user), "User") => Some(Self::User(user)),
            (Node::Session(session), "Session") => Some(Self::Session(session)),
            _ => None,
        }
    }
}

/// A type and a key, as another subgraph knows them.
struct Representation {
    type_name: String,
    id: ID,
}

/// A type's name and its key, e.g. `{ __typename: "User", id: "User:…" }`.
#[Scalar(name = "_Any")]
impl ScalarType for Representation {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::Object(members) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        match (members.get("__typename"), members.get("id")) {
            (Some(Value::String(type_name)), Some(Value::String(id))) => {
                Ok(Self { type_name: type_name.clone(), id: ID(id.clone()) })
            }
            _ => Err(InputValueError::custom("a representation has a `__typename` and an `id`")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.id.to_string())
    }
}
