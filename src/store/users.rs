//! Accounts.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

use super::audit::{Audit, NewEvent};
use super::conditions::{Arg, Conditions, bind_all};
use super::end::EndSessions;
use super::floors::{Ending, Floors, held_open};
use super::open::{NewSession, Open};
use super::rows::{CredentialsRow, UserRow, user_columns};
use super::{Pools, Result, Store, counted};
use crate::clock::Timestamp;
use crate::crypto::password::PasswordHash;
use crate::domain::id::UserId;
use crate::domain::login_name::LoginName;
use crate::domain::session::Session;
use crate::domain::user::{Names, Role, User};

/// How many accounts from either end of the list tell which parameters hashes have.
const SURVEYED: i64 = 5_000;

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Its id.
    pub id: UserId,
    /// What it is called.
    pub names: Names,
    /// Its password's hash.
    pub password_hash: PasswordHash,
    /// What it may do.
    pub role: Role,
    /// When it is made.
    pub created_at: Timestamp,
}

/// Which name belongs to another account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameTaken {
    /// The username, or one that looks like it.
    Username,
    /// The address.
    Email,
}

/// An account and what its password is checked with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The account.
    pub user: User,
    /// Its password's hash.
    pub password_hash: PasswordHash,
}

/// A new account, and what else the statement returns.
macro_rules! insert {
    ($($held:tt)*) => {
        concat!(
            "INSERT INTO users (id, username, username_key, email, email_key, password_hash, \
             role, created_at, username_skeleton) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             ON CONFLICT DO NOTHING RETURNING ",
            user_columns!(),
            $($held)*
        )
    };
}

trait Insert {
    const INSERT: &str;
}

/// There is one writer.
impl Insert for SqliteConnection {
    const INSERT: &str = insert!("");
}

impl Insert for PgConnection {
    const INSERT: &str = insert!(held_open!());
}

