//! Helpers for texts and syntax trees of GraphQL documents, without any rule of their own.

pub(super) mod parent_type;
pub(super) mod text_order;
pub(super) mod tokens;
