//! Compare-and-swap rotation of refresh tokens.
//!
//! A rotation replaces the outstanding token if it is the presented one, the session is live and its
//! user active. Of any number of concurrent attempts exactly one succeeds. A session below a floor is
//! not live, whatever its row still says. The blacklist entry of the replaced token commits with the
//! swap. No other statement changes which token is outstanding. The session keeps the user agent of
//! its login.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::crypto::encoding::to_hex;
use crate::domain::id::{SessionId, TokenId};
use crate::domain::origin::Origin;
use crate::domain::session::{AttemptHash, RefreshGrant};
use crate::domain::throttle::Limit;
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::query::floor_sql::below_a_floor;
use crate::store::query::rows::{claims_columns, ip_column, session_columns, user_agent_column};
use crate::store::rotation::refresh_limit::{LimitColumns, limit_after, within_limit};
use crate::store::rotation::refreshed::RefreshedRow;

#[derive(Clone, Debug)]
pub struct Rotate {
    pub session_id: SessionId,
    /// The presented token.
    pub presented: RefreshGrant,
    /// The `jti` of its successor.
    pub next: TokenId,
    /// Lifetime of the successor; cut to the session's absolute expiry.
    pub lifetime: Duration,
    /// Latest expiry of the access token that is issued with it.
    pub access_expires_at: Timestamp,
    /// The digest of the `attemptId` sent along.
    pub attempt: Option<AttemptHash>,
    /// Now. The successor's `iat` is the start of this second.
    pub at: Timestamp,
    pub origin: Origin,
    /// Rate limit per session.
    pub limit: Option<Limit>,
}

impl Rotate {
    fn issued_at(&self) -> i64 {
        self.at.floor_to_second().as_micros()
    }

    /// Expiry of the successor, before it is cut to the session's.
    fn expires_at(&self) -> i64 {
        (self.at + self.lifetime).floor_to_second().as_micros()
    }

    /// For SQLite, which has no array parameters.
    fn in_json(&self) -> Value {
        let limit = self.limit_columns();
        json!([
            to_hex(self.session_id.as_uuid().as_bytes()),
            to_hex(self.presented.id.as_uuid().as_bytes()),
            to_hex(self.next.as_uuid().as_bytes()),
            self.issued_at(),
            self.expires_at(),
            self.at.as_micros(),
            self.attempt.map(|hash| to_hex(&hash.0)),
            ip_column(self.origin.ip).map(|ip| to_hex(&ip)),
            self.access_expires_at.as_micros(),
            self.presented.issued_at.as_micros(),
            self.presented.expires_at.as_micros(),
            user_agent_column(&self.origin),
            limit.from,
            limit.to,
            limit.step,
        ])
    }

    fn limit_columns(&self) -> LimitColumns {
        LimitColumns::of(self.limit, self.at)
    }

    fn attempt_column(&self) -> Option<Vec<u8>> {
        self.attempt.map(|hash| hash.0.to_vec())
    }
}

/// The compare-and-swap of all rotations in `given`.
macro_rules! swap {
    () => {
        concat!(
            "UPDATE sessions SET token_id = next, token_issued_at = given.issued_at, \
         token_expires_at = CASE WHEN absolute_expires_at < given.expires_at \
         THEN absolute_expires_at ELSE given.expires_at END, \
         previous_token_id = token_id, rotated_at = given.at, attempt_hash = attempt, \
         generation = generation + 1, last_used_at = given.at, last_ip = given.ip, \
         access_expires_at = CASE WHEN sessions.access_expires_at > given.access_expires_at \
         THEN sessions.access_expires_at ELSE given.access_expires_at END, \
         logged_retries = 0, refresh_limit_until = ",
            limit_after!(),
            " FROM given, users WHERE sessions.id = session_id \
         AND users.id = sessions.user_id AND users.deactivated_at IS NULL \
         AND token_id = presented AND ended_at IS NULL AND token_expires_at > given.at \
         AND NOT ",
            below_a_floor!("sessions.id", "sessions.user_id"),
            " AND ",
            within_limit!()
        )
    };
}

/// The blacklist entry of the replaced token. Its times come from the presented token: the row no
/// longer has them.
macro_rules! rotated_entry {
    () => {
        "INSERT INTO blacklist_entries (token_id, session_id, user_id, generation, reason, \
         issued_at, blacklisted_at, expires_at, actor_id, ip, user_agent) "
    };
}

/// The rotations as SQLite gets them: one JSON array each. Extracting a value costs more than the rest
/// of the statement, so each statement extracts only what it needs, `more`.
macro_rules! given_in_json {
    ($more:literal) => {
        concat!(
            "WITH given AS MATERIALIZED (SELECT unhex(value ->> 0) AS session_id, \
             unhex(value ->> 1) AS presented, unhex(value ->> 2) AS next, value ->> 5 AS at, \
             unhex(value ->> 7) AS ip, ",
            $more,
            " FROM json_each($1)) "
        )
    };
}

