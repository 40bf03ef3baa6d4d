//! Password credentials of accounts.
//!
//! An account has at most one password, and may have none. The row of `password_credentials` is locked
//! before the row of `users` in every transaction that locks both, so that transactions cannot deadlock.

use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::crypto::password::{PasswordHash, PasswordScheme};
use crate::domain::id::UserId;
use crate::domain::login_name::LoginName;
use crate::domain::mail::ShortenedEmail;
use crate::domain::user::User;
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::email::outbox::{NewMail, Outbox};
use crate::store::error::{Error, Result};
use crate::store::factors::mark::FactorsMark;
use crate::store::handle::Store;
use crate::store::query::floor_sql::global_floor_lock;
use crate::store::query::from_row::from_row;
use crate::store::query::rows::{UserRow, user_columns};
use crate::store::session_ends::end_all::{EndAll, Ending};
use crate::store::session_ends::end_order::EndSessions;
use crate::store::verified_hash::{VerifiedHash, is_verified};

/// An account and its password hash; `None` if it has no password, or one of an unknown scheme.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub user: User,
    pub password_hash: Option<PasswordHash>,
    /// The address that the account was registered with and does not have, since another account has it.
    pub awaits_email: Option<ShortenedEmail>,
    /// The mark of its second factors; `None` if it never had any.
    pub factors: Option<FactorsMark>,
}

from_row! {
    struct CredentialsRow {
        #[flatten]
        user: UserRow,
        scheme: Option<String>,
        hash: Option<String>,
        awaits_email: Option<String>,
        factors_mark: Option<Vec<u8>>,
    }
}

impl TryFrom<CredentialsRow> for Credentials {
    type Error = Error;

    fn try_from(row: CredentialsRow) -> Result<Self> {
        let scheme = row.scheme.and_then(|scheme| PasswordScheme::parse(&scheme));
        let parse = |(scheme, hash): (PasswordScheme, String)| {
            PasswordHash::parse(scheme, &hash).ok_or(Error::unreadable("hash"))
        };
        Ok(Self {
            user: row.user.try_into()?,
            password_hash: scheme.zip(row.hash).map(parse).transpose()?,
            awaits_email: row.awaits_email.map(ShortenedEmail::from_stored),
            factors: FactorsMark::read(row.factors_mark)?,
        })
    }
}

macro_rules! select_credentials {
    () => {
        concat!(
            "SELECT ",
            user_columns!("password_credentials.changed_at"),
            ", password_credentials.scheme, password_credentials.hash, \
             (SELECT sent_to FROM unproved_registrations WHERE users.email_key IS NULL \
             AND unproved_registrations.user_id = users.id) AS awaits_email, \
             (SELECT mark FROM second_factors WHERE second_factors.user_id = users.id) AS factors_mark \
             FROM users \
             LEFT JOIN password_credentials ON password_credentials.user_id = users.id WHERE "
        )
    };
}

trait PasswordSql {
    /// Locks an account and sets its last login, if its password is still the verified one and it is active.
    const CONFIRM: &str;
    /// Reads an account and locks it against concurrent logins.
    const LOCK_USER: &str;
}

/// SQLite has one writer at a time, so nothing needs a lock.
impl PasswordSql for SqliteConnection {
    const CONFIRM: &str = concat!(
        "UPDATE users SET last_login_at = COALESCE($1, last_login_at) \
         WHERE id = $2 AND deactivated_at IS NULL AND EXISTS (SELECT 1 FROM password_credentials \
         WHERE user_id = $2 AND ",
        is_verified!("$3", "$4", "$5"),
        ") RETURNING ",
        user_columns!()
    );
    const LOCK_USER: &str = concat!("SELECT ", user_columns!(), " FROM users WHERE id = $1");
}

impl PasswordSql for PgConnection {
    // The hash is compared by the row lock: after a wait for a concurrent change PostgreSQL checks the
    // condition again on the changed row. In a subquery of the update it would not.
    const CONFIRM: &str = concat!(
        "WITH credential AS MATERIALIZED (SELECT user_id FROM password_credentials \
         WHERE user_id = $2 AND ",
        is_verified!("$3", "$4", "$5"),
        " FOR NO KEY UPDATE) \
         UPDATE users SET last_login_at = COALESCE($1, last_login_at) FROM credential \
         WHERE users.id = $2 AND users.id = credential.user_id AND users.deactivated_at IS NULL \
         RETURNING ",
        user_columns!(),
        global_floor_lock!()
    );
    const LOCK_USER: &str =
        concat!("SELECT ", user_columns!(), " FROM users WHERE id = $1 FOR NO KEY UPDATE");
}

