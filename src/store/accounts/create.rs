//! New accounts.

use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::crypto::password::PasswordHash;
use crate::domain::id::UserId;
use crate::domain::locale::Locale;
use crate::domain::user::{Names, Role, User};
use crate::store::accounts::names::UserNames;
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::database::Database;
use crate::store::backend::metered;
use crate::store::credentials::Passwords;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::query::floor_sql::global_floor_lock;
use crate::store::query::rows::{UserRow, user_columns};

#[derive(Clone, Debug)]
pub struct NewUser {
    pub id: UserId,
    pub names: Names,
    /// `None` for an account that cannot log in by password.
    pub password: Option<PasswordHash>,
    pub role: Role,
    pub locale: Option<Locale>,
    pub created_at: Timestamp,
}

/// The name that belongs to another account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameTaken {
    /// The username, or one that is confusable with it.
    Username,
    Email,
}

macro_rules! insert {
    ($($lock:tt)*) => {
        concat!(
            "INSERT INTO users (id, username, username_key, email, email_key, role, created_at, \
             username_skeleton, locale) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             ON CONFLICT DO NOTHING RETURNING ",
            user_columns!(),
            $($lock)*
        )
    };
}

trait Insert {
    const INSERT: &str;
}

/// SQLite has one writer at a time.
impl Insert for SqliteConnection {
    const INSERT: &str = insert!("");
}

impl Insert for PgConnection {
    const INSERT: &str = insert!(global_floor_lock!());
}

steps! {
    pub(in crate::store) trait Accounts {
        /// Inserts an account and its password, if it has one.
        async fn create_account(&mut self, new: &NewUser) -> Result<Result<User, NameTaken>> {
            let row: Option<UserRow> = metered::query_as(Self::INSERT)
                .bind(new.id.as_uuid())
                .bind(new.names.username().as_str())
                .bind(new.names.username().key())
                .bind(new.names.email().map(|email| email.as_str().to_owned()))
                .bind(new.names.email().map(|email| email.key().to_owned()))
                .bind(new.role.as_str())
                .bind(new.created_at.as_micros())
                .bind(new.names.username().skeleton())
                .bind(new.locale.as_ref().map(|locale| locale.as_str().to_owned()))
                .fetch_optional(&mut *self)
                .await?;
            let Some(row) = row else {
                let username = self.has_username(new.names.username(), new.id).await?;
                return Ok(Err(if username { NameTaken::Username } else { NameTaken::Email }));
            };
            if self.is_reserved(new.names.username(), new.id, new.created_at).await? {
                self.remove_new_account(new.id).await?;
                return Ok(Err(NameTaken::Username));
            }
            if let Some(email) = new.names.email()
                && self.is_revertible(email, new.id, new.created_at).await?
            {
                self.remove_new_account(new.id).await?;
                return Ok(Err(NameTaken::Email));
            }
            if let Some(hash) = &new.password {
                self.insert_password(new.id, hash).await?;
            }
            Ok(Ok(row.try_into()?))
        }

        /// `false` if there is an account. The caller prevents concurrent inserts.
        async fn create_first_account(&mut self, new: &NewUser, event: &NewEvent) -> Result<bool> {
            let existing: Option<i32> = metered::query_scalar("SELECT 1 FROM users LIMIT 1")
                .fetch_optional(&mut *self)
                .await?;
            if existing.is_some() || self.create_account(new).await?.is_err() {
                return Ok(false);
            }
            self.record_event(event).await?;
            Ok(true)
        }

        /// Undoes the insertion of an account in the same transaction.
        async fn remove_new_account(&mut self, id: UserId) -> Result<()> {
            metered::query("DELETE FROM users WHERE id = $1")
                .bind(id.as_uuid())
                .execute(self)
                .await?;
            Ok(())
        }
    }
}

impl Store {
    pub async fn create_user(
        &self,
        new: NewUser,
        event: NewEvent,
    ) -> Result<Result<User, NameTaken>> {
        transact!(self, conn => {
            let created = conn.create_account(&new).await?;
            if created.is_ok() {
                conn.record_event(&event).await?;
            }
            Ok(created)
        })
    }

    /// Creates the first account of an empty database; `false` if there is one already. Of replicas that
    /// start at once one creates it, even if their names for it differ.
    pub async fn create_first_user(&self, new: NewUser, event: NewEvent) -> Result<bool> {
        match self.database() {
            Database::Sqlite(sqlite) => {
                sqlite
                    .writer
                    .write(move |conn| {
                        Box::pin(async move { conn.create_first_account(&new, &event).await })
                    })
                    .await
            }
            Database::Postgres(postgres) => {
                postgres
                    .transact(move |conn| {
                        Box::pin(async move {
                            // Blocks inserts, not reads: of concurrent transactions each sees the
                            // account of the one before it.
                            metered::query("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
                                .execute(&mut *conn)
                                .await?;
                            conn.create_first_account(&new, &event).await
                        })
                    })
                    .await
            }
        }
    }
}
