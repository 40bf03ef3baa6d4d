//! The rotation: one compare-and-swap on the session's row.
//!
//! Rule: whoever presents the outstanding token while the session lives and its user is active moves
//! the chain on by one, and of a hundred who do so at once exactly one does. A session below a floor
//! does not live, whatever its row says yet. The entry for the token rotated away commits with it.
//! Nothing else changes which token is outstanding. A user agent is not stored with the session again,
//! which is known by its login's.

use std::slice;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{PgConnection, SqliteConnection};

use super::floors::below_a_floor;
use super::refresh::{Refreshed, RefreshedRow};
use super::refresh_limit::{LimitColumns, limit_after, within_limit};
use super::rows::{ip_column, session_columns, user_agent_column};
use super::spent::{Operation, count_statement};
use super::{Error, Pools, Result, Store, counted, together};
use crate::clock::Timestamp;
use crate::domain::id::{SessionId, TokenId};
use crate::domain::origin::Origin;
use crate::domain::session::{AttemptHash, RefreshGrant};
use crate::domain::throttle::Limit;

/// An order to put a new token in the place of the presented one.
#[derive(Clone, Debug)]
pub struct Rotate {
    /// The session that the presented token names.
    pub session_id: SessionId,
    /// The presented token.
    pub presented: RefreshGrant,
    /// The `jti` of its successor.
    pub next: TokenId,
    /// How long the successor lives, cut to the session's own end.
    pub lifetime: Duration,
    /// When the access token that goes with it runs out, at the latest.
    pub access_expires_at: Timestamp,
    /// The digest of the `attemptId` sent along.
    pub attempt: Option<AttemptHash>,
    /// Now; the successor is issued at the start of this second.
    pub at: Timestamp,
    /// From where.
    pub origin: Origin,
    /// How fast its session may be refreshed.
    pub limit: Option<Limit>,
}

fn hex(bytes: &[u8]) -> String {
    let digits = |byte: &u8| [byte >> 4, byte & 15];
    let digits = bytes.iter().flat_map(digits);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

impl Rotate {
    /// When the successor is issued, as a column holds it.
    fn issued_at(&self) -> i64 {
        self.at.floor_to_second().as_micros()
    }

    /// When the successor runs out, were it not for its session's end.
    fn expires_at(&self) -> i64 {
        (self.at + self.lifetime).floor_to_second().as_micros()
    }

    /// As SQLite is given it.
    fn in_json(&self) -> Value {
        let limit = self.limit_columns();
        json!([
            hex(self.session_id.as_uuid().as_bytes()),
            hex(self.presented.id.as_uuid().as_bytes()),
            hex(self.next.as_uuid().as_bytes()),
            self.issued_at(),
            self.expires_at(),
            self.at.as_micros(),
            self.attempt.map(|hash| hex(&hash.0)),
            ip_column(self.origin.ip).map(|ip| hex(&ip)),
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

/// The compare-and-swap of all that are `given`.
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
         repeat_noted = 0, refresh_limit_until = ",
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

/// The entry of the token rotated away, whose times it carried itself.
macro_rules! rotated_entry {
    () => {
        "INSERT INTO blacklist_entries (token_id, session_id, user_id, generation, reason, \
         issued_at, blacklisted_at, expires_at, actor_id, ip, user_agent) "
    };
}

/// What is given to SQLite, which knows no arrays: an array of JSON for each rotation. Each value that is
/// taken out of it costs more than all else of the statement, so each statement takes `more` of its own.
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

/// Rotates on SQLite: a row for each that took place. Two statements in one text, which is one trip to
/// the thread of the connection: SQLite's `WITH` has no writes. Nobody else has a successor's id, so
/// the second finds it only after the swap.
pub(super) async fn rotate_sqlite(
    connection: &mut SqliteConnection,
    rotates: &[Rotate],
) -> Result<Vec<RefreshedRow>> {
    let given: Vec<_> = rotates.iter().map(Rotate::in_json).collect();
    let query = counted::query_as(concat!(
        given_in_json!(
            "value ->> 3 AS issued_at, value ->> 4 AS expires_at, unhex(value ->> 6) AS attempt, \
             value ->> 8 AS access_expires_at, value ->> 12 AS limit_from, \
             value ->> 13 AS limit_to, value ->> 14 AS limit_step"
        ),
        swap!(),
        " RETURNING ",
        session_columns!(),
        ", (SELECT role FROM users WHERE users.id = sessions.user_id) AS role; ",
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

/// What becomes of a rotation whose row somebody else has locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locked {
    /// It waits until the row is free.
    Awaited,
    /// Nothing.
    PassedOver,
}

/// The rotations in one statement, one round trip. Of several that present one token one takes place.
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
            ", absolute_expires_at, users.role, \
             presented_issued_at, presented_expires_at, agent), \
             entry AS (",
            rotated_entry!(),
            "SELECT previous_token_id, id, user_id, generation - 1, 'ROTATED', \
             presented_issued_at, rotated_at, presented_expires_at, user_id, last_ip, agent \
             FROM sessions) SELECT ",
            session_columns!(),
            ", role FROM sessions"
        )
    };
}

/// Rotates on PostgreSQL: a row for each that took place.
pub(super) async fn rotate_postgres(
    connection: &mut PgConnection,
    rotates: &[Rotate],
    locked: Locked,
) -> Result<Vec<RefreshedRow>> {
    /// A column of what is given.
    fn column<T>(rotates: &[Rotate], of: impl Fn(&Rotate) -> T) -> Vec<T> {
        rotates.iter().map(of).collect()
    }
    let query = counted::query_as(match locked {
        Locked::Awaited => rotate_together!(""),
        Locked::PassedOver => rotate_together!(" SKIP LOCKED"),
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

impl Store {
    /// Rotates. `None` where the presented token is not the outstanding one of a live session of an
    /// active user; [`Store::known_token`] then says what it is.
    ///
    /// # Errors
    /// [`Error`] where the database fails; whether the rotation took place is then unknown, and the
    /// same token presented again finds out.
    pub async fn rotate(&self, rotate: Rotate) -> Result<Option<Refreshed>> {
        let pools = self.pools();
        let with_others = async {
            let _operation = Operation::begin();
            // What it has a part in is asked where nobody pays.
            count_statement();
            self.rotations.rotate(rotate.clone()).await
        };
        let alone = async {
            match pools {
                Pools::Sqlite(sqlite) => {
                    let (writer, rotate) = (&sqlite.writer, [rotate.clone()]);
                    let rotated = writer.write(move |conn| {
                        Box::pin(async move { rotate_sqlite(conn, &rotate).await })
                    });
                    rotated.await
                }
                Pools::Postgres(postgres) => {
                    let rotated = postgres.run(|| async {
                        let mut lease = postgres.lender.lease().await?;
                        let rotate = slice::from_ref(&rotate);
                        let rows = rotate_postgres(&mut lease, rotate, Locked::Awaited).await;
                        lease.at_rest(rows).await
                    });
                    rotated.await
                }
            }
        };
        let rotated = together(async {
            match with_others.await? {
                Some(row) => Ok::<_, Error>(Some(row)),
                None => Ok(alone.await?.pop()),
            }
        });
        rotated.await?.map(Refreshed::try_from).transpose()
    }
}
