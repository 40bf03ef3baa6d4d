//! Directives at every location of a document.
//!
//! Specification: GraphQL (September 2025), sections 5.7 (defined, in valid locations, unique) and 5.4
//! (their arguments).
//! async-graphql 7.2 does not look up the directives of variable definitions, nor those at
//! `__typename`.
//! Upstream: no upstream issue found (2026-11).
//! Remove when: async-graphql reports both directives of
//! `query($v: Int @unknown) { __typename @unknown }`.

use std::collections::HashSet;

use async_graphql::Positioned;
use async_graphql::parser::types::Directive;
use async_graphql::registry::MetaTypeName;

use super::values::ValueCheck;
use crate::graphql::refusal::Refusal;

/// Checks directives at `location`, a name of the specification such as `FIELD`.
pub(super) fn check<'a>(
    values: &mut ValueCheck<'a>,
    directives: &'a [Positioned<Directive>],
    location: &str,
) -> Result<(), Refusal> {
    let mut names = HashSet::new();
    for directive in directives {
        let (at, Directive { name, arguments }) = (directive.pos, &directive.node);
        let Some(definition) = values.registry.directives.get(name.node.as_str()) else {
            return Err(Refusal::invalid(format!("Unknown directive \"@{name}\"."), at));
        };
        // async-graphql does not export the type of a location, so its name is compared.
        if !definition.locations.iter().any(|allowed| format!("{allowed:?}") == location) {
            let message = format!("The directive \"@{name}\" is not allowed here.");
            return Err(Refusal::invalid(message, at));
        }
        if !definition.is_repeatable && !names.insert(&name.node) {
            return Err(Refusal::invalid(format!("The directive \"@{name}\" is repeated."), at));
        }
        let mut argument_names = HashSet::new();
        for (argument, _) in arguments {
            if !definition.args.contains_key(argument.node.as_str()) {
                let message = format!("Directive \"@{name}\" has no argument \"{argument}\".");
                return Err(Refusal::invalid(message, argument.pos));
            }
            if !argument_names.insert(argument.node.as_str()) {
                let message = format!("The argument \"{argument}\" is repeated.");
                return Err(Refusal::invalid(message, argument.pos));
            }
        }
        for argument in definition.args.values() {
            let is_required = MetaTypeName::create(&argument.ty).is_non_null()
                && argument.default_value.is_none();
            if is_required && !argument_names.contains(argument.name.as_str()) {
                let message =
                    format!("Directive \"@{name}\" requires the argument \"{}\".", argument.name);
                return Err(Refusal::invalid(message, at));
            }
        }
        values.arguments(arguments, |name| definition.args.get(name))?;
    }
    Ok(())
}
