//! Building blocks of queries: `WHERE` clauses, row types, and SQL fragments.

pub(super) mod conditions;
pub(super) mod filters;
pub(super) mod floor_sql;
pub(super) mod from_row;
pub(super) mod rows;
