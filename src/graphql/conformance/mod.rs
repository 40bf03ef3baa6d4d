//! Corrections of async-graphql where it departs from the GraphQL specification.

pub(super) mod empty_objects;
pub(super) mod field_order;
pub(super) mod null_propagation;
pub(super) mod parser_rules;
pub(super) mod single_root_field;
pub(super) mod validation;
pub(super) mod variable_arguments;
