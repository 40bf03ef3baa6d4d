//! Audit events, recorded in the transaction of the change that they report.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;

use crate::clock::Timestamp;
use crate::domain::audit::{AuditEvent, AuditEventId, AuditKind};
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Origin;
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::query::conditions::{Arg, Conditions, bind_all};
use crate::store::query::rows::{EventRow, event_columns, ip_column, user_agent_column};

/// An audit event to be recorded.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub kind: AuditKind,
    pub at: Timestamp,
    /// The account that the event is about.
    pub user: Option<UserId>,
    /// The user who caused it, if known.
    pub actor: Option<UserId>,
    pub session: Option<SessionId>,
    pub origin: Origin,
    /// Never a secret.
    pub detail: Option<&'static str>,
}

steps! {
    pub(in crate::store) trait Audit {
        async fn record_event(&mut self, event: &NewEvent) -> Result<()> {
            self.insert_event(event, event.detail).await
        }

        /// Records an event with a detail that is made at run time: never a secret.
        async fn record_event_with(&mut self, event: &NewEvent, detail: &str) -> Result<()> {
            self.insert_event(event, Some(detail)).await
        }

        async fn insert_event(&mut self, event: &NewEvent, detail: Option<&str>) -> Result<()> {
            metered::query(
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
            .bind(detail.map(str::to_owned))
            .execute(self)
            .await?;
            Ok(())
        }
    }
}

impl Store {
    /// Records an event without a change, such as a failed login.
    pub async fn record(&self, event: NewEvent) -> Result<()> {
        transact!(self, conn => conn.record_event(&event).await)
    }

    /// Missing events are left out.
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
            let query = metered::query_as(AssertSqlSafe(sql.as_str()));
            Ok::<_, crate::store::error::Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        rows.into_iter()
            .map(|row| AuditEvent::try_from(row).map(|event| (event.id, event)))
            .collect()
    }
}
