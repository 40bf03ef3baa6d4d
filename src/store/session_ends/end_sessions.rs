//! [`Store::end_sessions`]: the end of all live sessions of a scope.

use crate::store::audit::{Audit, NewEvent};
use crate::store::email::outbox::{NewMail, Outbox};
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::session_ends::end_all::{EndAll, Ending};
use crate::store::session_ends::end_order::EndSessions;

impl Store {
    /// Ends the live sessions of a scope and, if there are any, records the event that led to it.
    pub async fn end_sessions(&self, end: EndSessions, event: Option<NewEvent>) -> Result<Ending> {
        self.end_sessions_and_tell(end, event, Vec::new()).await
    }

    /// Ends the live sessions of a scope. If there are any, records the event and queues the notices: of
    /// concurrent orders to end one session, one tells its user.
    pub async fn end_sessions_and_tell(
        &self,
        end: EndSessions,
        event: Option<NewEvent>,
        notices: Vec<NewMail>,
    ) -> Result<Ending> {
        transact!(self, conn => {
            let ending = conn.end_all(&end).await?;
            if ending.is_new || !ending.ended.is_empty() {
                if let Some(event) = &event {
                    conn.record_event(event).await?;
                }
                conn.queue_mails(&notices).await?;
            }
            Ok(ending)
        })
    }
}
