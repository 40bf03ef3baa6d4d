//! Marks of the state of an account's second factors.

use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};

/// Random, and another one after each change of the account's second factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactorsMark(pub [u8; 16]);

impl FactorsMark {
    pub(in crate::store) fn read(bytes: Option<Vec<u8>>) -> Result<Option<Self>> {
        let parse = |bytes: Vec<u8>| bytes.try_into().map(Self);
        bytes.map(parse).transpose().map_err(|_| Error::unreadable("factors mark"))
    }
}

steps! {
    pub(in crate::store) trait Marks {
        /// The mark of an account whose lock the transaction holds. `None`: it never had factors.
        async fn factors_mark(&mut self, user: UserId) -> Result<Option<FactorsMark>> {
            let bytes: Option<Vec<u8>> =
                metered::query_scalar("SELECT mark FROM second_factors WHERE user_id = $1")
                    .bind(user.as_uuid())
                    .fetch_optional(self)
                    .await?;
            FactorsMark::read(bytes)
        }

        /// Notes that the account's user has proved the address since an administrator removed all factors.
        async fn forget_reset(&mut self, user: UserId) -> Result<()> {
            metered::query("UPDATE second_factors SET reset_at = NULL WHERE user_id = $1")
                .bind(user.as_uuid())
                .execute(self)
                .await?;
            Ok(())
        }

        /// Notes a change of the account's factors. No device is trusted any more.
        async fn mark_factors(
            &mut self,
            user: UserId,
            mark: FactorsMark,
            reset_at: Option<Timestamp>,
        ) -> Result<()> {
            metered::query(
                "INSERT INTO second_factors (user_id, mark, reset_at) VALUES ($1, $2, $3) \
                 ON CONFLICT (user_id) DO UPDATE SET mark = excluded.mark, reset_at = excluded.reset_at",
            )
            .bind(user.as_uuid())
            .bind(mark.0.to_vec())
            .bind(reset_at.map(Timestamp::as_micros))
            .execute(&mut *self)
            .await?;
            metered::query("DELETE FROM trusted_devices WHERE user_id = $1")
                .bind(user.as_uuid())
                .execute(self)
                .await?;
            Ok(())
        }
    }
}
