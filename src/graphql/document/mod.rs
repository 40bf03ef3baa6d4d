//! Documents: parsing within limits, checks against the schema, and preparation for execution.
//!
//! Every transport hands its text to [`prepare`] and executes the operation that comes back, never
//! the text. The limits of async-graphql come too late: its parser overflows the stack on nested
//! values and kills the process, and its recursion check takes minutes on fragments that double.
//!
//! 1. `text_limits`: one pass over the tokens bounds length and nesting, before the parser.
//! 2. The parser of async-graphql, and what it does not check
//!    (`conformance::parser_rules`).
//! 3. `complexity`: fields, depth, aliases and directives, with each fragment visited once.
//! 4. `variable_limits`: number and nesting of the values in the variables.
//! 5. `schema_check`, at execution: validity, `introspection_size` and `answer_size`.
//!
//! Steps 1 to 3 take time linear in the length of the text. Their result, and that of step 5 where
//! variables do not matter, is in the `cache`.

mod answer_size;
mod cache;
mod complexity;
mod credential_mutations;
mod introspection_size;
mod limits;
mod list_lengths;
mod prepared_operation;
mod schema_check;
mod text_limits;
mod variable_limits;

#[cfg(test)]
mod complexity_tests;
#[cfg(test)]
mod hostile_document_tests;
#[cfg(test)]
mod text_limits_parser_tests;

pub use super::refusal::{Measure, Refusal, one_line};
pub use cache::PreparedOperations;
pub use limits::{Limits, MAX_BRACKETS, MAX_NESTING};
pub use prepared_operation::{PreparedOperation, prepare};
pub(super) use schema_check::SchemaCheck;
pub use variable_limits::variables;
