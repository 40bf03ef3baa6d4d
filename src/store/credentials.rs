//! Passwords of accounts.

use crate::clock::Timestamp;
use crate::crypto::password::PasswordHash;
use crate::domain::id::UserId;
use crate::domain::login_name::LoginName;
use crate::domain::user::User;
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::rows::{UserRow, user_columns};
use crate::store::session_ends::end_order::EndSessions;
use crate::store::session_ends::set_floor::{EndAll, Ending};

/// Number of oldest and of newest accounts whose hashes are sampled.
const SAMPLE_SIZE: i64 = 5_000;

#[derive(Clone, Debug)]
pub struct Credentials {
    pub user: User,
    pub password_hash: PasswordHash,
}

#[derive(sqlx::FromRow)]
struct CredentialsRow {
    #[sqlx(flatten)]
    user: UserRow,
    password_hash: String,
}

impl TryFrom<CredentialsRow> for Credentials {
    type Error = Error;

    fn try_from(row: CredentialsRow) -> Result<Self> {
        let hash = PasswordHash::parse(&row.password_hash);
        Ok(Self {
            user: row.user.try_into()?,
            password_hash: hash.ok_or(Error::unreadable("password hash"))?,
        })
    }
}

steps! {
    trait UpdatePassword {
        /// `None` if the hash is not `expected` any more.
        async fn update_password(
            &mut self,
            id: UserId,
            expected: Option<&PasswordHash>,
            hash: &PasswordHash,
            at: Timestamp,
        ) -> Result<Option<User>> {
            let row: Option<UserRow> = metered::query_as(concat!(
                "UPDATE users SET password_hash = $1, password_changed_at = $2 \
                 WHERE id = $3 AND password_hash = COALESCE($4, password_hash) RETURNING ",
                user_columns!()
            ))
            .bind(hash.as_str())
            .bind(at.as_micros())
            .bind(id.as_uuid())
            .bind(expected.map(PasswordHash::as_str))
            .fetch_optional(self)
            .await?;
            row.map(User::try_from).transpose()
        }
    }
}

impl Store {
    /// By username or email address.
    pub async fn credentials_by_name(&self, name: &LoginName) -> Result<Option<Credentials>> {
        let row: Option<CredentialsRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT ", user_columns!(), ", password_hash FROM users \
             WHERE username_key = $1 OR email_key = $1"
        ))
        .bind(name.key())
        .fetch_optional(conn)
        .await?))?;
        row.map(Credentials::try_from).transpose()
    }

    pub async fn credentials(&self, id: UserId) -> Result<Option<Credentials>> {
        let row: Option<CredentialsRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT ", user_columns!(), ", password_hash FROM users WHERE id = $1"
        ))
        .bind(id.as_uuid())
        .fetch_optional(conn)
        .await?))?;
        row.map(Credentials::try_from).transpose()
    }

    /// Samples the parameters of password hashes: one hash for each set of parameters, and the number of
    /// accounts with that set. Only the oldest and the newest accounts are read, so that the cost does not
    /// grow with the table.
    pub async fn sample_password_hashes(&self) -> Result<Vec<(PasswordHash, u32)>> {
        // Grouped by what precedes the salt. A hash ends in $, 22 characters, $, 43 characters.
        let rows: Vec<(String, i64)> = read!(self, conn => Ok::<_, Error>(metered::query_as(
            "SELECT min(password_hash), count(*) FROM ( \
             SELECT * FROM (SELECT id, password_hash FROM users ORDER BY id LIMIT $1) AS oldest \
             UNION \
             SELECT * FROM (SELECT id, password_hash FROM users ORDER BY id DESC LIMIT $1) AS newest \
             ) AS hashes GROUP BY CASE WHEN length(password_hash) > 67 \
             THEN substr(password_hash, 1, length(password_hash) - 67) ELSE '' END \
             ORDER BY count(*) DESC LIMIT 8",
        )
        .bind(SAMPLE_SIZE)
        .fetch_all(conn)
        .await?))?;
        let kind = |(hash, accounts): (String, i64)| {
            Some((PasswordHash::parse(&hash)?, u32::try_from(accounts).ok()?))
        };
        Ok(rows.into_iter().filter_map(kind).collect())
    }

    /// Sets a password and ends sessions. `None` if the account does not exist, or its hash is not
    /// `expected` any more.
    pub async fn set_password(
        &self,
        id: UserId,
        expected: Option<PasswordHash>,
        hash: PasswordHash,
        event: NewEvent,
        end: Option<EndSessions>,
    ) -> Result<Option<(User, Ending)>> {
        transact!(self, conn => {
            // Locks the account's row: a concurrent login has either committed its session, which ends
            // below, or will find another hash.
            let updated = conn.update_password(id, expected.as_ref(), &hash, event.at).await?;
            let Some(user) = updated else { return Ok(None) };
            conn.record_event(&event).await?;
            let ended = match &end {
                Some(end) => conn.end_all(end).await?,
                None => Ending::default(),
            };
            Ok(Some((user, ended)))
        })
    }
}
