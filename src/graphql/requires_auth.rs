//! `@requiresAuth`: what a field requires of its caller, declared once.
//!
//! The declaration in the schema is the guard: it is read from the registry at each root field, so a
//! field cannot be documented as guarded and be open, or the other way round. A resolver authenticates
//! again, because it needs the viewer. A subscription reads its requirement itself: its caller is
//! authorized before there is any event, and the last event may be the end of the caller's own session.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::extensions::{ExtensionContext, ResolveInfo};
use async_graphql::registry::{MetaType, Registry};
use async_graphql::{Context, Error, ServerResult, TypeDirective, Value};

use super::RequestData;
use super::error::expose;
use super::types::{Assurance, Role};
use crate::auth::{Auth, Denial, Requirement};
use crate::domain::{assurance, user};

/// Requires a valid access token of an active session; otherwise the error is UNAUTHENTICATED. With
/// `role`, also requires this role; otherwise the error is FORBIDDEN. With `freshWithin`, also requires
/// that the user logged in or reauthenticated at most so many seconds ago; otherwise the error is
/// UNAUTHENTICATED with the reason `REAUTHENTICATION_REQUIRED`, and `reauthenticate` helps. With
/// `assurance`, also requires that the session has at least this assurance, otherwise the error is the
/// same; together with `freshWithin`, that a second factor was given within that time.
#[TypeDirective(location = "FieldDefinition")]
pub fn requiresAuth(role: Option<Role>, fresh_within: Option<i32>, assurance: Option<Assurance>) {}

/// Seconds within which the user must have logged in or reauthenticated for changes of credentials and
/// irrevocable changes.
pub(super) const FRESH: i32 = 300;

/// Seconds within which an administrator must have logged in or reauthenticated to hand out power or to take
/// it from everybody.
pub(super) const RECENT: i32 = 600;

/// The root type whose fields authorize their callers themselves.
const SUBSCRIPTION: &str = "Subscription";

const STRONGEST: assurance::Assurance = assurance::Assurance::PhishingResistant;

/// Authorizes the caller for this field, where it is a guarded root field.
pub(super) fn authorize(
    context: &ExtensionContext<'_>,
    field: &ResolveInfo<'_>,
) -> ServerResult<()> {
    if field.path_node.parent.is_some() || field.parent_type == SUBSCRIPTION {
        return Ok(());
    }
    let registry = &context.schema_env.registry;
    let Some(required) = requirement(registry, field.parent_type, field.name) else {
        return Ok(());
    };
    let auth = context.data_unchecked::<Arc<Auth>>();
    match auth.guard.authorize(&context.data_unchecked::<RequestData>().caller, &required) {
        Ok(_) => Ok(()),
        Err(denial) => Err(expose(denial.into()).into_server_error(field.field.name.pos)),
    }
}

/// Requirement of the subscription's field in this context.
///
/// # Errors
/// `FORBIDDEN` if the field has no requirement: no events are public.
pub(super) fn declared(context: &Context<'_>) -> Result<Requirement, Error> {
    let field = context.item.node.name.node.as_str();
    requirement(&context.schema_env.registry, SUBSCRIPTION, field)
        .ok_or_else(|| expose(Denial::Forbidden.into()))
}

/// Requirement of the field; `None` if it is public.
fn requirement(registry: &Registry, of: &str, field: &str) -> Option<Requirement> {
    let MetaType::Object { fields, .. } = registry.types.get(of)? else { return None };
    let guards = &fields.get(field)?.directive_invocations;
    let guard = guards.iter().find(|guard| guard.name == "requiresAuth")?;
    let role = guard.args.get("role").and_then(|role| match role {
        // An unknown role requires an administrator: it must not make the field public.
        Value::Enum(word) => Some(user::Role::read(word)),
        _ => None,
    });
    let fresh_within = guard.args.get("freshWithin").map(|seconds| match seconds {
        Value::Number(seconds) => Duration::from_secs(seconds.as_u64().unwrap_or(0)),
        // It must not make the field less protected.
        _ => Duration::ZERO,
    });
    let assurance = guard.args.get("assurance").map(|word| match word {
        Value::Enum(word) => assurance::Assurance::parse(word),
        _ => None,
    });
    // An unknown assurance requires the strongest one.
    let assurance = assurance.map(|known| known.unwrap_or(STRONGEST));
    Some(Requirement { role, fresh_within, assurance })
}
