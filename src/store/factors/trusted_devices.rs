//! Devices on which a login needs no second factor.
//!
//! A device is trusted by what the password and the factors of its account were: any other password, whichever
//! version of the program sets it, and any change of the factors make it worthless.

use sqlx::types::Uuid;

use crate::clock::Timestamp;
use crate::crypto::password::PasswordHash;
use crate::crypto::secret_token::TokenDigest;
use crate::domain::id::{TrustedDeviceId, UserId};
use crate::domain::user::User;
use crate::store::backend::metered;
use crate::store::email::challenge_row::PasswordMark;
use crate::store::email::spend::Spend;
use crate::store::error::{Error, Result};
use crate::store::factors::mark::{FactorsMark, Marks};
use crate::store::handle::Store;
use crate::store::query::from_row::from_row;

/// Most devices of an account. The oldest one beyond it is forgotten.
const MAX_DEVICES: i64 = 20;

/// A device that is about to be trusted.
#[derive(Clone, Debug)]
pub struct NewTrustedDevice {
    pub id: TrustedDeviceId,
    pub token: TokenDigest,
    pub name: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct TrustedDevice {
    pub id: TrustedDeviceId,
    pub user: UserId,
    pub name: Option<String>,
    pub password: Option<PasswordMark>,
    pub factors: FactorsMark,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

from_row! {
    struct DeviceRow {
        id: Uuid,
        user_id: Uuid,
        name: Option<String>,
        password_mark: Option<Vec<u8>>,
        factors_mark: Vec<u8>,
        created_at: i64,
        expires_at: i64,
    }
}

impl TryFrom<DeviceRow> for TrustedDevice {
    type Error = Error;

    fn try_from(row: DeviceRow) -> Result<Self> {
        let password = row.password_mark.map(|bytes| {
            bytes.try_into().map(PasswordMark).map_err(|_| Error::unreadable("password mark"))
        });
        let factors = FactorsMark::read(Some(row.factors_mark))?;
        Ok(Self {
            id: TrustedDeviceId::from_uuid(row.id),
            user: UserId::from_uuid(row.user_id),
            name: row.name,
            password: password.transpose()?,
            factors: factors.ok_or(Error::unreadable("factors mark"))?,
            created_at: Timestamp::from_micros(row.created_at),
            expires_at: Timestamp::from_micros(row.expires_at),
        })
    }
}

macro_rules! device_columns {
    () => {
        "id, user_id, name, password_mark, factors_mark, created_at, expires_at"
    };
}

steps! {
    pub(in crate::store) trait TrustDevices {
        /// Trusts a device of an account whose lock the transaction holds.
        async fn trust_device(&mut self, user: UserId, new: &NewTrustedDevice) -> Result<()> {
            let password = self.lock_account(user).await?.and_then(|(_, mark)| mark);
            let Some(factors) = self.factors_mark(user).await? else { return Ok(()) };
            metered::query(
                "INSERT INTO trusted_devices (id, user_id, token_hash, name, password_mark, \
                 factors_mark, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(new.id.as_uuid())
            .bind(user.as_uuid())
            .bind(new.token.0.to_vec())
            .bind(new.name.clone())
            .bind(password.map(|mark| mark.0.to_vec()))
            .bind(factors.0.to_vec())
            .bind(new.created_at.as_micros())
            .bind(new.expires_at.as_micros())
            .execute(&mut *self)
            .await?;
            metered::query(
                "DELETE FROM trusted_devices WHERE user_id = $1 AND id NOT IN (SELECT id \
                 FROM trusted_devices WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2)",
            )
            .bind(user.as_uuid())
            .bind(MAX_DEVICES)
            .execute(self)
            .await?;
            Ok(())
        }

        /// Whether the device is still trusted, for a login whose password and factors were compared.
        async fn is_trusted(
            &mut self,
            user: UserId,
            device: TrustedDeviceId,
            now: Timestamp,
        ) -> Result<bool> {
            let found: Option<i32> = metered::query_scalar(
                "SELECT 1 FROM trusted_devices WHERE id = $1 AND user_id = $2 AND expires_at > $3",
            )
            .bind(device.as_uuid())
            .bind(user.as_uuid())
            .bind(now.as_micros())
            .fetch_optional(self)
            .await?;
            Ok(found.is_some())
        }

        /// The same password has another hash now.
        async fn keep_devices(&mut self, user: UserId, hash: &PasswordHash) -> Result<()> {
            metered::query("UPDATE trusted_devices SET password_mark = $2 WHERE user_id = $1")
                .bind(user.as_uuid())
                .bind(PasswordMark::of(hash).0.to_vec())
                .execute(self)
                .await?;
            Ok(())
        }
    }
}

impl Store {
    /// The device of the token that a client holds.
    pub async fn device_by_token(&self, token: TokenDigest) -> Result<Option<TrustedDevice>> {
        let row: Option<DeviceRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT ", device_columns!(), " FROM trusted_devices WHERE token_hash = $1"
        ))
        .bind(token.0.to_vec())
        .fetch_optional(conn)
        .await?))?;
        row.map(TrustedDevice::try_from).transpose()
    }

    pub async fn trusted_device(&self, id: TrustedDeviceId) -> Result<Option<TrustedDevice>> {
        let row: Option<DeviceRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT ", device_columns!(), " FROM trusted_devices WHERE id = $1"
        ))
        .bind(id.as_uuid())
        .fetch_optional(conn)
        .await?))?;
        row.map(TrustedDevice::try_from).transpose()
    }

    /// The devices that an account trusts, the newest first.
    pub async fn trusted_devices(
        &self,
        user: UserId,
        now: Timestamp,
    ) -> Result<Vec<TrustedDevice>> {
        let rows: Vec<DeviceRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT ", device_columns!(), " FROM trusted_devices WHERE user_id = $1 \
             AND expires_at > $2 AND factors_mark = \
             (SELECT mark FROM second_factors WHERE second_factors.user_id = $1) \
             ORDER BY created_at DESC, id DESC"
        ))
        .bind(user.as_uuid())
        .bind(now.as_micros())
        .fetch_all(conn)
        .await?))?;
        rows.into_iter().map(TrustedDevice::try_from).collect()
    }

    /// Forgets a device. `None` if the user trusts no such device.
    pub async fn forget_device(
        &self,
        user: UserId,
        device: TrustedDeviceId,
    ) -> Result<Option<User>> {
        transact!(self, conn => {
            let user = conn.lock_account(user).await?.map(|(user, _)| user);
            let Some(user) = user else { return Ok(None) };
            let done = metered::query("DELETE FROM trusted_devices WHERE id = $1 AND user_id = $2")
                .bind(device.as_uuid())
                .bind(user.id.as_uuid())
                .execute(conn)
                .await?;
            Ok((done.rows_affected() > 0).then_some(user))
        })
    }
}
