//! Subgraph of Apollo Federation 2, if the operator enables one.
//!
//! Federation grants no access. An entity is visible to the callers to whom [`Node`] is, so the router
//! has to pass their `Authorization` header on. The directives that a router enforces by itself are
//! written from the same `@requiresAuth` that is enforced here.
//!
//! async-graphql's own federation is not used: with it one unknown entity fails all entities of the
//! request, and its SDL has no `@authenticated`.

use std::fmt::Write;
use std::sync::Arc;

use async_graphql::{
    Context, ID, InputValueError, InputValueResult, IntrospectionMode, MergedObject, Object,
    Result, Scalar, ScalarType, Union, Value,
};

use super::error::{bad_input, forbidden};
use super::query::{MAX_NODES, Queries, somebody};
use super::schema::{Schema, builder, finish, sdl};
use super::types::{Node, Session, User};
use crate::auth::Auth;

/// Product that composes the subgraphs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supergraph {
    /// Apollo Router, which enforces the directives of authorization.
    Router,
    /// Apollo Gateway for Node.js, which refuses a schema with directives of authorization.
    Gateway,
}

/// The first version of the specification with all directives of authorization.
const VERSION: &str = "https://specs.apollo.dev/federation/v2.6";

/// Texts of the SDL, and the texts of the subgraph in their place.
const ENTITIES: [(&str, &str); 3] = [
    ("type User implements Node {", r#"type User implements Node @key(fields: "id") {"#),
    ("type Session implements Node {", r#"type Session implements Node @key(fields: "id") {"#),
    ("type PageInfo {", "type PageInfo @shareable {"),
];

/// The line of a field, with the directives of a router that say as much as its `@requiresAuth`. How long ago
/// the user logged in, and how, a router asks its coprocessor or script, by the names of policies.
fn with_router_directives(line: &str) -> String {
    let field = Some(line).filter(|line| !line.starts_with("directive "));
    let Some((_, guard)) = field.and_then(|field| field.split_once(" @requiresAuth")) else {
        return format!("{line}\n");
    };
    let mut directives = String::from(" @authenticated");
    if guard.contains("role: ADMIN") {
        directives.push_str(" @requiresScopes(scopes: [[\"ADMIN\"]])");
    }
    let policies = ["freshWithin", "assurance"].into_iter().filter_map(|name| {
        let (_, value) = guard.split_once(&format!("{name}: "))?;
        let value = value.split([',', ')']).next()?;
        Some(format!("\"{name}:{value}\""))
    });
    let policies = policies.collect::<Vec<_>>().join(", ");
    if !policies.is_empty() {
        let _ = write!(directives, " @policy(policies: [[{policies}]])");
    }
    format!("{line}{directives}\n")
}

/// The schema of the subgraph.
#[must_use]
pub fn subgraph(auth: Arc<Auth>, introspection: bool, supergraph: Supergraph) -> Schema<Query> {
    finish(builder().data(supergraph), auth, introspection)
}

/// The SDL of the subgraph.
#[must_use]
pub fn subgraph_sdl(supergraph: Supergraph) -> String {
    let sdl = ENTITIES.iter().fold(sdl(), |sdl, (from, to)| sdl.replace(from, to));
    let (sdl, imports) = match supergraph {
        Supergraph::Router => (
            sdl.lines().map(with_router_directives).collect(),
            r#""@key", "@shareable", "@authenticated", "@requiresScopes", "@policy""#,
        ),
        Supergraph::Gateway => (sdl, r#""@key", "@shareable""#),
    };
    format!("{sdl}extend schema @link(url: \"{VERSION}\", import: [{imports}])\n")
}

/// The root of queries of a subgraph.
#[derive(Default, MergedObject)]
pub struct Query(Queries, Federation);

#[derive(Default)]
struct Federation;

/// Fields that a router of Apollo Federation queries.
#[Object]
impl Federation {
    /// Schema of the subgraph, for the router.
    #[graphql(name = "_service")]
    async fn service(&self) -> Service {
        Service
    }

    /// Entities with these representations, in the same order; null for each that does not exist or
    /// that the caller may not see. Without an access token all are null; an invalid or expired
    /// access token causes the error UNAUTHENTICATED.
    #[graphql(name = "_entities")]
    async fn entities(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Type and key of each entity, at most 100.")] representations: Vec<Any>,
    ) -> Result<Vec<Option<Entity>>> {
        if representations.len() > MAX_NODES {
            return Err(bad_input(format!(
                "Too many representations. Request at most {MAX_NODES} entities at once."
            )));
        }
        let Some(viewer) = somebody(context)? else {
            return Ok(representations.iter().map(|_| None).collect());
        };
        let entities = representations.iter().map(async |any| {
            let node = Node::load(context, viewer, &any.id).await?;
            Ok(node.and_then(|node| Entity::of(node, &any.type_name)))
        });
        futures_util::future::try_join_all(entities).await
    }
}

struct Service;

/// Description of the subgraph for the router.
#[expect(clippy::unused_async, reason = "a resolver is one, whether or not it waits")]
#[Object(name = "_Service")]
impl Service {
    /// Schema of the subgraph in SDL, with the directives of federation. If introspection is
    /// disabled, the value is null and the error is FORBIDDEN.
    async fn sdl(&self, context: &Context<'_>) -> Result<Option<String>> {
        if context.schema_env.registry.introspection_mode == IntrospectionMode::Disabled {
            return Err(forbidden(
                "Introspection is disabled. Print the schema with `sallyport schema --federation`.",
            ));
        }
        Ok(Some(subgraph_sdl(*context.data_unchecked::<Supergraph>())))
    }
}

/// Types that other subgraphs may refer to.
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

/// Representation of an entity: its type and its key, as another subgraph knows them.
struct Any {
    type_name: String,
    id: ID,
}

/// Representation of an entity: the name of its type and its key, e.g. `{ __typename: "User", id:
/// "User:…" }`.
#[Scalar(name = "_Any")]
impl ScalarType for Any {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::Object(members) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        match (members.get("__typename"), members.get("id")) {
            (Some(Value::String(type_name)), Some(Value::String(id))) => {
                Ok(Self { type_name: type_name.clone(), id: ID(id.clone()) })
            }
            _ => Err(InputValueError::custom(
                "A representation must have a `__typename` and an `id`.",
            )),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.id.to_string())
    }
}
