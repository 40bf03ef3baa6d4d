//! `WHERE` clauses built at run time.
//!
//! The SQL text consists of constants of the callers. Everything from outside is a bound argument.

use sqlx::types::Uuid;

#[derive(Clone, Debug)]
pub(in crate::store) enum Arg {
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Uuid(Uuid),
}

/// Conditions joined by `AND`.
#[derive(Clone, Debug)]
pub(in crate::store) struct Conditions {
    sql: String,
    args: Vec<Arg>,
    /// Number of placeholders of the statement before these.
    offset: usize,
}

impl Conditions {
    /// No conditions yet, for a statement that has `offset` placeholders of its own.
    pub(in crate::store) fn after(offset: usize) -> Self {
        Self { sql: "1 = 1".to_owned(), args: Vec::new(), offset }
    }

    /// Adds a condition in which each `?` stands for the next argument.
    pub(in crate::store) fn and(
        &mut self,
        condition: &'static str,
        args: impl IntoIterator<Item = Arg>,
    ) {
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

    /// Adds `column IN (…)`; without arguments the condition is false.
    pub(in crate::store) fn and_one_of(&mut self, column: &'static str, args: Vec<Arg>) {
        if args.is_empty() {
            self.sql.push_str(" AND 1 = 0");
            return;
        }
        let first = self.offset + self.args.len() + 1;
        let list: Vec<String> = (first..first + args.len()).map(|n| format!("${n}")).collect();
        self.sql.extend([" AND ", column, " IN (", &list.join(", "), ")"]);
        self.args.extend(args);
    }

    /// Adds `column NOT IN (…)`; `column IS NOT NULL` without arguments.
    pub(in crate::store) fn and_none_of(&mut self, column: &'static str, args: Vec<Arg>) {
        if args.is_empty() {
            self.sql.extend([" AND ", column, " IS NOT NULL"]);
            return;
        }
        let first = self.offset + self.args.len() + 1;
        let list: Vec<String> = (first..first + args.len()).map(|n| format!("${n}")).collect();
        self.sql.extend([" AND ", column, " NOT IN (", &list.join(", "), ")"]);
        self.args.extend(args);
    }

    /// The text after `WHERE`.
    pub(in crate::store) fn sql(&self) -> &str {
        &self.sql
    }

    /// The arguments, in the order of their numbers.
    pub(in crate::store) fn into_args(self) -> Vec<Arg> {
        self.args
    }
}

/// Binds the arguments to a query of either database.
macro_rules! bind_all {
    ($query:expr, $args:expr) => {{
        let mut query = $query;
        for arg in $args {
            query = match arg {
                $crate::store::query::conditions::Arg::Int(value) => query.bind(value),
                $crate::store::query::conditions::Arg::Text(value) => query.bind(value),
                $crate::store::query::conditions::Arg::Bytes(value) => query.bind(value),
                $crate::store::query::conditions::Arg::Uuid(value) => query.bind(value),
            };
        }
        query
    }};
}
pub(in crate::store) use bind_all;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_after_the_statements_own() {
        let mut conditions = Conditions::after(2);
        conditions.and("a = ? OR b = ?", [Arg::Int(1), Arg::Int(2)]);
        conditions.and_one_of("c", vec![Arg::Int(3), Arg::Int(4)]);
        assert_eq!(conditions.sql(), "1 = 1 AND (a = $3 OR b = $4) AND c IN ($5, $6)");
        assert_eq!(conditions.into_args().len(), 4);
    }

    #[test]
    fn values_are_excluded_by_a_list_of_their_own() {
        let mut conditions = Conditions::after(1);
        conditions.and_none_of("c", vec![Arg::Int(3), Arg::Int(4)]);
        conditions.and_none_of("d", Vec::new());
        assert_eq!(conditions.sql(), "1 = 1 AND c NOT IN ($2, $3) AND d IS NOT NULL");
    }

    #[test]
    fn an_empty_list_of_values_matches_nothing() {
        let mut conditions = Conditions::after(0);
        conditions.and_one_of("c", Vec::new());
        assert_eq!(conditions.sql(), "1 = 1 AND 1 = 0");
    }
}
