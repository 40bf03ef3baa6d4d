//! The rows below a floor are ended, a batch at a time.
//!
//! Rule: each batch is a transaction of its own, small enough that nobody waits for it, and writes what
//! the end of one session writes. Any process may go on where another stopped, at any instant: how far
//! it came is in the floor's row, and moves with the batch by a conditional write. A lease keeps two
//! from doing the same work, but nothing is wrong where both do.

use std::time::Duration;

use sqlx::types::Uuid;

use super::conditions::{Arg, Conditions};
use super::end::{End, EndSessions, EndedSession, Scope};
use super::floors::{Floor, FloorId, FloorRow, floor_columns};
use super::{Error, Pools, Result, Store, counted};
use crate::clock::Timestamp;
use crate::domain::audit::Note;
use crate::domain::id::{SessionId, TokenId};
use crate::domain::origin::{Origin, UserAgent, ip_from_bytes};

/// How long a process that ends rows is waited for after its last batch.
const LEASE: Duration = Duration::from_secs(5);

/// For each row of a batch so many are looked at.
const SEARCHED: usize = 20;

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batch {
    /// These ended, and there may be more.
    Ended(Vec<EndedSession>),
    /// These were the last, and the floor knows how long it is needed.
    Last(Vec<EndedSession>, Floor),
    /// Somebody else is at it.
    Elsewhere,
    /// Every row is ended, or the floor is gone.
    Done,
}

/// A floor, and how far its rows are ended.
#[derive(sqlx::FromRow)]
struct Progress {
    #[sqlx(flatten)]
    floor: FloorRow,
    ip: Option<Vec<u8>>,
    user_agent: Option<String>,
    note: Option<String>,
    reached: Uuid,
    worker: Option<Uuid>,
    leased_until: i64,
}

impl Store {
    /// The most rows that one batch ends. On SQLite nobody else writes meanwhile.
    #[must_use]
    pub fn rows_at_once(&self) -> usize {
        match self.pools {
            Pools::Sqlite(_) => 50,
            Pools::Postgres(_) => 500,
        }
    }

    /// How many times as long as a batch took the rest after it is. Who writes to PostgreSQL waits for
    /// no batch, but shares the server.
    #[must_use]
    pub fn rests(&self) -> u32 {
        match self.pools {
            Pools::Sqlite(_) => 3,
            Pools::Postgres(_) => 1,
        }
    }

    /// Ends the next rows below a floor, for this worker.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn end_batch(&self, id: FloorId, worker: TokenId, now: Timestamp) -> Result<Batch> {
        let progress: Option<Progress> = read!(self, conn => {
            Ok::<_, Error>(counted::query_as(concat!(
                "SELECT ", floor_columns!(), ", ip, user_agent, note, reached, worker, \
                 leased_until FROM session_floors WHERE id = $1 AND done_at IS NULL"
            ))
            .bind(id.0)
            .fetch_optional(conn)
            .await?)
        })?;
        let Some(progress) = progress else { return Ok(Batch::Done) };
        let leased_until = Timestamp::from_micros(progress.leased_until);
        let is_leased = leased_until > now && leased_until <= now + LEASE;
        if is_leased && progress.worker != Some(worker.as_uuid()) {
            return Ok(Batch::Elsewhere);
        }
        let reached = progress.reached;
        let (floor, mut end) = progress.order()?;
        let found = self
            .find_behind(
                floor.user,
                floor.live(),
                Some(SessionId::from_uuid(reached)),
                self.rows_at_once(),
                self.rows_at_once() * SEARCHED,
            )
            .await?;
        // What lies behind the floor itself is none of its business.
        let next = found.behind.filter(|&behind| behind < floor.below);
        end.scope = Scope::These(found.sessions);
        transact!(self, conn => {
            let moved = counted::query(
                "UPDATE session_floors SET reached = $1, worker = $2, leased_until = $3 \
                 WHERE id = $4 AND reached = $5 AND done_at IS NULL",
            )
            .bind(next.unwrap_or(floor.below).as_uuid())
            .bind(worker.as_uuid())
            .bind((now + LEASE).as_micros())
            .bind(id.0)
            .bind(reached)
            .execute(&mut *conn)
            .await?;
            if moved.rows_affected() == 0 {
                return Ok(Batch::Elsewhere);
            }
            let ended = conn.end_sessions(&end).await?.unwrap_or_default();
            if next.is_some() {
                return Ok(Batch::Ended(ended));
            }
            // No end that is held lasts longer, whichever sessions are meant.
            let done: FloorRow = counted::query_as(concat!(
                "UPDATE session_floors SET done_at = $1, \
                 until = COALESCE((SELECT max(until) FROM session_ends), $1) WHERE id = $2 \
                 RETURNING ",
                floor_columns!()
            ))
            .bind(now.as_micros())
            .bind(id.0)
            .fetch_one(&mut *conn)
            .await?;
            Ok(Batch::Last(ended, done.try_into()?))
        })
    }
}

impl Progress {
    /// The floor, and the order that set it.
    fn order(self) -> Result<(Floor, EndSessions)> {
        let floor = Floor::try_from(self.floor)?;
        let origin = Origin {
            ip: self.ip.and_then(|bytes| ip_from_bytes(&bytes)),
            user_agent: self.user_agent.and_then(|text| UserAgent::parse(&text)),
        };
        let end = EndSessions {
            scope: Scope::These(Vec::new()),
            reason: floor.reason,
            at: floor.at,
            actor: floor.by,
            origin,
            note: self.note.and_then(|text| Note::parse(&text).ok()),
        };
        Ok((floor, end))
    }
}

impl Floor {
    /// The sessions below it that were live and whose rows are not ended.
    fn live(&self) -> Conditions {
        let mut conditions = Conditions::after(0);
        let at = Arg::Int(self.at.as_micros());
        conditions.and("ended_at IS NULL AND token_expires_at > ?", [at]);
        self.add_to(&mut conditions);
        conditions
    }
}
