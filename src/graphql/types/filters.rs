//! Filters of lists.

use async_graphql::{ID, InputObject, Result};

use super::{AuditKind, BlacklistReason, EndReason, Role, SessionState};
use crate::domain::filter::{self, IpBlock};
use crate::domain::id::TokenId;
use crate::graphql::error::bad_input;
use crate::graphql::global_id::{filtered_session, filtered_user};
use crate::graphql::scalars::DateTime;

/// Range of time. Stored times are exact to the microsecond, responses are cut to the millisecond.
/// So the time in a response, used as `after`, includes the object that it came from; used as
/// `before`, it excludes the object.
#[derive(Clone, Debug, InputObject)]
pub struct TimeRange {
    /// Start of the range, inclusive; null for no lower bound.
    after: Option<DateTime>,
    /// End of the range, exclusive; null for no upper bound.
    before: Option<DateTime>,
}

fn range(range: Option<TimeRange>) -> filter::TimeRange {
    range.map_or_else(filter::TimeRange::default, |range| filter::TimeRange {
        after: range.after.map(|moment| moment.0),
        before: range.before.map(|moment| moment.0),
    })
}

/// Characters of a search text. No stored name, address or user agent is longer.
const MAX_CHARS: usize = 512;

/// Checks a search text. PostgreSQL fails on U+0000, which no row contains, and SQLite on a pattern of
/// 50 kB.
fn text(text: Option<String>) -> Result<Option<String>> {
    match text {
        Some(text) if text.contains('\0') => {
            Err(bad_input("Text must not contain the character U+0000."))
        }
        Some(text) if text.chars().count() > MAX_CHARS => {
            Err(bad_input(format!("Search text must have at most {MAX_CHARS} characters.")))
        }
        text => Ok(text),
    }
}

/// Conditions on users. A user must meet all that are given; null conditions do not filter.
#[derive(Clone, Debug, InputObject)]
pub struct UserFilter {
    /// Beginning of the username or of the e-mail address, ignoring case; at most 512 characters.
    search: Option<String>,
    /// Role of the user.
    role: Option<Role>,
    /// If true, only active users; if false, only deactivated users.
    is_active: Option<bool>,
}

impl UserFilter {
    pub(in crate::graphql) fn parse(filter: Option<Self>) -> Result<filter::UserFilter> {
        let Some(filter) = filter else { return Ok(filter::UserFilter::default()) };
        Ok(filter::UserFilter {
            search: text(filter.search)?,
            role: filter.role.map(Into::into),
            is_active: filter.is_active,
        })
    }
}

/// Conditions on sessions. A session must meet all that are given; null conditions do not filter.
#[derive(Clone, Debug, InputObject)]
pub struct SessionFilter {
    /// State of the session.
    state: Option<SessionState>,
    /// Global object ID of the session's user.
    user_id: Option<ID>,
    /// IP address or CIDR block, e.g. `192.0.2.7` or `192.0.2.0/24`, of the login or of the last
    /// refresh.
    ip: Option<String>,
    /// Text that the user agent contains, ignoring case; at most 512 characters.
    user_agent_contains: Option<String>,
    /// Time of the login that created the session.
    created_at: Option<TimeRange>,
    /// Time of the login or of the last refresh.
    last_used_at: Option<TimeRange>,
    /// Reason why the session ended; excludes sessions that have not ended.
    end_reason: Option<EndReason>,
}

impl SessionFilter {
    pub(in crate::graphql) fn parse(filter: Option<Self>) -> Result<filter::SessionFilter> {
        let Some(filter) = filter else { return Ok(filter::SessionFilter::default()) };
        let ip = filter.ip.as_deref().map(IpBlock::parse).transpose();
        Ok(filter::SessionFilter {
            state: filter.state.map(Into::into),
            user_id: filtered_user(filter.user_id.as_ref())?,
            ip: ip.map_err(|error| bad_input(error.to_string()))?,
            user_agent_contains: text(filter.user_agent_contains)?,
            created_at: range(filter.created_at),
            last_used_at: range(filter.last_used_at),
            end_reason: filter.end_reason.map(Into::into),
        })
    }
}

/// Conditions on blacklist entries. An entry must meet all that are given; null conditions do not
/// filter.
#[derive(Clone, Debug, InputObject)]
pub struct BlacklistFilter {
    /// Global object ID of the token's user.
    user_id: Option<ID>,
    /// Global object ID of the token's session.
    session_id: Option<ID>,
    /// Claim `jti` of the token: a UUID in lower case.
    token_id: Option<String>,
    /// Reasons, of which the entry has one. An empty list matches no entry.
    reasons: Option<Vec<BlacklistReason>>,
    /// Time when the token was blacklisted.
    blacklisted_at: Option<TimeRange>,
}

impl BlacklistFilter {
    pub(in crate::graphql) fn parse(filter: Option<Self>) -> Result<filter::BlacklistFilter> {
        let Some(filter) = filter else { return Ok(filter::BlacklistFilter::default()) };
        let token_id = filter.token_id.as_deref().map(|id| {
            TokenId::parse(id).ok_or_else(|| bad_input("A token ID must be a UUID in lower case."))
        });
        Ok(filter::BlacklistFilter {
            user_id: filtered_user(filter.user_id.as_ref())?,
            session_id: filtered_session(filter.session_id.as_ref())?,
            token_id: token_id.transpose()?,
            reasons: filter.reasons.map(|reasons| reasons.into_iter().map(Into::into).collect()),
            blacklisted_at: range(filter.blacklisted_at),
        })
    }
}

/// Conditions on audit events. An event must meet all that are given; null conditions do not
/// filter.
#[derive(Clone, Debug, InputObject)]
pub struct AuditFilter {
    /// Kinds, of which the event has one. An empty list matches no event.
    kinds: Option<Vec<AuditKind>>,
    /// Global object ID of the user that the event is about.
    user_id: Option<ID>,
    /// Global object ID of the session that the event is about.
    session_id: Option<ID>,
    /// Time of the event.
    occurred_at: Option<TimeRange>,
}

impl AuditFilter {
    pub(in crate::graphql) fn parse(filter: Option<Self>) -> Result<filter::AuditFilter> {
        let Some(filter) = filter else { return Ok(filter::AuditFilter::default()) };
        Ok(filter::AuditFilter {
            kinds: filter.kinds.map(|kinds| kinds.into_iter().map(Into::into).collect()),
            user_id: filtered_user(filter.user_id.as_ref())?,
            session_id: filtered_session(filter.session_id.as_ref())?,
            occurred_at: range(filter.occurred_at),
        })
    }
}
