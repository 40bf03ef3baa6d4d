//! Ended sessions that another PostgreSQL server wrote.
//!
//! `pg_dump` and logical replication carry `session_ends.xid` into a server whose own transaction ids
//! may be lower: such a row is visible, but in no snapshot, so its id says nothing about when it was
//! committed. Rule: it is followed as soon as its id is replaced by that of a transaction of this
//! server, which every reader of the feed does, and not before; so each follower is sent it once.

use sqlx::postgres::PgListener;

use super::feed::in_time;
use super::{Error, Result};

/// Whether a row that is visible was committed by this server, as far as its transaction id tells.
macro_rules! is_own {
    () => {
        "pg_visible_in_snapshot(xid, pg_current_snapshot())"
    };
}
pub(super) use is_own;

/// A batch. A reader in another process may do the same at once: the second one finds an id that is not
/// the one it read, and leaves it.
const ADOPT: &str = concat!(
    "UPDATE session_ends SET xid = pg_current_xact_id() \
     FROM (SELECT seq, xid FROM session_ends \
     WHERE xid >= pg_snapshot_xmin(pg_current_snapshot()) AND NOT ",
    is_own!(),
    " ORDER BY seq LIMIT 1000) AS foreign_ends \
     WHERE session_ends.seq = foreign_ends.seq AND session_ends.xid = foreign_ends.xid"
);

/// Gives all such rows an id of this server.
pub(super) async fn adopt(connection: &mut PgListener) -> Result<()> {
    loop {
        let updated = in_time(sqlx::raw_sql(ADOPT).execute(&mut *connection)).await?;
        if updated.map_err(Error::from)?.rows_affected() == 0 {
            return Ok(());
        }
    }
}
