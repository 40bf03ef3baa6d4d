//! Limits of documents, of their variables and of the answers.

/// Upper bound of [`Limits::brackets`]. A test shows that the parser has stack for twice as many.
pub const MAX_BRACKETS: usize = 64;

/// Upper bound of [`Limits::nesting`]. Beyond it async-graphql stops with an error without a code.
pub const MAX_NESTING: usize = 32;

/// Limits of a request. Every count from `nesting` to `introspection_directives` is taken with fragments
/// expanded, over all operations together: those that are not selected are validated, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the text.
    pub bytes: usize,
    /// Lexical tokens.
    pub tokens: usize,
    /// Nesting depth of `(`, `[` and `{` together; at most [`MAX_BRACKETS`].
    pub brackets: usize,
    /// Selection sets within each other, those of fragments too; [`MAX_NESTING`] at most.
    pub nesting: usize,
    /// Fields, `__typename` included.
    pub fields: usize,
    /// Fields within each other.
    pub depth: usize,
    /// Aliases.
    pub aliases: usize,
    /// Directives.
    pub directives: usize,
    /// Fields under `__schema` and `__type`, which count here and not as `fields`: the standard
    /// introspection query has more of them than any honest query of data has fields.
    pub introspection_fields: usize,
    /// Fields within each other under `__schema` and `__type`.
    pub introspection_depth: usize,
    /// Introspection's lists within each other (`types`, `fields`, `interfaces`, `possibleTypes`,
    /// `inputFields`). They lead from type to type, so each level multiplies the answer by the
    /// size of the schema; the standard query needs two.
    pub introspection_lists: usize,
    /// Directives under `__schema` and `__type`: clients leave parts of a schema out by them.
    pub introspection_directives: usize,
    /// Nodes in the answer to the selected operation, with every page full. Lists and values are
    /// bounded in proportion: lists within lists multiply, whatever the number of fields.
    pub nodes: usize,
    /// Mutations that hash a password or handle a token, in the selected operation.
    pub credential_mutations: usize,
    /// Values in the variables, counting each list, object and scalar: every use of a variable
    /// copies all of it.
    pub variable_values: usize,
    /// Nesting depth of lists and objects in the variables.
    pub variable_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 16 * 1024,
            tokens: 1500,
            brackets: 24,
            nesting: MAX_NESTING,
            fields: 200,
            depth: 14,
            aliases: 10,
            directives: 50,
            introspection_fields: 1500,
            introspection_depth: 20,
            introspection_lists: 2,
            introspection_directives: 200,
            nodes: 10_000,
            credential_mutations: 1,
            variable_values: 1000,
            variable_depth: 32,
        }
    }
}
