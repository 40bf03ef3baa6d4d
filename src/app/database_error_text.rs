//! Text of database errors for operators.
//!
//! The drivers' prefixes, result codes and source lines are cut off.

use std::error::Error;

use crate::store::DatabaseUrl;

const PREFIXES: [&str; 4] = [
    "error communicating with database: ",
    "error returned from database: ",
    "while executing migrations: ",
    "error occurred while attempting to establish a TLS connection: ",
];

/// The reason inside an error, in one line.
#[must_use]
pub fn reason(error: &(dyn Error + 'static)) -> String {
    // A driver's error contains the text of its own source, so the source of ours is enough.
    let said = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    // A fragment: it is followed by advice.
    plain(&line).trim_end_matches('.').to_owned()
}

fn plain(said: &str) -> &str {
    if said.starts_with("pool timed out") {
        // The driver retries refused connections until its timeout, and then reports only that.
        return "the server does not respond";
    }
    let said = PREFIXES.iter().fold(said, |said, prefix| said.trim_start_matches(prefix));
    // SQLite prefixes its result code, PostgreSQL appends the line of its own source.
    let said = match said.strip_prefix("(code: ").and_then(|rest| rest.split_once(") ")) {
        Some((_, rest)) => rest,
        None => said,
    };
    match said.rsplit_once(" at line ") {
        Some((rest, line)) if line.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => said,
    }
}

pub(super) fn advice(database: &DatabaseUrl) -> &'static str {
    if database.path().is_some() {
        "check the path in --database-url and this user's write permission"
    } else {
        "check --database-url and whether the server is running"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_what_the_database_says_and_nothing_around_it() {
        for (said, plainly) in [
            (
                "error returned from database: (code: 26) file is not a database",
                "file is not a database",
            ),
            (
                "error returned from database: database \"a\" does not exist at line 948",
                "database \"a\" does not exist",
            ),
            (
                "error communicating with database: Connection refused (os error 111)",
                "Connection refused (os error 111)",
            ),
            ("pool timed out while waiting for an open connection", "the server does not respond"),
            ("a line at line no", "a line at line no"),
        ] {
            assert_eq!(plain(said), plainly);
        }
    }
}
