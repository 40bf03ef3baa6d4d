//! Flags about the limits of one request.
//!
//! Every value in the permitted ranges is safe. A limit that is unsafe at any other value than its default
//! has no flag: one mutation of passwords or tokens per document.

use clap::Args;
use clap::builder::{RangedU64ValueParser, TypedValueParser};

use crate::graphql::document::{Limits, MAX_BRACKETS, MAX_NESTING};

/// Flags about the limits of a document and its variables.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits")]
#[expect(clippy::struct_field_names, reason = "the names of the flags")]
pub struct LimitArguments {
    /// Maximum size of a document, 1024 to 65536 bytes
    #[arg(
        long,
        env = "SALLYPORT_MAX_DOCUMENT_BYTES",
        value_name = "COUNT",
        default_value_t = Limits::default().bytes,
        value_parser = range(1_024, 65_536)
    )]
    max_document_bytes: usize,

    /// Maximum number of tokens in a document, 100 to 20000
    #[arg(
        long,
        env = "SALLYPORT_MAX_TOKENS",
        value_name = "COUNT",
        default_value_t = Limits::default().tokens,
        value_parser = range(100, 20_000)
    )]
    max_tokens: usize,

    /// Maximum nesting of brackets of any kind, 8 to 64
    #[arg(
        long,
        env = "SALLYPORT_MAX_BRACKETS",
        value_name = "COUNT",
        default_value_t = Limits::default().brackets,
        value_parser = range(8, MAX_BRACKETS)
    )]
    max_brackets: usize,

    /// Maximum nesting of selection sets, including those of fragments, 4 to 32
    #[arg(
        long,
        env = "SALLYPORT_MAX_NESTING",
        value_name = "COUNT",
        default_value_t = Limits::default().nesting,
        value_parser = range(4, MAX_NESTING)
    )]
    max_nesting: usize,

    /// Maximum number of fields, with fragments expanded, 10 to 5000
    #[arg(
        long,
        env = "SALLYPORT_MAX_FIELDS",
        value_name = "COUNT",
        default_value_t = Limits::default().fields,
        value_parser = range(10, 5_000)
    )]
    max_fields: usize,

    /// Maximum nesting of fields, 4 to 32
    #[arg(
        long,
        env = "SALLYPORT_MAX_DEPTH",
        value_name = "COUNT",
        default_value_t = Limits::default().depth,
        value_parser = range(4, MAX_NESTING)
    )]
    max_depth: usize,

    /// Maximum number of aliases, 0 to 500
    #[arg(
        long,
        env = "SALLYPORT_MAX_ALIASES",
        value_name = "COUNT",
        default_value_t = Limits::default().aliases,
        value_parser = range(0, 500)
    )]
    max_aliases: usize,

    /// Maximum number of directives, 0 to 500
    #[arg(
        long,
        env = "SALLYPORT_MAX_DIRECTIVES",
        value_name = "COUNT",
        default_value_t = Limits::default().directives,
        value_parser = range(0, 500)
    )]
    max_directives: usize,

    /// Maximum number of introspection fields, counted separately from other fields, 0 to 5000
    #[arg(
        long,
        env = "SALLYPORT_MAX_INTROSPECTION_FIELDS",
        value_name = "COUNT",
        default_value_t = Limits::default().introspection_fields,
        value_parser = range(0, 5_000)
    )]
    max_introspection_fields: usize,

    /// Maximum nesting of introspection fields, 0 to 32
    #[arg(
        long,
        env = "SALLYPORT_MAX_INTROSPECTION_DEPTH",
        value_name = "COUNT",
        default_value_t = Limits::default().introspection_depth,
        value_parser = range(0, MAX_NESTING)
    )]
    max_introspection_depth: usize,

    /// Maximum nesting of introspection lists, 0 to 3; each list multiplies the response by the size of
    /// the schema
    #[arg(
        long,
        env = "SALLYPORT_MAX_INTROSPECTION_LISTS",
        value_name = "COUNT",
        default_value_t = Limits::default().introspection_lists,
        value_parser = range(0, 3)
    )]
    max_introspection_lists: usize,

    /// Maximum number of directives on introspection fields, 0 to 1000
    #[arg(
        long,
        env = "SALLYPORT_MAX_INTROSPECTION_DIRECTIVES",
        value_name = "COUNT",
        default_value_t = Limits::default().introspection_directives,
        value_parser = range(0, 1_000)
    )]
    max_introspection_directives: usize,

    /// Maximum number of nodes in a response if every page is full, 1000 to 100000
    #[arg(
        long,
        env = "SALLYPORT_MAX_NODES",
        value_name = "COUNT",
        default_value_t = Limits::default().nodes,
        value_parser = range(1_000, 100_000)
    )]
    max_nodes: usize,

    /// Maximum number of values in the variables, 10 to 10000
    #[arg(
        long,
        env = "SALLYPORT_MAX_VARIABLE_VALUES",
        value_name = "COUNT",
        default_value_t = Limits::default().variable_values,
        value_parser = range(10, 10_000)
    )]
    max_variable_values: usize,

    /// Maximum nesting of lists and objects in the variables, 2 to 64
    #[arg(
        long,
        env = "SALLYPORT_MAX_VARIABLE_DEPTH",
        value_name = "COUNT",
        default_value_t = Limits::default().variable_depth,
        value_parser = range(2, 64)
    )]
    max_variable_depth: usize,
}

fn range(min: usize, max: usize) -> impl TypedValueParser<Value = usize> {
    RangedU64ValueParser::new().range(min as u64..=max as u64)
}

impl From<LimitArguments> for Limits {
    fn from(arguments: LimitArguments) -> Self {
        Self {
            bytes: arguments.max_document_bytes,
            tokens: arguments.max_tokens,
            brackets: arguments.max_brackets,
            nesting: arguments.max_nesting,
            fields: arguments.max_fields,
            depth: arguments.max_depth,
            aliases: arguments.max_aliases,
            directives: arguments.max_directives,
            introspection_fields: arguments.max_introspection_fields,
            introspection_depth: arguments.max_introspection_depth,
            introspection_lists: arguments.max_introspection_lists,
            introspection_directives: arguments.max_introspection_directives,
            nodes: arguments.max_nodes,
            credential_mutations: Self::default().credential_mutations,
            variable_values: arguments.max_variable_values,
            variable_depth: arguments.max_variable_depth,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        limits: LimitArguments,
    }

    fn parse(line: &str) -> Option<Limits> {
        let line = std::iter::once("sallyport").chain(line.split_whitespace());
        Line::try_parse_from(line).ok().map(|line| line.limits.into())
    }

    #[test]
    fn without_flags_the_limits_are_the_defaults() {
        assert_eq!(parse(""), Some(Limits::default()));
    }

    #[test]
    fn a_flag_sets_its_limit_and_no_other() {
        let limits = parse("--max-aliases 3 --max-introspection-depth 9").unwrap();
        assert_eq!(limits, Limits { aliases: 3, introspection_depth: 9, ..Limits::default() });
    }

    #[test]
    fn a_value_outside_its_range_is_refused() {
        for line in [
            "--max-brackets 65",
            "--max-nesting 33",
            "--max-depth 33",
            "--max-introspection-lists 4",
            "--max-variable-depth 65",
            "--max-document-bytes 65537",
            "--max-fields 0",
            "--max-credential-mutations 2",
        ] {
            assert!(parse(line).is_none(), "{line}");
        }
    }
}
