//! What accounts can log in with.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;
use sqlx::types::Uuid;

use crate::clock::Timestamp;
use crate::crypto::password::PasswordScheme;
use crate::domain::id::UserId;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::factors::state::Factors;
use crate::store::handle::Store;
use crate::store::query::conditions::{Arg, Conditions, bind_all};
use crate::store::query::from_row::from_row;

/// What an account can log in with, beside its address.
#[derive(Clone, Debug)]
pub struct WaysIn {
    pub has_password: bool,
    /// Without their mark.
    pub factors: Factors,
}

from_row! {
    struct WaysInRow {
        id: Uuid,
        scheme: Option<String>,
        totp_since: Option<i64>,
        recovery_codes: i64,
        passkeys: i64,
    }
}

impl Store {
    /// Missing accounts are left out.
    pub async fn ways_in_by_user(&self, ids: &[UserId]) -> Result<HashMap<UserId, WaysIn>> {
        let mut conditions = Conditions::after(0);
        conditions.and_one_of("id", ids.iter().map(|id| Arg::Uuid(id.as_uuid())).collect());
        let sql = format!(
            "SELECT id, (SELECT scheme FROM password_credentials WHERE user_id = users.id) AS scheme, \
             (SELECT confirmed_at FROM totp WHERE user_id = users.id) AS totp_since, \
             (SELECT count(*) FROM recovery_codes WHERE user_id = users.id) AS recovery_codes, \
             (SELECT count(*) FROM passkeys WHERE user_id = users.id) AS passkeys \
             FROM users WHERE {}",
            conditions.sql()
        );
        let args = conditions.into_args();
        let rows: Vec<WaysInRow> = read!(self, conn => {
            let query = metered::query_as(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        Ok(rows.into_iter().map(|row| (UserId::from_uuid(row.id), row.into())).collect())
    }
}

impl From<WaysInRow> for WaysIn {
    fn from(row: WaysInRow) -> Self {
        let is_known = |scheme: String| PasswordScheme::parse(&scheme).is_some();
        Self {
            has_password: row.scheme.is_some_and(is_known),
            factors: Factors {
                totp_since: row.totp_since.map(Timestamp::from_micros),
                recovery_codes_left: row.recovery_codes,
                passkeys: row.passkeys,
                ..Factors::default()
            },
        }
    }
}
