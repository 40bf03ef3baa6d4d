//! The sessions that a floor ended: how many, and the newest.

use sqlx::AssertSqlSafe;
use sqlx::types::Uuid;

use super::conditions::{Arg, Conditions, bind_all};
use super::floors::{Floor, from_floors_over};
use super::{Error, Result, Store, counted};
use crate::domain::id::SessionId;

/// The sessions that a floor ended, whether or not their rows say so yet, less those that a floor
/// before it had ended.
const OF_A_FLOOR: &str = concat!(
    "(ended_at IS NULL AND token_expires_at > ? OR ended_at = ? \
     AND end_reason = ?) AND NOT EXISTS (SELECT 1",
    from_floors_over!("sessions.id", "sessions.user_id"),
    " AND floors.id < ?)"
);

impl Floor {
    fn conditions(&self) -> Conditions {
        let mut conditions = Conditions::after(0);
        let at = || Arg::Int(self.at.as_micros());
        conditions.and(
            OF_A_FLOOR,
            [at(), at(), Arg::Text(self.reason.as_str().to_owned()), Arg::Int(self.id.0)],
        );
        self.add_to(&mut conditions);
        conditions
    }
}

impl Store {
    /// How many sessions a floor ended.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn count_below(&self, floor: &Floor) -> Result<usize> {
        self.count_in_stretches(floor.user, &floor.conditions()).await
    }

    /// The newest sessions that a floor ended.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn newest_below(&self, floor: &Floor, most: usize) -> Result<Vec<SessionId>> {
        let conditions = floor.conditions();
        let sql = format!(
            "SELECT id FROM sessions WHERE {} ORDER BY id DESC LIMIT {most}",
            conditions.sql()
        );
        let args = conditions.into_args();
        let ids: Vec<Uuid> = read!(self, conn => {
            let query = counted::query_scalar(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        Ok(ids.into_iter().map(SessionId::from_uuid).collect())
    }
}
