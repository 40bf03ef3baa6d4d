//! Count and sample of the sessions that a floor ended.

use sqlx::AssertSqlSafe;
use sqlx::types::Uuid;

use crate::domain::id::SessionId;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::conditions::{Arg, Conditions, bind_all};
use crate::store::query::floor_sql::from_floors_over;
use crate::store::session_ends::floor::Floor;

/// The sessions that a floor ended, whether or not their rows are ended yet; without those that an
/// earlier floor had ended.
const ENDED_BY_FLOOR: &str = concat!(
    "(ended_at IS NULL AND token_expires_at > ? OR ended_at = ? \
     AND end_reason = (SELECT reason FROM session_floors WHERE id = ?)) AND NOT EXISTS (SELECT 1",
    from_floors_over!("sessions.id", "sessions.user_id"),
    " AND floors.id < ?)"
);

impl Floor {
    fn conditions(&self) -> Conditions {
        let mut conditions = Conditions::after(0);
        let (at, id) = (|| Arg::Int(self.at.as_micros()), || Arg::Int(self.id.0));
        conditions.and(ENDED_BY_FLOOR, [at(), at(), id(), id()]);
        self.add_to(&mut conditions);
        conditions
    }
}

impl Store {
    /// The number of sessions that a floor ended.
    pub async fn count_below(&self, floor: &Floor) -> Result<usize> {
        self.count_in_ranges(floor.user, &floor.conditions()).await
    }

    /// The newest sessions that a floor ended.
    pub async fn newest_below(&self, floor: &Floor, max: usize) -> Result<Vec<SessionId>> {
        let conditions = floor.conditions();
        let sql = format!(
            "SELECT id FROM sessions WHERE {} ORDER BY id DESC LIMIT {max}",
            conditions.sql()
        );
        let args = conditions.into_args();
        let ids: Vec<Uuid> = read!(self, conn => {
            let query = metered::query_scalar(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        Ok(ids.into_iter().map(SessionId::from_uuid).collect())
    }
}
