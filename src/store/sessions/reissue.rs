//! A new access token for a session whose refresh token stays.

use crate::clock::Timestamp;
use crate::domain::id::{SessionId, TokenId};
use crate::domain::origin::Origin;
use crate::domain::throttle::Limit;
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::query::floor_sql::below_a_floor;
use crate::store::query::rows::{claims_columns, ip_column, session_columns};
use crate::store::rotation::refresh_limit::{LimitColumns, limit_after, within_limit};
use crate::store::rotation::refreshed::{Refreshed, RefreshedRow};

#[derive(Clone, Debug)]
pub struct Reissue {
    pub session_id: SessionId,
    /// The presented refresh token; must be the outstanding one.
    pub presented: TokenId,
    /// Latest expiry of the new access token.
    pub access_expires_at: Timestamp,
    pub at: Timestamp,
    pub origin: Origin,
    /// Rate limit per session.
    pub limit: Option<Limit>,
}

impl Store {
    /// Records the use of a session without a rotation. `None` if the session is not live, its user not
    /// active, the presented token not the outstanding one, or the limit exceeded.
    pub async fn reissue(&self, reissue: Reissue) -> Result<Option<Refreshed>> {
        let limit = LimitColumns::of(reissue.limit, reissue.at);
        let row: Option<RefreshedRow> = transact!(self, conn => {
            let row: Option<RefreshedRow> = metered::query_as(concat!(
                "UPDATE sessions SET last_used_at = given.at, last_ip = $2, \
                 access_expires_at = CASE WHEN access_expires_at > $3 THEN access_expires_at \
                 ELSE $3 END, refresh_limit_until = ", limit_after!(),
                " FROM users, (SELECT CAST($1 AS BIGINT) AS at, CAST($6 AS BIGINT) AS limit_from, \
                 CAST($7 AS BIGINT) AS limit_to, CAST($8 AS BIGINT) AS limit_step) AS given \
                 WHERE users.id = sessions.user_id AND users.deactivated_at IS NULL \
                 AND sessions.id = $4 AND token_id = $5 AND ended_at IS NULL \
                 AND token_expires_at > given.at AND NOT ",
                below_a_floor!("sessions.id", "sessions.user_id"),
                " AND ", within_limit!(), " RETURNING ",
                session_columns!(),
                claims_columns!()
            ))
            .bind(reissue.at.as_micros())
            .bind(ip_column(reissue.origin.ip))
            .bind(reissue.access_expires_at.as_micros())
            .bind(reissue.session_id.as_uuid())
            .bind(reissue.presented.as_uuid())
            .bind(limit.from)
            .bind(limit.to)
            .bind(limit.step)
            .fetch_optional(&mut *conn)
            .await?;
            Ok(row)
        })?;
        row.map(Refreshed::try_from).transpose()
    }
}
