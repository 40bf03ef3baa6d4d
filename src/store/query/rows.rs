//! Row types, their columns, and their conversion to domain types.
//!
//! Columns are listed by name, never `*`: a prepared `SELECT *` fails on PostgreSQL once a newer version
//! adds a column.

use std::net::IpAddr;

use serde_json::json;
use sqlx::types::Uuid;

use crate::clock::Timestamp;
use crate::domain::assurance::Assurance;
use crate::domain::audit::{AuditEvent, AuditEventId, AuditKind};
use crate::domain::authentication::{Authentication, Methods};
use crate::domain::blacklist::{BlacklistEntry, BlacklistReason};
use crate::domain::external_account::ExternalId;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::locale::Locale;
use crate::domain::origin::{Origin, UserAgent, ip_from_bytes, ip_to_bytes};
use crate::domain::role_names::RoleNames;
use crate::domain::session::{
    AttemptHash, End, EndReason, RefreshGrant, Rotation, Session, SessionName,
};
use crate::domain::user::{Email, Names, Role, User, Username};
use crate::domain::user_claims::UserClaims;
use crate::store::error::{Error, Result};
use crate::store::query::from_row::from_row;

/// Columns of a [`UserRow`].
macro_rules! user_columns {
    () => {
        user_columns!(
            "(SELECT changed_at FROM password_credentials \
             WHERE password_credentials.user_id = users.id)"
        )
    };
    // For a query that joins the credentials anyway.
    ($changed_at:literal) => {
        concat!(
            "users.id, users.username, users.username_key, users.email, users.email_key, users.role, \
             users.created_at, users.last_login_at, users.deactivated_at, users.email_verified_at, \
             users.locale, users.deleted_at, users.external_id, users.roles, ",
            $changed_at,
            " AS password_changed_at"
        )
    };
}
pub(in crate::store) use user_columns;

/// Columns of a [`SessionRow`].
macro_rules! session_columns {
    () => {
        "sessions.id, sessions.user_id, sessions.name, sessions.user_agent, sessions.ip, \
         sessions.last_ip, sessions.created_at, sessions.last_used_at, sessions.token_id, \
         sessions.token_issued_at, sessions.token_expires_at, sessions.previous_token_id, \
         sessions.rotated_at, sessions.attempt_hash, sessions.generation, \
         sessions.access_expires_at, sessions.authenticated_at, sessions.methods, \
         sessions.assurance, sessions.second_factor_at, sessions.strong_factor_at, \
         sessions.ended_at, sessions.end_reason, sessions.ended_by"
    };
}
pub(in crate::store) use session_columns;

/// Columns of a [`ClaimsRow`], of the user of a session.
macro_rules! claims_columns {
    () => {
        ", (SELECT role FROM users WHERE users.id = sessions.user_id) AS role, \
         (SELECT external_id FROM users WHERE users.id = sessions.user_id) AS external_id"
    };
}
pub(in crate::store) use claims_columns;

/// Columns of an [`EntryRow`].
macro_rules! entry_columns {
    () => {
        "token_id, session_id, user_id, generation, reason, issued_at, blacklisted_at, expires_at, \
         actor_id, ip, user_agent"
    };
}
pub(in crate::store) use entry_columns;

pub(in crate::store) fn ip_column(ip: Option<IpAddr>) -> Option<Vec<u8>> {
    ip.map(|ip| ip_to_bytes(ip).to_vec())
}

pub(in crate::store) fn user_agent_column(origin: &Origin) -> Option<String> {
    origin.user_agent.as_ref().map(|agent| agent.as_str().to_owned())
}

pub(in crate::store) fn ip_from_column(bytes: Option<Vec<u8>>) -> Result<Option<IpAddr>> {
    bytes.map(|bytes| ip_from_bytes(&bytes).ok_or(Error::unreadable("address"))).transpose()
}