steps! {
    /// Steps of transactions that begin with an account.
    pub(super) trait Accounts {
        /// Adds an account; `None` where a name is taken.
        async fn insert_user(&mut self, new: &NewUser) -> Result<Option<User>> {
            let row: Option<UserRow> = counted::query_as(Self::INSERT)
            .bind(new.id.as_uuid())
            .bind(new.names.username().as_str())
            .bind(new.names.username().key())
            .bind(new.names.email().map(|email| email.as_str().to_owned()))
            .bind(new.names.email().map(|email| email.key().to_owned()))
            .bind(new.password_hash.as_str())
            .bind(new.role.as_str())
            .bind(new.created_at.as_micros())
            .bind(new.names.username().skeleton())
            .fetch_optional(self)
            .await?;
            row.map(User::try_from).transpose()
        }

        /// Adds the first account; `false` where there is one. Nobody else may be adding any.
        async fn insert_first_user(&mut self, new: &NewUser, event: &NewEvent) -> Result<bool> {
            let somebody: Option<i32> = counted::query_scalar("SELECT 1 FROM users LIMIT 1")
                .fetch_optional(&mut *self)
                .await?;
            if somebody.is_some() || self.insert_user(new).await?.is_none() {
                return Ok(false);
            }
            self.write_down(event).await?;
            Ok(true)
        }

        /// Whether the username, or one that looks like it, has an account.
        async fn username_exists(&mut self, names: &Names) -> Result<bool> {
            let found: Option<i32> =
                counted::query_scalar("SELECT 1 FROM users WHERE username_key = $1 OR username_skeleton = $2")
                    .bind(names.username().key())
                    .bind(names.username().skeleton())
                    .fetch_optional(self)
                    .await?;
            Ok(found.is_some())
        }

        /// Sets a password, where the hash is still `expected` or nothing is expected.
        async fn update_password(
            &mut self,
            id: UserId,
            expected: Option<&PasswordHash>,
            hash: &PasswordHash,
            at: Timestamp,
        ) -> Result<Option<User>> {
            let row: Option<UserRow> = counted::query_as(concat!(
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
    /// Makes an account and, where one is given, its first session.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database fails.
    pub async fn create_user(
        &self,
        new: NewUser,
        session: Option<NewSession>,
        event: NewEvent,
    ) -> Result<Result<(User, Option<Session>), NameTaken>> {
        transact!(self, conn => {
            let Some(user) = conn.insert_user(&new).await? else {
                let username = conn.username_exists(&new.names).await?;
                return Ok(Err(if username { NameTaken::Username } else { NameTaken::Email }));
            };
            let session = match &session {
                Some(session) => Some(conn.insert_session(session, None).await?.0),
                None => None,
            };
            let opened = session.as_ref().map(|session| session.id);
            conn.write_down(&NewEvent { session: opened, ..event }).await?;
            Ok(Ok((user, session)))
        })
    }

    /// Makes the first account of an empty database; `false` where there is one already. Of replicas
    /// that start at once one makes it, whatever each would call it.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database fails.
    pub async fn create_first_user(&self, new: NewUser, event: NewEvent) -> Result<bool> {
        match self.pools() {
            Pools::Sqlite(sqlite) => {
                sqlite
                    .writer
                    .write(move |conn| {
                        Box::pin(async move { conn.insert_first_user(&new, &event).await })
                    })
                    .await
            }
            Pools::Postgres(postgres) => {
                postgres
                    .transact(move |conn| {
                        Box::pin(async move {
                            // Readers go on; whoever would add an account waits, and sees this one.
                            counted::query("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
                                .execute(&mut *conn)
                                .await?;
                            conn.insert_first_user(&new, &event).await
                        })
                    })
                    .await
            }
        }
    }

    /// The account that a login names, by username or by address.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database fails.
    pub async fn credentials_by_name(&self, name: &LoginName) -> Result<Option<Credentials>> {
        let row: Option<CredentialsRow> = read!(self, conn => Ok::<_, super::Error>(counted::query_as(concat!(
            "SELECT ", user_columns!(), ", password_hash FROM users \
             WHERE username_key = $1 OR email_key = $1"
        ))
        .bind(name.key())
        .fetch_optional(conn)
        .await?))?;
        row.map(Credentials::try_from).transpose()
    }

    /// The account, with its password's hash.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database fails.
    pub async fn credentials(&self, id: UserId) -> Result<Option<Credentials>> {
        let row: Option<CredentialsRow> = read!(self, conn => Ok::<_, super::Error>(counted::query_as(concat!(
            "SELECT ", user_columns!(), ", password_hash FROM users WHERE id = $1"
        ))
        .bind(id.as_uuid())
        .fetch_optional(conn)
        .await?))?;
        row.map(Credentials::try_from).transpose()
    }

    /// Which parameters the accounts' hashes have: a hash of each kind, and how many accounts have one
    /// like it. Of very many accounts it looks at the oldest and the newest: with the others it would
    /// take longer the more there are.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database fails.
    pub async fn kinds_of_hashes(&self) -> Result<Vec<(PasswordHash, u32)>> {
        // What comes before the salt, of hashes as we make them: $, 22 characters, $, 43 characters.
        let rows: Vec<(String, i64)> = read!(self, conn => Ok::<_, super::Error>(counted::query_as(
            "SELECT min(password_hash), count(*) FROM ( \
             SELECT * FROM (SELECT id, password_hash FROM users ORDER BY id LIMIT $1) AS oldest \
             UNION \
             SELECT * FROM (SELECT id, password_hash FROM users ORDER BY id DESC LIMIT $1) AS newest \
             ) AS hashes GROUP BY CASE WHEN length(password_hash) > 67 \
             THEN substr(password_hash, 1, length(password_hash) - 67) ELSE '' END \
             ORDER BY count(*) DESC LIMIT 8",
        )
        .bind(SURVEYED)
        .fetch_all(conn)
        .await?))?;
        let kind = |(hash, accounts): (String, i64)| {
            Some((PasswordHash::parse(&hash)?, u32::try_from(accounts).ok()?))
        };
        Ok(rows.into_iter().filter_map(kind).collect())
    }

    /// The accounts with these ids, as far as they exist.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database fails.
    pub async fn users_by_id(&self, ids: &[UserId]) -> Result<HashMap<UserId, User>> {
        let mut conditions = Conditions::after(0);
        conditions.and_one_of("id", ids.iter().map(|id| Arg::Uuid(id.as_uuid())).collect());
        let sql =
            format!(concat!("SELECT ", user_columns!(), " FROM users WHERE {}"), conditions.sql());
        let args = conditions.into_args();
        let rows: Vec<UserRow> = read!(self, conn => {
            let query = counted::query_as(AssertSqlSafe(sql.as_str()));
            Ok::<_, super::Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        rows.into_iter().map(|row| User::try_from(row).map(|user| (user.id, user))).collect()
    }

    /// Sets a password and ends sessions with the old one. `None` where the account is not there, or
    /// its hash is not `expected` any more.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database fails.
    pub async fn set_password(
        &self,
        id: UserId,
        expected: Option<PasswordHash>,
        hash: PasswordHash,
        event: NewEvent,
        end: Option<EndSessions>,
    ) -> Result<Option<(User, Ending)>> {
        transact!(self, conn => {
            // The account's row is locked from here on, so a login that is under way has either
            // committed its session, and it is seen below, or will find another hash.
            let updated = conn.update_password(id, expected.as_ref(), &hash, event.at).await?;
            let Some(user) = updated else { return Ok(None) };
            conn.write_down(&event).await?;
            let ended = match &end {
                Some(end) => conn.end_all(end).await?,
                None => Ending::default(),
            };
            Ok(Some((user, ended)))
        })
    }
}