/// Returns a row for each rotation that took place. Two statements, as SQLite has no writes in `WITH`,
/// in one text, for one handover to the connection's thread. The second finds a successor's id only if
/// the first one swapped it in, since nobody else has that id.
pub(in crate::store) async fn rotate_sqlite(
    connection: &mut SqliteConnection,
    rotates: &[Rotate],
) -> Result<Vec<RefreshedRow>> {
    let given: Vec<_> = rotates.iter().map(Rotate::in_json).collect();
    let query = metered::query_as(concat!(
        given_in_json!(
            "value ->> 3 AS issued_at, value ->> 4 AS expires_at, unhex(value ->> 6) AS attempt, \
             value ->> 8 AS access_expires_at, value ->> 12 AS limit_from, \
             value ->> 13 AS limit_to, value ->> 14 AS limit_step"
        ),
        swap!(),
        " RETURNING ",
        session_columns!(),
        claims_columns!(),
        "; ",
        rotated_entry!(),
        given_in_json!(
            "value ->> 9 AS presented_issued_at, value ->> 10 AS presented_expires_at, \
             value ->> 11 AS agent"
        ),
        "SELECT presented, id, user_id, generation - 1, 'ROTATED', presented_issued_at, at, \
         presented_expires_at, user_id, given.ip, agent \
         FROM given JOIN sessions ON id = session_id AND token_id = next"
    ));
    Ok(query.bind(json!(given).to_string()).fetch_all(connection).await?)
}

/// What to do about rows that another transaction has locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum RowLocks {
    Wait,
    /// The rotation then does not take place.
    Skip,
}

/// All rotations in one statement and one round trip. Of several that present the same token one takes
/// place.
macro_rules! rotate_together {
    ($locked:literal) => {
        concat!(
            "WITH given AS MATERIALIZED (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], \
             $4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[], $8::bytea[], $9::bigint[], \
             $10::bigint[], $11::bigint[], $12::text[], $13::bigint[], $14::bigint[], \
             $15::bigint[]) AS given (session_id, presented, next, \
             issued_at, expires_at, at, attempt, ip, access_expires_at, presented_issued_at, \
             presented_expires_at, agent, limit_from, limit_to, limit_step)), \
             free AS MATERIALIZED (SELECT sessions.id FROM sessions JOIN given \
             ON sessions.id = session_id AND token_id = presented AND ",
            within_limit!(),
            " FOR NO KEY UPDATE OF sessions",
            $locked,
            "), \
             sessions AS (",
            swap!(),
            " AND sessions.id IN (SELECT id FROM free) RETURNING ",
            session_columns!(),
            ", absolute_expires_at, users.role, users.external_id, \
             presented_issued_at, presented_expires_at, agent), \
             entry AS (",
            rotated_entry!(),
            "SELECT previous_token_id, id, user_id, generation - 1, 'ROTATED', \
             presented_issued_at, rotated_at, presented_expires_at, user_id, last_ip, agent \
             FROM sessions) SELECT ",
            session_columns!(),
            ", role, external_id FROM sessions"
        )
    };
}

/// Returns a row for each rotation that took place.
pub(in crate::store) async fn rotate_postgres(
    connection: &mut PgConnection,
    rotates: &[Rotate],
    locks: RowLocks,
) -> Result<Vec<RefreshedRow>> {
    fn column<T>(rotates: &[Rotate], of: impl Fn(&Rotate) -> T) -> Vec<T> {
        rotates.iter().map(of).collect()
    }
    let query = metered::query_as(match locks {
        RowLocks::Wait => rotate_together!(""),
        RowLocks::Skip => rotate_together!(" SKIP LOCKED"),
    });
    Ok(query
        .bind(column(rotates, |rotate| rotate.session_id.as_uuid()))
        .bind(column(rotates, |rotate| rotate.presented.id.as_uuid()))
        .bind(column(rotates, |rotate| rotate.next.as_uuid()))
        .bind(column(rotates, Rotate::issued_at))
        .bind(column(rotates, Rotate::expires_at))
        .bind(column(rotates, |rotate| rotate.at.as_micros()))
        .bind(column(rotates, Rotate::attempt_column))
        .bind(column(rotates, |rotate| ip_column(rotate.origin.ip)))
        .bind(column(rotates, |rotate| rotate.access_expires_at.as_micros()))
        .bind(column(rotates, |rotate| rotate.presented.issued_at.as_micros()))
        .bind(column(rotates, |rotate| rotate.presented.expires_at.as_micros()))
        .bind(column(rotates, |rotate| user_agent_column(&rotate.origin)))
        .bind(column(rotates, |rotate| rotate.limit_columns().from))
        .bind(column(rotates, |rotate| rotate.limit_columns().to))
        .bind(column(rotates, |rotate| rotate.limit_columns().step))
        .fetch_all(connection)
        .await?)
}
