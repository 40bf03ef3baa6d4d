//! Directives: known, at their places, unique, with their arguments (sections 5.7 and 5.4). Where
//! async-graphql looks, too, it has judged already; it passes over variables and `__typename`.

use std::collections::HashSet;

use async_graphql::Positioned;
use async_graphql::parser::types::Directive;
use async_graphql::registry::MetaTypeName;

use super::invalid;
use super::values::Walk;
use crate::graphql::refusal::Refusal;

/// Checks the directives at a place that is called `location` in the specification.
pub(super) fn check<'a>(
    walk: &mut Walk<'a>,
    directives: &'a [Positioned<Directive>],
    location: &str,
) -> Result<(), Refusal> {
    let mut names = HashSet::new();
    for directive in directives {
        let (at, Directive { name, arguments }) = (directive.pos, &directive.node);
        let Some(definition) = walk.registry.directives.get(name.node.as_str()) else {
            return invalid(format!("Unknown directive \"@{name}\""), at);
        };
        // The type of a location cannot be named, only written.
        if !definition.locations.iter().any(|allowed| format!("{allowed:?}") == location) {
            return invalid(format!("The directive \"@{name}\" does not go here"), at);
        }
        if !definition.is_repeatable && !names.insert(&name.node) {
            return invalid(format!("The directive \"@{name}\" is here twice"), at);
        }
        let mut given = HashSet::new();
        for (argument, _) in arguments {
            if !definition.args.contains_key(argument.node.as_str()) {
                return invalid(
                    format!("\"@{name}\" has no argument \"{argument}\""),
                    argument.pos,
                );
            }
            if !given.insert(argument.node.as_str()) {
                return invalid(format!("The argument \"{argument}\" is here twice"), argument.pos);
            }
        }
        for argument in definition.args.values() {
            let is_needed = MetaTypeName::create(&argument.ty).is_non_null()
                && argument.default_value.is_none();
            if is_needed && !given.contains(argument.name.as_str()) {
                let message = format!("\"@{name}\" needs the argument \"{}\"", argument.name);
                return invalid(message, at);
            }
        }
        walk.arguments(arguments, |name| definition.args.get(name))?;
    }
    Ok(())
}
