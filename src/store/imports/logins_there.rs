//! Logins in the other system since the last import.

use serde_json::{Value, json};
use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::imports::source_lease::{CheckLease, ImportLease, LeaseLost};

macro_rules! update_logins {
    ($given:literal) => {
        concat!(
            "UPDATE users SET last_login_at = l FROM (",
            $given,
            ") AS given WHERE users.id = u AND deleted_at IS NULL \
             AND (last_login_at IS NULL OR last_login_at < l)"
        )
    };
}

trait UpdateLogins {
    const UPDATE: &str;
}

impl UpdateLogins for SqliteConnection {
    const UPDATE: &str =
        update_logins!("SELECT unhex(value ->> 'u') AS u, value ->> 'l' AS l FROM json_each($1)");
}

impl UpdateLogins for PgConnection {
    const UPDATE: &str = update_logins!(
        "SELECT u, l FROM json_to_recordset($1::json) AS accounts (u uuid, l bigint)"
    );
}

steps! {
    trait LoginsThere {
        async fn update_logins(&mut self, logins: &str) -> Result<()> {
            metered::query(Self::UPDATE).bind(logins.to_owned()).execute(self).await?;
            Ok(())
        }
    }
}

impl Store {
    /// Sets the last logins of accounts, where they are later than what is here.
    pub async fn note_logins_there(
        &self,
        lease: ImportLease,
        logins: &[(UserId, Timestamp)],
    ) -> Result<Result<(), LeaseLost>> {
        let login = |(user, at): &(UserId, Timestamp)| json!({ "u": user.as_uuid().simple().to_string(), "l": at.as_micros() });
        let logins = Value::Array(logins.iter().map(login).collect()).to_string();
        transact!(self, conn => {
            if !conn.holds_lease(&lease).await? {
                return Ok(Err(LeaseLost));
            }
            conn.update_logins(&logins).await?;
            Ok(Ok(()))
        })
    }
}
