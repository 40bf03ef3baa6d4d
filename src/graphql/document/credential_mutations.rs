//! Mutations with a secret in their input: a password or a token.
//!
//! An operation may have one of them only, or one request could try many passwords, whatever limits
//! the requests. The names are read from the schema: each mutation with an argument that is marked
//! `#[graphql(secret)]`, or with an input object that has such a field.

use std::collections::HashSet;
use std::sync::LazyLock;

use async_graphql::OutputType;
use async_graphql::registry::{MetaField, MetaInputValue, MetaType, Registry};

use crate::graphql::mutations::Mutation;

static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut registry = Registry::default();
    Mutation::create_type_info(&mut registry);
    let root = registry.types.get(&*Mutation::type_name());
    let fields = root.and_then(MetaType::fields).into_iter().flat_map(|fields| fields.values());
    let has_secret = |field: &&MetaField| {
        field.args.values().any(|argument| is_secret(argument, &registry, &mut HashSet::new()))
    };
    fields.filter(has_secret).map(|field| field.name.clone()).collect()
});

/// Reads the names, which takes about a millisecond the first time.
pub(super) fn load() {
    LazyLock::force(&NAMES);
}

/// Whether the mutation of this name has a secret in its input.
pub(super) fn contains(name: &str) -> bool {
    NAMES.iter().any(|mutation| mutation == name)
}

/// Whether the value is a secret, or an input object with a secret in it. `visited` has the names of
/// input objects that were looked at, since they may contain each other.
fn is_secret<'a>(
    value: &'a MetaInputValue,
    registry: &'a Registry,
    visited: &mut HashSet<&'a str>,
) -> bool {
    if value.is_secret {
        return true;
    }
    match registry.concrete_type_by_name(&value.ty) {
        Some(MetaType::InputObject { name, input_fields, .. }) => {
            visited.insert(name) && input_fields.values().any(|of| is_secret(of, registry, visited))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mutations_of_passwords_and_tokens_have_a_secret() {
        let mut names = NAMES.clone();
        names.sort_unstable();
        let expected = [
            "beginPasskeyRegistration",
            "beginTotp",
            "changePassword",
            "confirmEmailChange",
            "confirmTotp",
            "continueLogin",
            "createUser",
            "login",
            "loginWithLink",
            "loginWithPasskey",
            "logout",
            "reauthenticate",
            "refresh",
            "register",
            "registerPasskey",
            "resetPassword",
            "revertEmailChange",
            "setUserPassword",
            "verifyEmail",
        ];
        assert_eq!(names, expected);
    }
}
