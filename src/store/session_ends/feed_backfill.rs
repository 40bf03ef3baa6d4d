//! Backfill of the feed from the rows of sessions.
//!
//! A purge deletes a row of the feed once no access token of its session is accepted, by the clock of
//! the process that purges. If that clock was ahead, such tokens are accepted again once it is right,
//! and only the session's row says that it has ended. So a reader that starts reads these rows too.

use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use sqlx::types::Uuid;
use sqlx::{AssertSqlSafe, ColumnIndex, Decode, Row, Type};

use crate::clock::Timestamp;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::session_ends::ended_session::{EndedSession, MAX_LEEWAY};
use crate::store::session_ends::feed::{CHUNK, FeedReader, Source};
use crate::store::timeout::limit_time;

impl FeedReader {
    /// Passes on the sessions that ended after `since` and of which an access token may be accepted at
    /// `now`. The query uses an index on the time of the end, which refreshes do not change.
    pub async fn backfill(
        &mut self,
        since: Timestamp,
        now: Timestamp,
        pass_on: impl FnMut(&[EndedSession]),
    ) -> Result<()> {
        let leeway = MAX_LEEWAY.as_micros();
        let sql = format!(
            "SELECT id, user_id, end_reason, access_expires_at + {leeway} FROM sessions \
             WHERE ended_at > {} AND access_expires_at + {leeway} > {}",
            since.as_micros(),
            now.as_micros()
        );
        let sql = metered::raw_sql(AssertSqlSafe(sql));
        match &mut self.source {
            Source::Sqlite(readers) => {
                pass_on_all(sql.fetch(&mut *readers.acquire().await?), pass_on).await
            }
            Source::Postgres { listener, .. } => {
                // [`FeedReader::read`] comes first and leaves its connection here.
                let mut connected = listener.take().ok_or(Error::unreadable("connection"))?;
                pass_on_all(sql.fetch(&mut connected), pass_on).await?;
                *listener = Some(connected);
                Ok(())
            }
        }
    }
}

async fn pass_on_all<R>(
    rows: BoxStream<'_, sqlx::Result<R>>,
    mut pass_on: impl FnMut(&[EndedSession]),
) -> Result<()>
where
    R: Row,
    usize: ColumnIndex<R>,
    Uuid: Type<R::Database> + for<'r> Decode<'r, R::Database>,
    String: Type<R::Database> + for<'r> Decode<'r, R::Database>,
    i64: Type<R::Database> + for<'r> Decode<'r, R::Database>,
{
    let mut chunks = rows.try_chunks(CHUNK);
    // The timeout applies to each chunk, as for the feed.
    while let Some(rows) = limit_time(chunks.try_next()).await?.map_err(|failed| failed.1)? {
        let end = |row: &R| {
            let reason: String = row.try_get(2)?;
            let (id, user, until) = (row.try_get(0)?, row.try_get(1)?, row.try_get(3)?);
            Ok(EndedSession::from_columns(id, user, &reason, until))
        };
        pass_on(&rows.iter().map(end).collect::<Result<Vec<_>>>()?);
    }
    Ok(())
}
