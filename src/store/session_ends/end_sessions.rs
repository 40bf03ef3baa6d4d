//! [`Store::end_sessions`]: the end of all live sessions of a scope.

use crate::store::audit::{Audit, NewEvent};
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::session_ends::end_all::{EndAll, Ending};
use crate::store::session_ends::end_order::EndSessions;

impl Store {
    /// Ends the live sessions of a scope and, if there are any, records the event that led to it.
    pub async fn end_sessions(&self, end: EndSessions, event: Option<NewEvent>) -> Result<Ending> {
        transact!(self, conn => {
            let ending = conn.end_all(&end).await?;
            if let Some(event) = event.as_ref().filter(|_| ending.is_new || !ending.ended.is_empty()) {
                conn.record_event(event).await?;
            }
            Ok(ending)
        })
    }
}
