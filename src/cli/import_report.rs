//! What an import has, changes and leaves out, for people and for programs.

use std::fmt::Write;

use anyhow::Result;
use serde_json::{Value, json};

use super::table::{Cell, Output, Table, print};
use crate::auth::{ImportSummary, StagedImport};
use crate::domain::external_account::Source;
use crate::domain::import::{Problem, ProblemKind};
use crate::domain::unprintable::is_unprintable;
use crate::store::ImportStatus;

/// Problems of a kind that people are shown.
const MOST_SHOWN: u8 = 20;

/// Longest value in a line for people, in characters.
const MOST_CHARS: usize = 80;

/// Problems that are read at once.
const PAGE: i64 = 500;

/// Prints the report. `written` is the database that it was written to.
pub(super) async fn print_report(
    staged: &mut StagedImport,
    summary: &ImportSummary,
    written: Option<&str>,
    output: Output,
) -> Result<()> {
    if output.is_json() {
        print_problems_in_json(staged).await?;
        return print(&format!("{}\n", summary_in_json(summary, written.is_some())));
    }
    counts(summary).print(output)?;
    if let Some(other) = &summary.ids_of {
        print(&format!(
            "\nAccess tokens of these accounts have no claim user_id: the ids of {} are in it.\n",
            other.as_str()
        ))?;
    }
    for (kind, number) in &summary.problems {
        print(&problems_of_kind(staged, *kind, *number).await?)?;
    }
    print(&match written {
        Some(database) => format!("\nImported into {database}.\n"),
        None => "\nDry run: nothing was imported. Add --apply to import.\n".to_owned(),
    })
}

fn counts(summary: &ImportSummary) -> Table {
    let mut table = Table::new(&["import", "number"]);
    let mut push = |name: &str, number: u64| {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        table.push(vec![Cell::text(name), Cell::Number(number)]);
    };
    push("accounts: new", summary.users.new);
    push("accounts: changed there", summary.users.changed);
    push("accounts: unchanged", summary.users.unchanged);
    push("accounts: changed on both sides", summary.count(ProblemKind::ChangedOnBothSides));
    push("active accounts", summary.active);
    push("inactive accounts", summary.inactive);
    for (hasher, number) in &summary.hashers {
        push(&format!("passwords: {hasher}"), *number);
    }
    push("outstanding refresh tokens", summary.outstanding);
    push("blacklisted refresh tokens", summary.blacklisted);
    if summary.unknown_lines > 0 {
        push("lines of unknown kinds, ignored", summary.unknown_lines);
    }
    if summary.ended_sessions > 0 {
        push("ended sessions", summary.ended_sessions as u64);
    }
    table
}

async fn problems_of_kind(
    staged: &mut StagedImport,
    kind: ProblemKind,
    number: u64,
) -> Result<String> {
    let (problems, _) = staged.problems(Some(kind), 0, i64::from(MOST_SHOWN)).await?;
    let mut text = format!("\n{}: {number} ({}).\n", kind.cause(), kind.consequence());
    for problem in problems {
        let _ = writeln!(text, "  {}", line(&problem));
    }
    if let Some(more) = number.checked_sub(u64::from(MOST_SHOWN)).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {more} more; --json lists all");
    }
    Ok(text)
}

fn line(problem: &Problem) -> String {
    let mut parts = Vec::new();
    if problem.line > 0 {
        parts.push(format!("line {}", problem.line));
    }
    parts.extend(problem.id.as_ref().map(|id| format!("id {}", shown(id))));
    let place = parts.join(", ");
    let value = problem.value.as_deref().map(shown);
    let outcome = problem.outcome.as_deref().map(shown);
    match (value, outcome) {
        (None, None) => place,
        (Some(one), None) | (None, Some(one)) => format!("{place}: {one}"),
        (Some(value), Some(outcome)) => format!("{place}: {value} -> {outcome}"),
    }
}

/// Input of strangers on one line of a terminal.
fn shown(text: &str) -> String {
    let visible = |c: char| if is_unprintable(c) { '\u{fffd}' } else { c };
    let mut short: String = text.chars().take(MOST_CHARS).map(visible).collect();
    if text.chars().nth(MOST_CHARS).is_some() {
        short.push('…');
    }
    short
}

async fn print_problems_in_json(staged: &mut StagedImport) -> Result<()> {
    let mut after = 0;
    loop {
        let (problems, last) = staged.problems(None, after, PAGE).await?;
        if last == after {
            return Ok(());
        }
        after = last;
        let mut text = String::new();
        for problem in problems {
            let _ = writeln!(text, "{}", problem_in_json(&problem));
        }
        print(&text)?;
    }
}

fn problem_in_json(problem: &Problem) -> Value {
    json!({
        "kind": if problem.kind.is_note() { "note" } else { "problem" },
        "problem": problem.kind.as_str(),
        "line": (problem.line > 0).then_some(problem.line),
        "id": problem.id,
        "value": problem.value,
        "outcome": problem.outcome,
    })
}

fn summary_in_json(summary: &ImportSummary, is_applied: bool) -> Value {
    let problems = summary.problems.iter();
    let problems = problems.map(|(kind, number)| (kind.as_str().to_owned(), json!(number)));
    let hashers = summary.hashers.iter().map(|(hasher, number)| (hasher.clone(), json!(number)));
    json!({
        "kind": "summary",
        "applied": is_applied,
        "source": summary.source.as_str(),
        "users": {
            "new": summary.users.new,
            "changed": summary.users.changed,
            "unchanged": summary.users.unchanged,
            "changedOnBothSides": summary.count(ProblemKind::ChangedOnBothSides),
        },
        "active": summary.active,
        "inactive": summary.inactive,
        "passwords": Value::Object(hashers.collect()),
        "outstanding": summary.outstanding,
        "blacklisted": summary.blacklisted,
        "unknownLines": summary.unknown_lines,
        "externalIdsOf": summary.ids_of.as_ref().map(Source::as_str),
        "endedSessions": summary.ended_sessions,
        "problems": Value::Object(problems.collect()),
    })
}

pub(super) fn print_status(status: &[ImportStatus], json: bool) -> Result<()> {
    if json {
        let all: Vec<Value> = status.iter().map(status_in_json).collect();
        return print(&format!("{}\n", Value::Array(all)));
    }
    let mut table = Table::new(&[
        "source",
        "users",
        "legacy_passwords",
        "exchanged_tokens",
        "last_exchange",
        "last_token_expires",
    ]);
    for one in status {
        table.push(vec![
            Cell::text(Source::as_str(&one.source)),
            Cell::Number(one.users),
            Cell::Number(one.legacy_passwords),
            Cell::Number(one.exchanged_tokens),
            one.last_exchange_at.map_or(Cell::Nothing, Cell::Time),
            one.last_token_expires_at.map_or(Cell::Nothing, Cell::Time),
        ]);
    }
    table.print_aligned()
}

fn status_in_json(status: &ImportStatus) -> Value {
    json!({
        "source": status.source.as_str(),
        "users": status.users,
        "legacyPasswords": status.legacy_passwords,
        "exchangedTokens": status.exchanged_tokens,
        "lastExchangeAt": status.last_exchange_at.map(|at| at.to_string()),
        "lastTokenExpiresAt": status.last_token_expires_at.map(|at| at.to_string()),
    })
}
