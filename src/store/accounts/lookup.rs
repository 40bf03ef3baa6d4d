//! Lookups of accounts.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;

use crate::domain::id::UserId;
use crate::domain::user::User;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::conditions::{Arg, Conditions, bind_all};
use crate::store::query::rows::{UserRow, user_columns};

impl Store {
    /// Whether there is any account.
    pub async fn has_users(&self) -> Result<bool> {
        read!(self, conn => Ok::<_, Error>(
            metered::query_scalar("SELECT EXISTS (SELECT 1 FROM users)").fetch_one(conn).await?
        ))
    }

    /// Missing accounts are left out.
    pub async fn users_by_id(&self, ids: &[UserId]) -> Result<HashMap<UserId, User>> {
        let mut conditions = Conditions::after(0);
        conditions.and_one_of("id", ids.iter().map(|id| Arg::Uuid(id.as_uuid())).collect());
        let sql =
            format!(concat!("SELECT ", user_columns!(), " FROM users WHERE {}"), conditions.sql());
        let args = conditions.into_args();
        let rows: Vec<UserRow> = read!(self, conn => {
            let query = metered::query_as(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        rows.into_iter().map(|row| User::try_from(row).map(|user| (user.id, user))).collect()
    }
}