steps! {
    /// Steps of transactions that check or change a password.
    pub(in crate::store) trait Passwords {
        /// Locks the account. `None` if its password is not the `verified` one any more, or the account is not
        /// active.
        async fn confirm_password(
            &mut self,
            user: UserId,
            verified: &VerifiedHash,
            last_login: Option<Timestamp>,
        ) -> Result<Option<User>> {
            let row: Option<UserRow> = metered::query_as(Self::CONFIRM)
                .bind(last_login.map(Timestamp::as_micros))
                .bind(user.as_uuid())
                .bind(verified.as_str())
                .bind(verified.replaced_by())
                .bind(verified.changed_at())
                .fetch_optional(self)
                .await?;
            row.map(User::try_from).transpose()
        }

        /// Replaces the hash of an unchanged password. `false` if another login has replaced it. Call
        /// [`Passwords::confirm_password`] first.
        async fn upgrade_hash(
            &mut self,
            user: UserId,
            verified: &VerifiedHash,
            hash: &PasswordHash,
        ) -> Result<bool> {
            let done = metered::query(
                "UPDATE password_credentials SET scheme = $1, hash = $2 WHERE user_id = $3 AND hash = $4",
            )
            .bind(hash.scheme().as_str())
            .bind(hash.as_str())
            .bind(user.as_uuid())
            .bind(verified.as_str())
            .execute(self)
            .await?;
            Ok(done.rows_affected() > 0)
        }

        async fn insert_password(&mut self, user: UserId, hash: &PasswordHash) -> Result<()> {
            metered::query(
                "INSERT INTO password_credentials (user_id, scheme, hash) VALUES ($1, $2, $3)",
            )
            .bind(user.as_uuid())
            .bind(hash.scheme().as_str())
            .bind(hash.as_str())
            .execute(self)
            .await?;
            Ok(())
        }

        /// Sets a password, with which no device is trusted any more. `false` if the password is not the
        /// `expected` one any more; without `expected`, if the account does not exist.
        async fn update_password(
            &mut self,
            user: UserId,
            expected: Option<&VerifiedHash>,
            hash: &PasswordHash,
            at: Timestamp,
        ) -> Result<bool> {
            let query = metered::query(match expected {
                Some(_) => concat!(
                    "UPDATE password_credentials SET scheme = $2, hash = $3, changed_at = $4 \
                     WHERE user_id = $1 AND ",
                    is_verified!("$5", "$6", "$7")
                ),
                None => {
                    "INSERT INTO password_credentials (user_id, scheme, hash, changed_at) \
                     SELECT id, $2, $3, $4 FROM users WHERE id = $1 AND deleted_at IS NULL \
                     ON CONFLICT (user_id) DO UPDATE SET scheme = excluded.scheme, \
                     hash = excluded.hash, changed_at = excluded.changed_at"
                }
            });
            let query = query.bind(user.as_uuid()).bind(hash.scheme().as_str());
            let query = query.bind(hash.as_str()).bind(at.as_micros());
            let query = match expected {
                Some(expected) => query
                    .bind(expected.as_str())
                    .bind(expected.replaced_by())
                    .bind(expected.changed_at()),
                None => query,
            };
            let is_set = query.execute(&mut *self).await?.rows_affected() > 0;
            if is_set {
                metered::query("DELETE FROM trusted_devices WHERE user_id = $1")
                    .bind(user.as_uuid())
                    .execute(self)
                    .await?;
            }
            Ok(is_set)
        }

        /// Sets the last login.
        async fn record_login(&mut self, user: UserId, at: Timestamp) -> Result<Option<User>> {
            let row: Option<UserRow> = metered::query_as(concat!(
                "UPDATE users SET last_login_at = $2 WHERE id = $1 RETURNING ",
                user_columns!()
            ))
            .bind(user.as_uuid())
            .bind(at.as_micros())
            .fetch_optional(self)
            .await?;
            row.map(User::try_from).transpose()
        }

        async fn delete_password(&mut self, user: UserId) -> Result<()> {
            metered::query("DELETE FROM password_credentials WHERE user_id = $1")
                .bind(user.as_uuid())
                .execute(self)
                .await?;
            Ok(())
        }

        async fn lock_user(&mut self, user: UserId) -> Result<Option<User>> {
            let row: Option<UserRow> = metered::query_as(Self::LOCK_USER)
                .bind(user.as_uuid())
                .fetch_optional(self)
                .await?;
            row.map(User::try_from).transpose()
        }
    }
}

impl Store {
    /// By username or email address. Nobody has the names that a deleted account reserves.
    pub async fn credentials_by_name(&self, name: &LoginName) -> Result<Option<Credentials>> {
        let row: Option<CredentialsRow> = read!(self, conn => Ok::<_, Error>(
            metered::query_as(concat!(
                select_credentials!(),
                "(username_key = $1 OR email_key = $1) AND deleted_at IS NULL"
            ))
            .bind(name.key())
            .fetch_optional(conn)
            .await?
        ))?;
        row.map(Credentials::try_from).transpose()
    }

    pub async fn credentials(&self, id: UserId) -> Result<Option<Credentials>> {
        let row: Option<CredentialsRow> = read!(self, conn => Ok::<_, Error>(
            metered::query_as(concat!(select_credentials!(), "users.id = $1"))
                .bind(id.as_uuid())
                .fetch_optional(conn)
                .await?
        ))?;
        row.map(Credentials::try_from).transpose()
    }

    /// Sets a password and ends sessions. `None` if the account does not exist, or its password is not the
    /// `expected` one any more.
    pub async fn set_password(
        &self,
        id: UserId,
        expected: Option<VerifiedHash>,
        hash: PasswordHash,
        event: NewEvent,
        end: Option<EndSessions>,
        mails: Vec<NewMail>,
    ) -> Result<Option<(User, Ending)>> {
        transact!(self, conn => {
            // Locks the credential: a concurrent login has either committed its session, which ends
            // below, or will find another hash.
            if !conn.update_password(id, expected.as_ref(), &hash, event.at).await? {
                return Ok(None);
            }
            let Some(user) = conn.lock_user(id).await? else { return Ok(None) };
            // Deleted after the statement above had read the account: nothing of it may stay.
            if user.is_deleted() {
                return Err(Error::LostRace);
            }
            conn.record_event(&event).await?;
            conn.queue_mails(&mails).await?;
            let ended = match &end {
                Some(end) => conn.end_all(end).await?,
                None => Ending::default(),
            };
            Ok(Some((user, ended)))
        })
    }
}
