//! Batches that end the rows of the sessions below a floor.
//!
//! Each batch is a transaction of its own, small enough that nobody waits for it, and writes the same
//! rows as the end of a single session. The progress is in the floor's row and advances with the batch
//! by a conditional write, so any process can continue where another one stopped. A lease avoids
//! duplicate work; without it the result would be the same.

use std::time::Duration;

use sqlx::types::Uuid;

use crate::clock::Timestamp;
use crate::domain::audit::Note;
use crate::domain::id::{SessionId, TokenId};
use crate::domain::origin::{Origin, UserAgent, ip_from_bytes};
use crate::store::backend::database::Database;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::conditions::{Arg, Conditions};
use crate::store::query::from_row::from_row;
use crate::store::session_ends::end_order::{EndSessions, Scope};
use crate::store::session_ends::end_rows::EndRows;
use crate::store::session_ends::ended_session::EndedSession;
use crate::store::session_ends::floor::{Floor, FloorId, FloorRow, floor_columns};

/// A worker keeps the floor for this time after its last batch.
const LEASE_DURATION: Duration = Duration::from_secs(5);

/// Rows examined per row of a batch.
const SEARCH_FACTOR: usize = 20;

/// The result of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FloorBatch {
    /// These sessions ended, and there may be more.
    Ended(Vec<EndedSession>),
    /// These sessions were the last; the floor now has its `until`.
    Last(Vec<EndedSession>, Floor),
    /// Another worker has the floor.
    Busy,
    /// Every row is ended, or the floor was deleted.
    Done,
}

from_row! {
    /// A floor, the order that set it, and the progress of its batches.
    struct Progress {
        #[flatten]
        floor: FloorRow,
        ip: Option<Vec<u8>>,
        user_agent: Option<String>,
        note: Option<String>,
        reached: Uuid,
        worker: Option<Uuid>,
        leased_until: i64,
    }
}

impl Store {
    /// Maximum number of rows of a batch. Smaller on SQLite, where nobody else writes meanwhile.
    #[must_use]
    pub fn max_batch_rows(&self) -> usize {
        match self.kind() {
            Database::Sqlite(_) => 50,
            Database::Postgres(_) => 500,
        }
    }

    /// The pause after a batch, as a multiple of its duration. Longer on SQLite: other writers wait for a
    /// batch, while on PostgreSQL they only share the server with it.
    #[must_use]
    pub fn batch_pause_factor(&self) -> u32 {
        match self.kind() {
            Database::Sqlite(_) => 3,
            Database::Postgres(_) => 1,
        }
    }

    /// Ends the next rows below a floor, if this worker has the lease or can take it.
    pub async fn end_batch(
        &self,
        id: FloorId,
        worker: TokenId,
        now: Timestamp,
    ) -> Result<FloorBatch> {
        let progress: Option<Progress> = read!(self, conn => {
            Ok::<_, Error>(metered::query_as(concat!(
                "SELECT ", floor_columns!(), ", ip, user_agent, note, reached, worker, \
                 leased_until FROM session_floors WHERE id = $1 AND done_at IS NULL"
            ))
            .bind(id.0)
            .fetch_optional(conn)
            .await?)
        })?;
        let Some(progress) = progress else { return Ok(FloorBatch::Done) };
        let leased_until = Timestamp::from_micros(progress.leased_until);
        let is_leased = leased_until > now && leased_until <= now + LEASE_DURATION;
        if is_leased && progress.worker != Some(worker.as_uuid()) {
            return Ok(FloorBatch::Busy);
        }
        let reached = progress.reached;
        let reason = progress.floor.reason.clone();
        let (floor, mut end) = progress.order();
        let found = self
            .find_after(
                floor.user,
                floor.unended_rows(),
                Some(SessionId::from_uuid(reached)),
                self.max_batch_rows(),
                self.max_batch_rows() * SEARCH_FACTOR,
            )
            .await?;
        // Rows above the floor are not ended.
        let next = found.next_after.filter(|&after| after < floor.below);
        end.scope = Scope::These(found.sessions);
        transact!(self, conn => {
            let moved = metered::query(
                "UPDATE session_floors SET reached = $1, worker = $2, leased_until = $3 \
                 WHERE id = $4 AND reached = $5 AND done_at IS NULL",
            )
            .bind(next.unwrap_or(floor.below).as_uuid())
            .bind(worker.as_uuid())
            .bind((now + LEASE_DURATION).as_micros())
            .bind(id.0)
            .bind(reached)
            .execute(&mut *conn)
            .await?;
            if moved.rows_affected() == 0 {
                return Ok(FloorBatch::Busy);
            }
            let ended = conn.end_rows(&end, &reason).await?.unwrap_or_default();
            if next.is_some() {
                return Ok(FloorBatch::Ended(ended));
            }
            // An upper bound for all sessions, below this floor or not: cheaper than the exact value.
            let done: FloorRow = metered::query_as(concat!(
                "UPDATE session_floors SET done_at = $1, \
                 until = COALESCE((SELECT max(until) FROM session_ends), $1) WHERE id = $2 \
                 RETURNING ",
                floor_columns!()
            ))
            .bind(now.as_micros())
            .bind(id.0)
            .fetch_one(&mut *conn)
            .await?;
            Ok(FloorBatch::Last(ended, done.into()))
        })
    }
}

impl Progress {
    fn order(self) -> (Floor, EndSessions) {
        let floor = Floor::from(self.floor);
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
        (floor, end)
    }
}

impl Floor {
    /// The sessions that it ended and whose rows are not ended yet.
    fn unended_rows(&self) -> Conditions {
        let mut conditions = Conditions::after(0);
        let at = Arg::Int(self.at.as_micros());
        conditions.and("ended_at IS NULL AND token_expires_at > ?", [at]);
        self.add_to(&mut conditions);
        conditions
    }
}