/// The names of a row. A newer version may have written them in another form; then there are none, and the account
/// stays readable.
fn roles_from_column(column: Option<String>) -> RoleNames {
    let names = column.and_then(|json| serde_json::from_str(&json).ok());
    names.map(RoleNames::from_stored).unwrap_or_default()
}

/// `None` for an account without roles.
pub(in crate::store) fn roles_column(roles: &RoleNames) -> Option<String> {
    (!roles.is_empty()).then(|| json!(roles.as_slice()).to_string())
}

from_row! {
    pub(in crate::store) struct ClaimsRow {
        role: String,
        external_id: Option<String>,
    }
}

impl From<ClaimsRow> for UserClaims {
    fn from(row: ClaimsRow) -> Self {
        let external_id = row.external_id.map(ExternalId::from_stored);
        Self { role: Role::read(&row.role), external_id }
    }
}

from_row! {
    pub(in crate::store) struct UserRow {
        id: Uuid,
        username: String,
        username_key: String,
        email: Option<String>,
        email_key: Option<String>,
        role: String,
        created_at: i64,
        last_login_at: Option<i64>,
        password_changed_at: Option<i64>,
        deactivated_at: Option<i64>,
        email_verified_at: Option<i64>,
        locale: Option<String>,
        deleted_at: Option<i64>,
        external_id: Option<String>,
        roles: Option<String>,
    }
}

impl TryFrom<UserRow> for User {
    type Error = Error;

    fn try_from(row: UserRow) -> Result<Self> {
        let username = Username::from_stored(row.username, row.username_key);
        let email = row.email.zip(row.email_key).map(|(text, key)| Email::from_stored(text, key));
        Ok(Self {
            id: UserId::from_uuid(row.id),
            names: Names::from_stored(username, email),
            role: Role::read(&row.role),
            created_at: Timestamp::from_micros(row.created_at),
            last_login_at: row.last_login_at.map(Timestamp::from_micros),
            password_changed_at: row.password_changed_at.map(Timestamp::from_micros),
            deactivated_at: row.deactivated_at.map(Timestamp::from_micros),
            email_verified_at: row.email_verified_at.map(Timestamp::from_micros),
            locale: row.locale.and_then(|text| Locale::parse(&text).ok()),
            deleted_at: row.deleted_at.map(Timestamp::from_micros),
            external_id: row.external_id.map(ExternalId::from_stored),
            roles: roles_from_column(row.roles),
        })
    }
}

from_row! {
    pub(in crate::store) struct SessionRow {
        id: Uuid,
        user_id: Uuid,
        name: Option<String>,
        user_agent: Option<String>,
        ip: Option<Vec<u8>>,
        last_ip: Option<Vec<u8>>,
        created_at: i64,
        last_used_at: i64,
        pub token_id: Uuid,
        token_issued_at: i64,
        token_expires_at: i64,
        previous_token_id: Option<Uuid>,
        rotated_at: Option<i64>,
        attempt_hash: Option<Vec<u8>>,
        generation: i32,
        access_expires_at: i64,
        authenticated_at: Option<i64>,
        methods: Option<i32>,
        assurance: Option<i16>,
        second_factor_at: Option<i64>,
        strong_factor_at: Option<i64>,
        ended_at: Option<i64>,
        end_reason: Option<String>,
        ended_by: Option<Uuid>,
    }
}

impl TryFrom<SessionRow> for Session {
    type Error = Error;

