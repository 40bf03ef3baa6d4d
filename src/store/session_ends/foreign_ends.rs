//! Rows of the feed that another PostgreSQL server wrote.
//!
//! `pg_dump` and logical replication copy `session_ends.xid` to a server whose own transaction ids may
//! be lower. Such a row is visible, but in no snapshot, so its id does not say when it was committed.
//! Every reader of the feed therefore replaces the id by that of a transaction of this server. Only
//! then is the row passed on, so each follower gets it once.

use sqlx::postgres::PgListener;

use crate::store::error::{Error, Result};
use crate::store::timeout::limit_time;

/// Whether a visible row was committed by this server, judging by its transaction id.
macro_rules! is_own {
    () => {
        "pg_visible_in_snapshot(xid, pg_current_snapshot())"
    };
}
pub(in crate::store) use is_own;

/// One batch. If a reader in another process does the same at once, the second one finds the id changed
/// and leaves the row.
const REPLACE_IDS: &str = concat!(
    "UPDATE session_ends SET xid = pg_current_xact_id() \
     FROM (SELECT seq, xid FROM session_ends \
     WHERE xid >= pg_snapshot_xmin(pg_current_snapshot()) AND NOT ",
    is_own!(),
    " ORDER BY seq LIMIT 1000) AS foreign_ends \
     WHERE session_ends.seq = foreign_ends.seq AND session_ends.xid = foreign_ends.xid"
);

/// Replaces the transaction ids of all such rows.
pub(super) async fn replace_foreign_ids(connection: &mut PgListener) -> Result<()> {
    loop {
        let updated = limit_time(sqlx::raw_sql(REPLACE_IDS).execute(&mut *connection)).await?;
        if updated.map_err(Error::from)?.rows_affected() == 0 {
            return Ok(());
        }
    }
}
