//! `WHERE` clauses put together at run time, for lists with filters and for the ends of sessions.
//!
//! Rule: the text is made of constants of this module's callers; whatever comes from outside is an
//! argument.

use sqlx::types::Uuid;

/// A value for a placeholder.
#[derive(Clone, Debug)]
pub(super) enum Arg {
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Uuid(Uuid),
}

/// Conditions that must all hold.
#[derive(Clone, Debug)]
pub(super) struct Conditions {
    sql: String,
    args: Vec<Arg>,
    /// Placeholders that the statement has besides.
    offset: usize,
}

impl Conditions {
    /// None yet, in a statement that has so many placeholders of its own before these.
    pub(super) fn after(offset: usize) -> Self {
        Self { sql: "1 = 1".to_owned(), args: Vec::new(), offset }
    }

    /// Adds a condition, each `?` in it standing for one of the arguments.
    pub(super) fn and(&mut self, condition: &'static str, args: impl IntoIterator<Item = Arg>) {
        self.sql.push_str(" AND (");
        let mut number = self.offset + self.args.len();
        for character in condition.chars() {
            if character == '?' {
                number += 1;
                self.sql.push('$');
                self.sql.push_str(&number.to_string());
            } else {
                self.sql.push(character);
            }
        }
        self.sql.push(')');
        self.args.extend(args);
    }

    /// Adds the condition that a column has one of these values.
    pub(super) fn and_one_of(&mut self, column: &'static str, args: Vec<Arg>) {
        if args.is_empty() {
            self.sql.push_str(" AND 1 = 0");
            return;
        }
        let first = self.offset + self.args.len() + 1;
        let list: Vec<String> = (first..first + args.len()).map(|n| format!("${n}")).collect();
        self.sql.extend([" AND ", column, " IN (", &list.join(", "), ")"]);
        self.args.extend(args);
    }

    /// The text behind `WHERE`.
    pub(super) fn sql(&self) -> &str {
        &self.sql
    }

    /// The arguments, in the order of their numbers.
    pub(super) fn into_args(self) -> Vec<Arg> {
        self.args
    }
}

/// Binds arguments to a query of either database.
macro_rules! bind_all {
    ($query:expr, $args:expr) => {{
        let mut query = $query;
        for arg in $args {
            query = match arg {
                $crate::store::conditions::Arg::Int(value) => query.bind(value),
                $crate::store::conditions::Arg::Text(value) => query.bind(value),
                $crate::store::conditions::Arg::Bytes(value) => query.bind(value),
                $crate::store::conditions::Arg::Uuid(value) => query.bind(value),
            };
        }
        query
    }};
}
pub(super) use bind_all;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_behind_the_statements_own() {
        let mut conditions = Conditions::after(2);
        conditions.and("a = ? OR b = ?", [Arg::Int(1), Arg::Int(2)]);
        conditions.and_one_of("c", vec![Arg::Int(3), Arg::Int(4)]);
        assert_eq!(conditions.sql(), "1 = 1 AND (a = $3 OR b = $4) AND c IN ($5, $6)");
        assert_eq!(conditions.into_args().len(), 4);
    }

    #[test]
    fn one_of_nothing_is_nothing() {
        let mut conditions = Conditions::after(0);
        conditions.and_one_of("c", Vec::new());
        assert_eq!(conditions.sql(), "1 = 1 AND 1 = 0");
    }
}