    fn try_from(row: SessionRow) -> Result<Self> {
        let attempt = row.attempt_hash.map(|bytes| {
            bytes.try_into().map(AttemptHash).map_err(|_| Error::unreadable("attempt"))
        });
        let attempt = attempt.transpose()?;
        let previous = row.previous_token_id.zip(row.rotated_at).map(|(token_id, at)| Rotation {
            token_id: TokenId::from_uuid(token_id),
            at: Timestamp::from_micros(at),
            attempt,
        });
        let end = match row.ended_at {
            None => None,
            Some(at) => Some(End {
                at: Timestamp::from_micros(at),
                reason: row
                    .end_reason
                    .as_deref()
                    .map(EndReason::read)
                    .ok_or(Error::unreadable("end reason"))?,
                by: row.ended_by.map(UserId::from_uuid),
            }),
        };
        Ok(Self {
            id: SessionId::from_uuid(row.id),
            user_id: UserId::from_uuid(row.user_id),
            name: row.name.and_then(|name| SessionName::parse(&name).ok()),
            user_agent: row.user_agent.and_then(|text| UserAgent::parse(&text)),
            ip: ip_from_column(row.ip)?,
            last_ip: ip_from_column(row.last_ip)?,
            created_at: Timestamp::from_micros(row.created_at),
            authentication: Authentication {
                at: Timestamp::from_micros(row.authenticated_at.unwrap_or(row.created_at)),
                methods: Methods::from_bits(row.methods.unwrap_or(0)),
                assurance: Assurance::of_rank(row.assurance),
                second_factor_at: row.second_factor_at.map(Timestamp::from_micros),
                strong_factor_at: row.strong_factor_at.map(Timestamp::from_micros),
            },
            last_used_at: Timestamp::from_micros(row.last_used_at),
            token: RefreshGrant {
                id: TokenId::from_uuid(row.token_id),
                issued_at: Timestamp::from_micros(row.token_issued_at),
                expires_at: Timestamp::from_micros(row.token_expires_at),
            },
            previous,
            generation: row.generation,
            access_expires_at: Timestamp::from_micros(row.access_expires_at),
            end,
        })
    }
}

from_row! {
    pub(in crate::store) struct EntryRow {
        token_id: Uuid,
        session_id: Uuid,
        user_id: Uuid,
        generation: i32,
        reason: String,
        issued_at: i64,
        blacklisted_at: i64,
        expires_at: i64,
        actor_id: Option<Uuid>,
        ip: Option<Vec<u8>>,
        user_agent: Option<String>,
    }
}

impl TryFrom<EntryRow> for BlacklistEntry {
    type Error = Error;

    fn try_from(row: EntryRow) -> Result<Self> {
        Ok(Self {
            token_id: TokenId::from_uuid(row.token_id),
            session_id: SessionId::from_uuid(row.session_id),
            user_id: UserId::from_uuid(row.user_id),
            generation: row.generation,
            reason: BlacklistReason::read(&row.reason),
            issued_at: Timestamp::from_micros(row.issued_at),
            blacklisted_at: Timestamp::from_micros(row.blacklisted_at),
            expires_at: Timestamp::from_micros(row.expires_at),
            actor: row.actor_id.map(UserId::from_uuid),
            ip: ip_from_column(row.ip)?,
            user_agent: row.user_agent.and_then(|text| UserAgent::parse(&text)),
        })
    }
}

/// Columns of an [`EventRow`].
macro_rules! event_columns {
    () => {
        "id, kind, occurred_at, user_id, actor_id, session_id, ip, user_agent, detail"
    };
}
pub(in crate::store) use event_columns;

from_row! {
    pub(in crate::store) struct EventRow {
        id: i64,
        kind: String,
        occurred_at: i64,
        user_id: Option<Uuid>,
        actor_id: Option<Uuid>,
        session_id: Option<Uuid>,
        ip: Option<Vec<u8>>,
        user_agent: Option<String>,
        detail: Option<String>,
    }
}

impl TryFrom<EventRow> for AuditEvent {
    type Error = Error;

    fn try_from(row: EventRow) -> Result<Self> {
        Ok(Self {
            id: AuditEventId(row.id),
            kind: AuditKind::read(&row.kind),
            occurred_at: Timestamp::from_micros(row.occurred_at),
            user_id: row.user_id.map(UserId::from_uuid),
            actor: row.actor_id.map(UserId::from_uuid),
            session_id: row.session_id.map(SessionId::from_uuid),
            ip: ip_from_column(row.ip)?,
            user_agent: row.user_agent.and_then(|text| UserAgent::parse(&text)),
            detail: row.detail,
        })
    }
}
