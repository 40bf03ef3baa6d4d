//! Names of accounts: whether they are free, and reservations of former usernames.
//!
//! Names in use are unique by constraints of `users`. A former username is reserved by a row of its own, so a
//! statement that takes a username is followed by [`UserNames::is_reserved`], which sees what committed while
//! the statement waited for the constraint.

use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::user::{Email, Username};
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;

steps! {
    pub(in crate::store) trait UserNames {
        /// Whether another account has this username or one that is confusable with it.
        async fn has_username(&mut self, username: &Username, except: UserId) -> Result<bool> {
            let found: Option<i32> = metered::query_scalar(
                "SELECT 1 FROM users WHERE (username_key = $1 OR username_skeleton = $2) \
                 AND id <> $3 LIMIT 1",
            )
            .bind(username.key())
            .bind(username.skeleton())
            .bind(except.as_uuid())
            .fetch_optional(self)
            .await?;
            Ok(found.is_some())
        }

        /// Whether another account has this e-mail address.
        async fn has_email(&mut self, email: &Email, except: UserId) -> Result<bool> {
            let found: Option<i32> = metered::query_scalar(
                "SELECT 1 FROM users WHERE email_key = $1 AND id <> $2",
            )
            .bind(email.key())
            .bind(except.as_uuid())
            .fetch_optional(self)
            .await?;
            Ok(found.is_some())
        }

        /// Whether this address is the former one of another account, which can still take its change back.
        async fn is_revertible(
            &mut self,
            email: &Email,
            except: UserId,
            now: Timestamp,
        ) -> Result<bool> {
            let found: Option<i32> = metered::query_scalar(
                "SELECT 1 FROM challenges WHERE email_key = $1 AND purpose = 'REVERT' \
                 AND user_id <> $2 AND used_at IS NULL AND expires_at > $3 LIMIT 1",
            )
            .bind(email.key())
            .bind(except.as_uuid())
            .bind(now.as_micros())
            .fetch_optional(self)
            .await?;
            Ok(found.is_some())
        }

        /// Whether this username, or one that is confusable with it, is a former one of another account and
        /// still reserved.
        async fn is_reserved(
            &mut self,
            username: &Username,
            except: UserId,
            now: Timestamp,
        ) -> Result<bool> {
            let found: Option<i32> = metered::query_scalar(
                "SELECT 1 FROM former_usernames WHERE (username_key = $1 OR username_skeleton = $2) \
                 AND user_id <> $3 AND reserved_until > $4 LIMIT 1",
            )
            .bind(username.key())
            .bind(username.skeleton())
            .bind(except.as_uuid())
            .bind(now.as_micros())
            .fetch_optional(self)
            .await?;
            Ok(found.is_some())
        }

        /// Reserves the former username of an account, and frees the current one if it was reserved.
        async fn reserve(
            &mut self,
            user: UserId,
            former: &Username,
            current: &Username,
            until: Timestamp,
        ) -> Result<()> {
            metered::query("DELETE FROM former_usernames WHERE user_id = $1 AND username_key = $2")
                .bind(user.as_uuid())
                .bind(current.key())
                .execute(&mut *self)
                .await?;
            metered::query(
                "INSERT INTO former_usernames (user_id, username_key, username_skeleton, \
                 reserved_until) VALUES ($1, $2, $3, $4) ON CONFLICT (user_id, username_key) \
                 DO UPDATE SET reserved_until = excluded.reserved_until",
            )
            .bind(user.as_uuid())
            .bind(former.key())
            .bind(former.skeleton())
            .bind(until.as_micros())
            .execute(self)
            .await?;
            Ok(())
        }

        /// Until when the latest former username of the account is reserved, if it still is.
        async fn reserved_until(&mut self, user: UserId, now: Timestamp) -> Result<Option<Timestamp>> {
            let until: Option<i64> = metered::query_scalar(
                "SELECT max(reserved_until) FROM former_usernames \
                 WHERE user_id = $1 AND reserved_until > $2",
            )
            .bind(user.as_uuid())
            .bind(now.as_micros())
            .fetch_one(self)
            .await?;
            Ok(until.map(Timestamp::from_micros))
        }
    }
}

impl Store {
    /// Former usernames of an account, as they are compared, and until when each is reserved.
    pub async fn former_usernames(&self, user: UserId) -> Result<Vec<(String, Timestamp)>> {
        let rows: Vec<(String, i64)> = read!(self, conn => Ok::<_, Error>(metered::query_as(
            "SELECT username_key, reserved_until FROM former_usernames WHERE user_id = $1 \
             ORDER BY reserved_until",
        )
        .bind(user.as_uuid())
        .fetch_all(conn)
        .await?))?;
        Ok(rows.into_iter().map(|(key, until)| (key, Timestamp::from_micros(until))).collect())
    }
}
