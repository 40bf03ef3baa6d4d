//! Notifications that wake the feed readers of other processes.
//!
//! PostgreSQL delivers them once the transaction is committed. SQLite has none: readers poll.

use crate::store::backend::metered;
use crate::store::error::Result;

/// The channel of `LISTEN` and `NOTIFY`.
pub(in crate::store) const CHANNEL: &str = "sallyport_session_ends";

pub(in crate::store) trait Notify {
    fn notify_feeds(&mut self) -> impl Future<Output = Result<()>> + Send;
}

impl Notify for sqlx::PgConnection {
    async fn notify_feeds(&mut self) -> Result<()> {
        metered::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(self).await?;
        Ok(())
    }
}

impl Notify for sqlx::SqliteConnection {
    async fn notify_feeds(&mut self) -> Result<()> {
        Ok(())
    }
}
