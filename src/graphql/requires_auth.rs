//! `@requiresAuth`: who may ask for a field, declared once.
//!
//! Rule: the declaration in the schema is the guard. It is read from the registry at each root
//! field, so a field cannot be documented as guarded and be open, or the other way round. A
//! subscription asks it for itself: its caller is judged before there is any event, and the last event
//! may be the end of the caller's own session.

use std::sync::Arc;

use async_graphql::extensions::{ExtensionContext, ResolveInfo};
use async_graphql::registry::{MetaType, Registry};
use async_graphql::{Context, Error, ServerResult, TypeDirective, Value};

use super::Shared;
use super::error::expose;
use super::types::Role;
use crate::auth::{Auth, Denial};
use crate::domain::user;

/// Answers only to a caller with a valid access token of a live session (of this role, where given);
/// else UNAUTHENTICATED or FORBIDDEN.
#[TypeDirective(location = "FieldDefinition")]
pub fn requiresAuth(role: Option<Role>) {}

/// The root type whose fields judge their callers themselves.
const SUBSCRIPTION: &str = "Subscription";

/// Judges whoever asks for this field, where it is a guarded root field.
pub(super) fn judge(context: &ExtensionContext<'_>, field: &ResolveInfo<'_>) -> ServerResult<()> {
    if field.path_node.parent.is_some() || field.parent_type == SUBSCRIPTION {
        return Ok(());
    }
    let registry = &context.schema_env.registry;
    let Some(role) = required(registry, field.parent_type, field.name) else { return Ok(()) };
    let auth = context.data_unchecked::<Arc<Auth>>();
    match auth.authorize(&context.data_unchecked::<Shared>().caller, role) {
        Ok(_) => Ok(()),
        Err(denial) => Err(expose(denial.into()).into_server_error(field.field.name.pos)),
    }
}

/// The role that the subscription's field in this context asks for.
///
/// # Errors
/// `FORBIDDEN` where it asks for nobody: there are no events for everybody.
pub(super) fn declared(context: &Context<'_>) -> Result<Option<user::Role>, Error> {
    let field = context.item.node.name.node.as_str();
    required(&context.schema_env.registry, SUBSCRIPTION, field)
        .ok_or_else(|| expose(Denial::Forbidden.into()))
}

/// The role that the field asks for; `None` where it asks for nobody.
#[expect(clippy::option_option, reason = "a guard without a role is not no guard")]
fn required(registry: &Registry, of: &str, field: &str) -> Option<Option<user::Role>> {
    let MetaType::Object { fields, .. } = registry.types.get(of)? else { return None };
    let guards = &fields.get(field)?.directive_invocations;
    let guard = guards.iter().find(|guard| guard.name == "requiresAuth")?;
    Some(guard.args.get("role").and_then(|role| match role {
        Value::Enum(word) => user::Role::parse(word),
        _ => None,
    }))
}
