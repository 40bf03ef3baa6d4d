//! Filters of lists.

use async_graphql::{ID, InputObject, Result};

use super::{AuditKind, BlacklistReason, EndReason, Role, SessionState};
use crate::domain::filter::{self, IpBlock};
use crate::domain::id::TokenId;
use crate::graphql::error::bad_input;
use crate::graphql::global_id::{filtered_session, filtered_user};
use crate::graphql::scalars::DateTime;

/// A span of time. What is compared is exact to the microsecond, though answers are cut to the
/// millisecond: `after` the time that an answer has for something includes it, `before` that time
/// leaves it out.
#[derive(Clone, Debug, InputObject)]
pub struct TimeRange {
    /// From this moment on.
    after: Option<DateTime>,
    /// Up to, not including, this moment.
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
        Some(text) if text.contains('\0') => Err(bad_input("text cannot hold U+0000")),
        Some(text) if text.chars().count() > MAX_CHARS => {
            Err(bad_input(format!("text to look for has at most {MAX_CHARS} characters")))
        }
        text => Ok(text),
    }
}

/// Which users.
#[derive(Clone, Debug, InputObject)]
pub struct UserFilter {
    /// Those whose username or e-mail address starts so, whatever the case.
    search: Option<String>,
    /// Those of this role.
    role: Option<Role>,
    /// Those who may log in, or those who may not.
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

/// Which sessions.
#[derive(Clone, Debug, InputObject)]
pub struct SessionFilter {
    /// Those in this state.
    state: Option<SessionState>,
    /// Those of this user.
    user_id: Option<ID>,
    /// Those opened or last refreshed from this address or CIDR block, e.g. `192.0.2.0/24`.
    ip: Option<String>,
    /// Those whose user agent has this in it, whatever the case.
    user_agent_contains: Option<String>,
    /// Those opened then.
    created_at: Option<TimeRange>,
    /// Those last used then.
    last_used_at: Option<TimeRange>,
    /// Those that ended so.
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

/// Which blacklist entries.
#[derive(Clone, Debug, InputObject)]
pub struct BlacklistFilter {
    /// Those of this user.
    user_id: Option<ID>,
    /// Those of this session.
    session_id: Option<ID>,
    /// The one of this token, by its `jti`.
    token_id: Option<String>,
    /// Those for any of these reasons.
    reasons: Option<Vec<BlacklistReason>>,
    /// Those made then.
    blacklisted_at: Option<TimeRange>,
}

impl BlacklistFilter {
    pub(in crate::graphql) fn parse(filter: Option<Self>) -> Result<filter::BlacklistFilter> {
        let Some(filter) = filter else { return Ok(filter::BlacklistFilter::default()) };
        let token_id = filter.token_id.as_deref().map(|id| {
            TokenId::parse(id).ok_or_else(|| bad_input("a token's id is a UUID in lower case"))
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

/// Which audit events.
#[derive(Clone, Debug, InputObject)]
pub struct AuditFilter {
    /// Those of any of these kinds.
    kinds: Option<Vec<AuditKind>>,
    /// Those of this user's account.
    user_id: Option<ID>,
    /// Those in this session.
    session_id: Option<ID>,
    /// Those of that time.
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
