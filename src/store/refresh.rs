//! The refresh: one compare-and-swap on the session's row.
//!
//! Rule: whoever presents the outstanding token while the session lives and its user is active moves
//! the chain on by one, and of a hundred who do so at once exactly one does. The entry for the token
//! rotated away commits with it. Nothing else here changes which token is outstanding.

use std::time::Duration;

use sqlx::{PgConnection, SqliteConnection};

use super::audit::{Audit, NewEvent};
use super::rows::{SessionRow, ip_column, session_columns, user_agent_column};
use super::{Error, Pools, Result, Store, counted};
use crate::clock::Timestamp;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::origin::Origin;
use crate::domain::session::{AttemptHash, RefreshGrant, Session};
use crate::domain::user::Role;

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

/// An order to give a new access token for a session whose chain stays as it is.
#[derive(Clone, Debug)]
pub struct Touch {
    /// The session.
    pub session_id: SessionId,
    /// The presented token.
    pub presented: TokenId,
    /// Whether it has to be the token before the outstanding one, or the outstanding one itself.
    pub is_retry: bool,
    /// When the new access token runs out, at the latest.
    pub access_expires_at: Timestamp,
    /// Now.
    pub at: Timestamp,
    /// From where.
    pub origin: Origin,
    /// Written down along with it.
    pub event: Option<NewEvent>,
}

/// A session after a refresh.
#[derive(Clone, Debug)]
pub struct Refreshed {
    /// The session as it is now.
    pub session: Session,
    /// What its user may do.
    pub role: Role,
}

/// What is known of a presented token that was not the outstanding one.
#[derive(Clone, Debug)]
pub struct Known {
    /// The session it names.
    pub session: Session,
    /// When it was rotated away, where its entry is still there.
    pub rotated_at: Option<Timestamp>,
}

