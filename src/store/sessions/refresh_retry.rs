//! Retry of a refresh: the response to the last rotation was lost, and the client asks again.

use crate::clock::Timestamp;
use crate::domain::id::{SessionId, TokenId};
use crate::domain::origin::Origin;
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::query::floor_sql::below_a_floor;
use crate::store::query::rows::{claims_columns, ip_column, session_columns};
use crate::store::rotation::refreshed::{Refreshed, RefreshedRow};

#[derive(Clone, Debug)]
pub struct RefreshRetry {
    pub session_id: SessionId,
    /// The presented refresh token; must be the one before the outstanding one.
    pub presented: TokenId,
    /// Latest expiry of the new access token.
    pub access_expires_at: Timestamp,
    pub at: Timestamp,
    pub origin: Origin,
    /// The retries in the audit, as the caller read them.
    pub logged: LoggedRetries,
    /// The event to record and the resulting state, unless this kind of retry is in the audit already.
    pub event: Option<(LoggedRetries, NewEvent)>,
}

/// The retries of a session's last refresh that are in the audit. Each kind is recorded once; otherwise a
/// client that retries in a loop would fill the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoggedRetries {
    None,
    /// A retry by the client that refreshed.
    SameClient,
    /// A retry by another client.
    AnotherClient,
}

impl LoggedRetries {
    pub(in crate::store) fn from_column(number: i32) -> Self {
        match number {
            0 => Self::None,
            1 => Self::SameClient,
            _ => Self::AnotherClient,
        }
    }

    fn column(self) -> i32 {
        match self {
            Self::None => 0,
            Self::SameClient => 1,
            Self::AnotherClient => 2,
        }
    }
}

impl Store {
    /// Records a retry and the expiry of the new access token. `None` if the session is not live, its
    /// user not active, the presented token not the one before the outstanding one, or `logged` has
    /// changed meanwhile: of concurrent retries one records the event.
    pub async fn retry_refresh(&self, retry: RefreshRetry) -> Result<Option<Refreshed>> {
        let row: Option<RefreshedRow> = transact!(self, conn => {
            let logged = retry.event.as_ref().map_or(retry.logged, |(logged, _)| *logged);
            let row: Option<RefreshedRow> = metered::query_as(concat!(
                "UPDATE sessions SET last_used_at = $1, last_ip = $2, logged_retries = $7, \
                 access_expires_at = CASE WHEN access_expires_at > $3 THEN access_expires_at \
                 ELSE $3 END \
                 FROM users WHERE users.id = sessions.user_id AND users.deactivated_at IS NULL \
                 AND sessions.id = $4 AND previous_token_id = $5 AND logged_retries = $6 \
                 AND ended_at IS NULL AND token_expires_at > $1 AND NOT ",
                below_a_floor!("sessions.id", "sessions.user_id"),
                " RETURNING ",
                session_columns!(),
                claims_columns!()
            ))
            .bind(retry.at.as_micros())
            .bind(ip_column(retry.origin.ip))
            .bind(retry.access_expires_at.as_micros())
            .bind(retry.session_id.as_uuid())
            .bind(retry.presented.as_uuid())
            .bind(retry.logged.column())
            .bind(logged.column())
            .fetch_optional(&mut *conn)
            .await?;
            if let (Some(_), Some((_, event))) = (&row, &retry.event) {
                conn.record_event(event).await?;
            }
            Ok(row)
        })?;
        row.map(Refreshed::try_from).transpose()
    }
}
