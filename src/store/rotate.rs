//! The rotation: one compare-and-swap on the session's row.
//!
//! Rule: whoever presents the outstanding token while the session lives and its user is active moves
//! the chain on by one, and of a hundred who do so at once exactly one does. The entry for the token
//! rotated away commits with it. Nothing else changes which token is outstanding. A user agent is not
//! stored with the session again, which is known by its login's.

use std::time::Duration;

use sqlx::{PgConnection, SqliteConnection};

use super::refresh::{Refreshed, RefreshedRow};
use super::rows::{ip_column, session_columns, user_agent_column};
use super::spent::count_statement;
use super::{Pools, Result, Store, counted};
use crate::clock::Timestamp;
use crate::domain::id::{SessionId, TokenId};
use crate::domain::origin::Origin;
use crate::domain::session::{AttemptHash, RefreshGrant};

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

    fn attempt_column(&self) -> Option<Vec<u8>> {
        self.attempt.map(|hash| hash.0.to_vec())
    }
}

/// The entry of the token rotated away, whose times it carried itself.
macro_rules! rotated_entry {
    () => {
        "INSERT INTO blacklist_entries (token_id, session_id, user_id, generation, reason, \
         issued_at, blacklisted_at, expires_at, actor_id, ip, user_agent) "
    };
}

/// Two statements in one text, which is one trip to the thread of the connection: SQLite's `WITH` has
/// no writes. Nobody else has the successor's id, so the second finds it only after the swap.
async fn rotate_sqlite(
    connection: &mut SqliteConnection,
    rotate: &Rotate,
) -> Result<Option<RefreshedRow>> {
    let query = counted::query_as(concat!(
        "UPDATE sessions SET token_id = $3, token_issued_at = $4, \
         token_expires_at = CASE WHEN absolute_expires_at < $5 THEN absolute_expires_at \
         ELSE $5 END, \
         previous_token_id = token_id, rotated_at = $6, attempt_hash = $7, \
         generation = generation + 1, last_used_at = $6, last_ip = $8, \
         access_expires_at = CASE WHEN access_expires_at > $9 THEN access_expires_at ELSE $9 END \
         FROM users WHERE users.id = sessions.user_id AND users.deactivated_at IS NULL \
         AND sessions.id = $1 AND token_id = $2 AND ended_at IS NULL AND token_expires_at > $6 \
         RETURNING ",
        session_columns!(),
        ", (SELECT role FROM users WHERE users.id = sessions.user_id) AS role; ",
        rotated_entry!(),
        "SELECT $2, id, user_id, generation - 1, 'ROTATED', $10, $6, $11, user_id, $8, $12 \
         FROM sessions WHERE id = $1 AND token_id = $3"
    ));
    let rows = query
        .bind(rotate.session_id.as_uuid())
        .bind(rotate.presented.id.as_uuid())
        .bind(rotate.next.as_uuid())
        .bind(rotate.issued_at())
        .bind(rotate.expires_at())
        .bind(rotate.at.as_micros())
        .bind(rotate.attempt_column())
        .bind(ip_column(rotate.origin.ip))
        .bind(rotate.access_expires_at.as_micros())
        .bind(rotate.presented.issued_at.as_micros())
        .bind(rotate.presented.expires_at.as_micros())
        .bind(user_agent_column(&rotate.origin))
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().next())
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
             $10::bigint[], $11::bigint[], $12::text[]) AS given (session_id, presented, next, \
             issued_at, expires_at, at, attempt, ip, access_expires_at, presented_issued_at, \
             presented_expires_at, agent)), \
             free AS MATERIALIZED (SELECT sessions.id FROM sessions JOIN given \
             ON sessions.id = session_id AND token_id = presented \
             FOR NO KEY UPDATE OF sessions", $locked, "), \
             sessions AS (UPDATE sessions SET token_id = next, token_issued_at = given.issued_at, \
             token_expires_at = LEAST(absolute_expires_at, given.expires_at), \
             previous_token_id = token_id, rotated_at = given.at, attempt_hash = attempt, \
             generation = generation + 1, last_used_at = given.at, last_ip = given.ip, \
             access_expires_at = GREATEST(sessions.access_expires_at, given.access_expires_at) \
             FROM given, users WHERE sessions.id = session_id \
             AND sessions.id IN (SELECT id FROM free) \
             AND users.id = sessions.user_id AND users.deactivated_at IS NULL \
             AND token_id = presented AND ended_at IS NULL AND token_expires_at > given.at \
             RETURNING ", session_columns!(), ", absolute_expires_at, users.role, \
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
    let query = sqlx::query_as(match locked {
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
        let row = match self.pools() {
            Pools::Sqlite(sqlite) => {
                sqlite
                    .write(move |conn| Box::pin(async move { rotate_sqlite(conn, &rotate).await }))
                    .await?
            }
            Pools::Postgres(postgres) => {
                let swap = || async {
                    count_statement();
                    if let Some(row) = postgres.rotations.rotate(rotate.clone()).await? {
                        return Ok(Some(row));
                    }
                    let mut lease = postgres.lender.lease().await?;
                    let rotates = std::slice::from_ref(&rotate);
                    count_statement();
                    let rows = rotate_postgres(&mut lease, rotates, Locked::Awaited).await;
                    Ok(lease.at_rest(rows).await?.pop())
                };
                postgres.run(swap).await?
            }
        };
        row.map(Refreshed::try_from).transpose()
    }
}
