//! What is written down, in the transaction of what it tells.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;

use super::conditions::{Arg, Conditions, bind_all};
use super::rows::{EventRow, event_columns, ip_column, user_agent_column};
use super::{Result, Store, counted};
use crate::clock::Timestamp;
use crate::domain::audit::{AuditEvent, AuditEventId, AuditKind};
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Origin;

/// Something that happened.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// What.
    pub kind: AuditKind,
    /// When.
    pub at: Timestamp,
    /// To whose account.
    pub user: Option<UserId>,
    /// By whom, where somebody known did it.
    pub actor: Option<UserId>,
    /// In which session.
    pub session: Option<SessionId>,
    /// From where.
    pub origin: Origin,
    /// What else there is to say; never anything secret.
    pub detail: Option<&'static str>,
}

steps! {
    /// The step of a transaction that writes it down.
    pub(super) trait Audit {
        /// Adds one event.
        async fn write_down(&mut self, event: &NewEvent) -> Result<()> {
            counted::query(
                "INSERT INTO audit_events (kind, occurred_at, user_id, actor_id, session_id, ip, \
                 user_agent, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(event.kind.as_str())
            .bind(event.at.as_micros())
            .bind(event.user.map(UserId::as_uuid))
            .bind(event.actor.map(UserId::as_uuid))
            .bind(event.session.map(SessionId::as_uuid))
            .bind(ip_column(event.origin.ip))
            .bind(user_agent_column(&event.origin))
            .bind(event.detail)
            .execute(self)
            .await?;
            Ok(())
        }
    }
}

impl Store {
    /// Writes down what changed nothing else, such as a failed login.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database fails.
    pub async fn record(&self, event: NewEvent) -> Result<()> {
        transact!(self, conn => conn.write_down(&event).await)
    }
}

impl Store {
    /// The events with these numbers, as far as they exist.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database fails.
    pub async fn audit_events_by_id(
        &self,
        ids: &[AuditEventId],
    ) -> Result<HashMap<AuditEventId, AuditEvent>> {
        let mut conditions = Conditions::after(0);
        conditions.and_one_of("id", ids.iter().map(|id| Arg::Int(id.0)).collect());
        let sql = format!(
            concat!("SELECT ", event_columns!(), " FROM audit_events WHERE {}"),
            conditions.sql()
        );
        let args = conditions.into_args();
        let rows: Vec<EventRow> = read!(self, conn => {
            let query = counted::query_as(AssertSqlSafe(sql.as_str()));
            Ok::<_, super::Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        rows.into_iter()
            .map(|row| AuditEvent::try_from(row).map(|event| (event.id, event)))
            .collect()
    }
}
