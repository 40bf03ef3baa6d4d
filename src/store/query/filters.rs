//! `WHERE` clauses of the filters of lists.

use crate::clock::Timestamp;
use crate::domain::audit::AuditKind;
use crate::domain::blacklist::BlacklistReason;
use crate::domain::filter::{AuditFilter, BlacklistFilter, SessionFilter, TimeRange, UserFilter};
use crate::domain::login_name::LoginName;
use crate::domain::session::{EndReason, SessionState};
use crate::domain::user::Role;
use crate::store::backend::database::Database;
use crate::store::query::conditions::{Arg, Conditions};
use crate::store::query::floor_sql::below_a_floor;

const UNKNOWN: &str = EndReason::Unknown.as_str();

/// A text that sorts after every text with this prefix, in byte order.
fn after_prefix(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

/// Condition that a user agent contains a text, ignoring case. Not `lower(user_agent) LIKE`: PostgreSQL
/// has no statistics on an expression, so it would take every text for rare, and read and sort the
/// whole table for one page.
const USER_AGENT_POSTGRES: &str = "user_agent ILIKE ? ESCAPE '\\'";

/// The same for SQLite, whose `LIKE` ignores case.
const USER_AGENT_SQLITE: &str = "user_agent LIKE ? ESCAPE '\\'";

fn user_agent_condition(database: &Database) -> &'static str {
    match database {
        Database::Sqlite(_) => USER_AGENT_SQLITE,
        Database::Postgres(_) => USER_AGENT_POSTGRES,
    }
}

/// The pattern of `LIKE` for texts that contain `text`, with its wildcards escaped.
fn containing(text: &str) -> Arg {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    Arg::Text(format!("%{escaped}%"))
}

fn within(conditions: &mut Conditions, range: &TimeRange, from: &'static str, to: &'static str) {
    if let Some(after) = range.after {
        conditions.and(from, [Arg::Int(after.as_micros())]);
    }
    if let Some(before) = range.before {
        conditions.and(to, [Arg::Int(before.as_micros())]);
    }
}

/// Adds the condition that a column has one of the `chosen` words. `UNKNOWN` stands for every word that is
/// not in `all`, which a newer version wrote.
fn and_words(
    conditions: &mut Conditions,
    column: &'static str,
    chosen: &[&'static str],
    all: impl Iterator<Item = &'static str>,
) {
    let args = |words: &[&str]| words.iter().map(|word| Arg::Text((*word).to_owned())).collect();
    if !chosen.contains(&UNKNOWN) {
        return conditions.and_one_of(column, args(chosen));
    }
    let others: Vec<_> = all.filter(|word| !chosen.contains(word)).collect();
    conditions.and_none_of(column, args(&others));
}

pub(in crate::store) fn user_conditions(filter: &UserFilter) -> Conditions {
    let mut conditions = Conditions::after(0);
    conditions.and("deleted_at IS NULL", []);
    if let Some(search) = &filter.search {
        // No account can have an invalid name.
        match LoginName::parse(search) {
            Some(prefix) => {
                let (low, high) = (prefix.key().to_owned(), after_prefix(prefix.key()));
                let range = [low.clone(), high.clone(), low, high].map(Arg::Text);
                conditions.and("username_key BETWEEN ? AND ? OR email_key BETWEEN ? AND ?", range);
            }
            None => conditions.and("1 = 0", []),
        }
    }
    if let Some(role) = filter.role {
        and_words(
            &mut conditions,
            "role",
            &[role.as_str()],
            Role::ALL.iter().map(|role| role.as_str()),
        );
    }
    match filter.is_active {
        Some(true) => conditions.and("deactivated_at IS NULL", []),
        Some(false) => conditions.and("deactivated_at IS NOT NULL", []),
        None => {}
    }
    conditions
}

/// Adds the conditions of a session filter, for lists and for the end of sessions.
pub(in crate::store) fn add_session_filter(
    conditions: &mut Conditions,
    filter: &SessionFilter,
    now: Timestamp,
    database: &Database,
) {
    if let Some(user) = filter.user_id {
        conditions.and("user_id = ?", [Arg::Uuid(user.as_uuid())]);
    }
    let now = Arg::Int(now.as_micros());
    match filter.state {
        Some(SessionState::Active) => {
            conditions.and("ended_at IS NULL AND token_expires_at > ?", [now]);
            conditions.and(concat!("NOT ", below_a_floor!("sessions.id", "sessions.user_id")), []);
        }
        Some(SessionState::Expired) => {
            conditions.and("ended_at IS NULL AND token_expires_at <= ?", [now]);
        }
        Some(SessionState::Ended) => conditions.and(
            concat!(
                "ended_at IS NOT NULL OR token_expires_at > ? AND ",
                below_a_floor!("sessions.id", "sessions.user_id")
            ),
            [now],
        ),
        None => {}
    }
    if let Some(block) = &filter.ip {
        let (low, high) = (block.low().to_vec(), block.high().to_vec());
        let range = [low.clone(), high.clone(), low, high].map(Arg::Bytes);
        conditions.and("ip BETWEEN ? AND ? OR last_ip BETWEEN ? AND ?", range);
    }
    if let Some(text) = &filter.user_agent_contains {
        conditions.and(user_agent_condition(database), [containing(text)]);
    }
    within(conditions, &filter.created_at, "created_at >= ?", "created_at < ?");
    within(conditions, &filter.last_used_at, "last_used_at >= ?", "last_used_at < ?");
    if let Some(reason) = filter.end_reason {
        let all = EndReason::ALL.iter().map(|reason| reason.as_str());
        and_words(conditions, "end_reason", &[reason.as_str()], all);
    }
}

pub(in crate::store) fn event_conditions(filter: &AuditFilter) -> Conditions {
    let mut conditions = Conditions::after(0);
    if let Some(user) = filter.user_id {
        conditions.and("user_id = ?", [Arg::Uuid(user.as_uuid())]);
    }
    if let Some(session) = filter.session_id {
        conditions.and("session_id = ?", [Arg::Uuid(session.as_uuid())]);
    }
    if let Some(kinds) = &filter.kinds {
        let words: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
        let all = AuditKind::ALL.iter().map(|kind| kind.as_str());
        and_words(&mut conditions, "kind", &words, all);
    }
    within(&mut conditions, &filter.occurred_at, "occurred_at >= ?", "occurred_at < ?");
    conditions
}

pub(in crate::store) fn entry_conditions(filter: &BlacklistFilter) -> Conditions {
    let mut conditions = Conditions::after(0);
    if let Some(user) = filter.user_id {
        conditions.and("user_id = ?", [Arg::Uuid(user.as_uuid())]);
    }
    if let Some(session) = filter.session_id {
        conditions.and("session_id = ?", [Arg::Uuid(session.as_uuid())]);
    }
    if let Some(token) = filter.token_id {
        conditions.and("token_id = ?", [Arg::Uuid(token.as_uuid())]);
    }
    if let Some(reasons) = &filter.reasons {
        let words: Vec<_> = reasons.iter().map(|reason| reason.as_str()).collect();
        let all = BlacklistReason::all().map(BlacklistReason::as_str);
        and_words(&mut conditions, "reason", &words, all);
    }
    within(&mut conditions, &filter.blacklisted_at, "blacklisted_at >= ?", "blacklisted_at < ?");
    conditions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_in_a_filter_stand_for_themselves() {
        let Arg::Text(pattern) = containing("50%_\\") else { panic!("a text") };
        assert_eq!(pattern, "%50\\%\\_\\\\%");
    }
}
