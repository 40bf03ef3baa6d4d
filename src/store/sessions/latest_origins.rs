//! Addresses and user agents of the latest sessions of an account.

use crate::domain::id::UserId;
use crate::domain::origin::{Origin, UserAgent};
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::from_row::from_row;
use crate::store::query::rows::ip_from_column;

/// Number of sessions, so that the cost is bounded for any account.
const LATEST: i64 = 50;

from_row! {
    struct OriginRow {
        ip: Option<Vec<u8>>,
        user_agent: Option<String>,
    }
}

impl Store {
    /// Where the latest sessions were opened from, as far as it is still stored.
    pub async fn latest_origins(&self, user: UserId) -> Result<Vec<Origin>> {
        let rows: Vec<OriginRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(
            "SELECT ip, user_agent FROM sessions WHERE user_id = $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(user.as_uuid())
        .bind(LATEST)
        .fetch_all(conn)
        .await?))?;
        rows.into_iter()
            .map(|row| {
                let user_agent = row.user_agent.and_then(|text| UserAgent::parse(&text));
                Ok(Origin { ip: ip_from_column(row.ip)?, user_agent })
            })
            .collect()
    }
}