/// The compare-and-swap. A user agent is not stored again: the session is known by its login's.
macro_rules! swap {
    () => {
        concat!(
            "UPDATE sessions SET token_id = $3, token_issued_at = $4, \
             token_expires_at = CASE WHEN absolute_expires_at < $5 THEN absolute_expires_at \
             ELSE $5 END, \
             previous_token_id = token_id, rotated_at = $6, attempt_hash = $7, \
             generation = generation + 1, last_used_at = $6, last_ip = $8, \
             access_expires_at = CASE WHEN access_expires_at > $9 THEN access_expires_at \
             ELSE $9 END \
             FROM users WHERE users.id = sessions.user_id AND users.deactivated_at IS NULL \
             AND sessions.id = $1 AND token_id = $2 AND ended_at IS NULL \
             AND token_expires_at > $6 RETURNING ",
            session_columns!()
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

macro_rules! bind_swap {
    ($query:expr, $rotate:expr) => {
        $query
            .bind($rotate.session_id.as_uuid())
            .bind($rotate.presented.id.as_uuid())
            .bind($rotate.next.as_uuid())
            .bind($rotate.at.floor_to_second().as_micros())
            .bind(($rotate.at + $rotate.lifetime).floor_to_second().as_micros())
            .bind($rotate.at.as_micros())
            .bind($rotate.attempt.map(|hash| hash.0.to_vec()))
            .bind(ip_column($rotate.origin.ip))
            .bind($rotate.access_expires_at.as_micros())
    };
}

#[derive(sqlx::FromRow)]
struct RefreshedRow {
    #[sqlx(flatten)]
    session: SessionRow,
    role: String,
}

impl TryFrom<RefreshedRow> for Refreshed {
    type Error = Error;

    fn try_from(row: RefreshedRow) -> Result<Self> {
        let role = Role::parse(&row.role).ok_or(Error::unreadable("role"))?;
        Ok(Self { session: row.session.try_into()?, role })
    }
}

#[derive(sqlx::FromRow)]
struct KnownRow {
    #[sqlx(flatten)]
    session: SessionRow,
    entered_at: Option<i64>,
}

/// One statement, one round trip.
async fn rotate_postgres(
    connection: &mut PgConnection,
    rotate: &Rotate,
) -> Result<Option<RefreshedRow>> {
    let query = counted::query_as(concat!(
        "WITH sessions AS (",
        swap!(),
        "), entry AS (",
        rotated_entry!(),
        "SELECT $2, id, user_id, generation - 1, 'ROTATED', $10, $6, $11, user_id, $8, $12 \
         FROM sessions) SELECT ",
        session_columns!(),
        ", users.role FROM sessions JOIN users ON users.id = sessions.user_id"
    ));
    Ok(bind_swap!(query, rotate)
        .bind(rotate.presented.issued_at.as_micros())
        .bind(rotate.presented.expires_at.as_micros())
        .bind(user_agent_column(&rotate.origin))
        .fetch_optional(connection)
        .await?)
}

/// Two statements in one text, which is one trip to the thread of the connection: SQLite's `WITH` has
/// no writes. Nobody else has the successor's id, so the second finds it only after the swap.
async fn rotate_sqlite(
    connection: &mut SqliteConnection,
    rotate: &Rotate,
) -> Result<Option<RefreshedRow>> {
    let query = counted::query_as(concat!(
        swap!(),
        ", (SELECT role FROM users WHERE users.id = sessions.user_id) AS role; ",
        rotated_entry!(),
        "SELECT $2, id, user_id, generation - 1, 'ROTATED', $10, $6, $11, user_id, $8, $12 \
         FROM sessions WHERE id = $1 AND token_id = $3"
    ));
    let rows = bind_swap!(query, rotate)
        .bind(rotate.presented.issued_at.as_micros())
        .bind(rotate.presented.expires_at.as_micros())
        .bind(user_agent_column(&rotate.origin))
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().next())
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
                    let mut lease = postgres.lease().await?;
                    let swapped = rotate_postgres(&mut lease, &rotate).await;
                    lease.at_rest(swapped).await
                };
                postgres.run(swap).await?
            }
        };
        row.map(Refreshed::try_from).transpose()
    }

    /// Marks a session as used without moving its chain. `None` where it is not live, its user not
    /// active, or the presented token not the one it has to be.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn touch(&self, touch: Touch) -> Result<Option<Refreshed>> {
        let row: Option<RefreshedRow> = transact!(self, conn => {
            let session: Option<SessionRow> = counted::query_as(concat!(
                "UPDATE sessions SET last_used_at = $1, last_ip = $2, \
                 access_expires_at = CASE WHEN access_expires_at > $3 THEN access_expires_at \
                 ELSE $3 END \
                 FROM users WHERE users.id = sessions.user_id AND users.deactivated_at IS NULL \
                 AND sessions.id = $4 AND $5 = CASE WHEN $6 = 1 THEN previous_token_id ELSE token_id END \
                 AND ended_at IS NULL AND token_expires_at > $1 RETURNING ",
                session_columns!()
            ))
            .bind(touch.at.as_micros())
            .bind(ip_column(touch.origin.ip))
            .bind(touch.access_expires_at.as_micros())
            .bind(touch.session_id.as_uuid())
            .bind(touch.presented.as_uuid())
            .bind(i64::from(touch.is_retry))
            .fetch_optional(&mut *conn)
            .await?;
            let Some(session) = session else { return Ok(None) };
            let role: String = counted::query_scalar(
                "SELECT role FROM users WHERE id = (SELECT user_id FROM sessions WHERE id = $1)",
            )
            .bind(touch.session_id.as_uuid())
            .fetch_one(&mut *conn)
            .await?;
            if let Some(event) = &touch.event {
                conn.write_down(event).await?;
            }
            Ok(Some(RefreshedRow { session, role }))
        })?;
        row.map(Refreshed::try_from).transpose()
    }

    /// What is known of a token that a session was refreshed with. `None` where the session is not
    /// this user's, or not there any more.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn known_token(
        &self,
        user: UserId,
        session: SessionId,
        token: TokenId,
    ) -> Result<Option<Known>> {
        let row: Option<KnownRow> = read!(self, conn => Ok::<_, Error>(counted::query_as(concat!(
            "SELECT ", session_columns!(), ", \
             (SELECT blacklisted_at FROM blacklist_entries \
              WHERE blacklist_entries.token_id = $1 AND session_id = $2) AS entered_at \
             FROM sessions WHERE id = $2 AND user_id = $3"
        ))
        .bind(token.as_uuid())
        .bind(session.as_uuid())
        .bind(user.as_uuid())
        .fetch_optional(conn)
        .await?))?;
        let Some(row) = row else { return Ok(None) };
        let rotated_at = row.entered_at.map(Timestamp::from_micros);
        Ok(Some(Known { session: row.session.try_into()?, rotated_at }))
    }
}
