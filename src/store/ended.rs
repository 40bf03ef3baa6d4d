//! Sessions that ended lately, as their own rows say.
//!
//! Rule: the feed's row of an end goes with its last access token by the clock of whoever purges. Where
//! that clock was ahead tokens are alive again once it is right, and only the session knows that it has
//! ended. So who has read nothing yet reads these, too.

use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use sqlx::types::Uuid;
use sqlx::{AssertSqlSafe, ColumnIndex, Decode, Row, Type};

use super::end::{EndedSession, MAX_LEEWAY};
use super::feed::{CHUNK, Source, Tail, in_time, read_end};
use super::{Error, Result};
use crate::clock::Timestamp;

impl Tail {
    /// Hands on the sessions that ended after `since` and of which an access token may be alive at
    /// `now`. Along an index of ends, which a session's refreshes do not touch.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn read_ended(
        &mut self,
        since: Timestamp,
        now: Timestamp,
        hand_on: impl FnMut(&[EndedSession]),
    ) -> Result<()> {
        let leeway = MAX_LEEWAY.as_micros();
        let sql = format!(
            "SELECT id, user_id, end_reason, access_expires_at + {leeway} FROM sessions \
             WHERE ended_at > {} AND access_expires_at + {leeway} > {}",
            since.as_micros(),
            now.as_micros()
        );
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match &mut self.source {
            Source::Sqlite(readers) => {
                hand_on_all(sql.fetch(&mut *readers.acquire().await?), hand_on).await
            }
            Source::Postgres { listener, .. } => {
                // The read of the feed before has left it here.
                let mut connected = listener.take().ok_or(Error::unreadable("connection"))?;
                hand_on_all(sql.fetch(&mut connected), hand_on).await?;
                *listener = Some(connected);
                Ok(())
            }
        }
    }
}

async fn hand_on_all<R>(
    rows: BoxStream<'_, sqlx::Result<R>>,
    mut hand_on: impl FnMut(&[EndedSession]),
) -> Result<()>
where
    R: Row,
    usize: ColumnIndex<R>,
    Uuid: Type<R::Database> + for<'r> Decode<'r, R::Database>,
    String: Type<R::Database> + for<'r> Decode<'r, R::Database>,
    i64: Type<R::Database> + for<'r> Decode<'r, R::Database>,
{
    let mut chunks = rows.try_chunks(CHUNK);
    // The bound is on each step, as with the feed.
    while let Some(rows) = in_time(chunks.try_next()).await?.map_err(|failed| failed.1)? {
        let end = |row: &R| {
            let reason: String = row.try_get(2)?;
            read_end(row.try_get(0)?, row.try_get(1)?, &reason, row.try_get(3)?)
        };
        hand_on(&rows.iter().map(end).collect::<Result<Vec<_>>>()?);
    }
    Ok(())
}
