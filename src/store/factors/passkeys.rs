//! Passkeys of accounts.

use sqlx::AssertSqlSafe;
use sqlx::types::Uuid;

use crate::clock::Timestamp;
use crate::domain::id::{PasskeyId, UserId};
use crate::domain::passkey::{CredentialId, Passkey, PasskeyColumns, UserHandle};
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::conditions::{Arg, Conditions, bind_all};
use crate::store::query::from_row::from_row;

/// A passkey of an account.
#[derive(Clone, Debug)]
pub struct StoredPasskey {
    pub id: PasskeyId,
    pub user: UserId,
    pub passkey: Passkey,
    pub name: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

from_row! {
    struct PasskeyRow {
        id: Uuid,
        user_id: Uuid,
        credential_id: Vec<u8>,
        user_handle: Vec<u8>,
        public_key: Vec<u8>,
        algorithm: i32,
        sign_count: i64,
        is_backup_eligible: bool,
        is_backed_up: bool,
        aaguid: Uuid,
        transports: String,
        name: String,
        created_at: i64,
        last_used_at: Option<i64>,
    }
}

impl PasskeyRow {
    /// `None` for one that only a newer version can verify.
    fn read(self) -> Option<StoredPasskey> {
        let columns = PasskeyColumns {
            credential_id: self.credential_id,
            user_handle: self.user_handle,
            public_key: self.public_key,
            algorithm: self.algorithm,
            sign_count: self.sign_count,
            is_backup_eligible: self.is_backup_eligible,
            is_backed_up: self.is_backed_up,
            aaguid: self.aaguid,
            transports: self.transports,
        };
        Some(StoredPasskey {
            id: PasskeyId::from_uuid(self.id),
            user: UserId::from_uuid(self.user_id),
            passkey: Passkey::of_columns(columns)?,
            name: self.name,
            created_at: Timestamp::from_micros(self.created_at),
            last_used_at: self.last_used_at.map(Timestamp::from_micros),
        })
    }
}

macro_rules! passkey_columns {
    () => {
        "id, user_id, credential_id, user_handle, public_key, algorithm, sign_count, \
         is_backup_eligible, is_backed_up, aaguid, transports, name, created_at, last_used_at"
    };
}

steps! {
    pub(in crate::store) trait Passkeys {
        /// `false` if the credential is registered already, for this account or another one.
        async fn insert_passkey(
            &mut self,
            user: UserId,
            id: PasskeyId,
            passkey: &Passkey,
            name: &str,
            at: Timestamp,
        ) -> Result<bool> {
            let columns = passkey.columns();
            metered::query(
                "INSERT INTO passkey_handles (user_id, handle) VALUES ($1, $2) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(user.as_uuid())
            .bind(columns.user_handle.clone())
            .execute(&mut *self)
            .await?;
            let done = metered::query(concat!(
                "INSERT INTO passkeys (",
                passkey_columns!(),
                ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, NULL) \
                 ON CONFLICT (credential_id) DO NOTHING"
            ))
            .bind(id.as_uuid())
            .bind(user.as_uuid())
            .bind(columns.credential_id)
            .bind(columns.user_handle)
            .bind(columns.public_key)
            .bind(columns.algorithm)
            .bind(columns.sign_count)
            .bind(columns.is_backup_eligible)
            .bind(columns.is_backed_up)
            .bind(columns.aaguid)
            .bind(columns.transports)
            .bind(name.to_owned())
            .bind(at.as_micros())
            .execute(self)
            .await?;
            Ok(done.rows_affected() > 0)
        }
    }
}

impl Store {
    /// The passkeys of these accounts, the oldest first. Those of algorithms that only a newer version knows
    /// are left out.
    pub async fn passkeys(&self, users: &[UserId]) -> Result<Vec<StoredPasskey>> {
        let mut conditions = Conditions::after(0);
        conditions.and_one_of("user_id", users.iter().map(|id| Arg::Uuid(id.as_uuid())).collect());
        let sql = format!(
            concat!("SELECT ", passkey_columns!(), " FROM passkeys WHERE {} ORDER BY id"),
            conditions.sql()
        );
        let args = conditions.into_args();
        let rows: Vec<PasskeyRow> = read!(self, conn => {
            let query = metered::query_as(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        Ok(rows.into_iter().filter_map(PasskeyRow::read).collect())
    }

    pub async fn passkey(&self, id: PasskeyId) -> Result<Option<StoredPasskey>> {
        let row: Option<PasskeyRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT ", passkey_columns!(), " FROM passkeys WHERE id = $1"
        ))
        .bind(id.as_uuid())
        .fetch_optional(conn)
        .await?))?;
        Ok(row.and_then(PasskeyRow::read))
    }

    pub async fn passkey_by_credential(
        &self,
        credential: &CredentialId,
    ) -> Result<Option<StoredPasskey>> {
        let row: Option<PasskeyRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT ", passkey_columns!(), " FROM passkeys WHERE credential_id = $1"
        ))
        .bind(credential.as_bytes().to_vec())
        .fetch_optional(conn)
        .await?))?;
        Ok(row.and_then(PasskeyRow::read))
    }

    /// The user handle of an account that has registered a passkey before.
    pub async fn passkey_handle(&self, user: UserId) -> Result<Option<UserHandle>> {
        let handle: Option<Vec<u8>> = read!(self, conn => Ok::<_, Error>(metered::query_scalar(
            "SELECT handle FROM passkey_handles WHERE user_id = $1",
        )
        .bind(user.as_uuid())
        .fetch_optional(conn)
        .await?))?;
        handle
            .map(|bytes| UserHandle::parse(bytes).ok_or(Error::unreadable("user handle")))
            .transpose()
    }

    /// `None` if the user has no passkey with this id.
    pub async fn rename_passkey(
        &self,
        user: UserId,
        id: PasskeyId,
        name: String,
    ) -> Result<Option<StoredPasskey>> {
        let row: Option<PasskeyRow> = transact!(self, conn => {
            let row: Option<PasskeyRow> = metered::query_as(concat!(
                "UPDATE passkeys SET name = $3 WHERE id = $1 AND user_id = $2 RETURNING ",
                passkey_columns!()
            ))
            .bind(id.as_uuid())
            .bind(user.as_uuid())
            .bind(name.clone())
            .fetch_optional(conn)
            .await?;
            Ok(row)
        })?;
        Ok(row.and_then(PasskeyRow::read))
    }
}
