//! Changes of an account: its names, locale, verification and role.

use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::locale::Locale;
use crate::domain::user::{Email, Names, Role, User};
use crate::store::accounts::activation::{LastAdministrator, LockAdministrators};
use crate::store::accounts::create::NameTaken;
use crate::store::accounts::names::UserNames;
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::credentials::Passwords;
use crate::store::email::challenges::Challenges;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::rows::{UserRow, user_columns};
use crate::store::session_ends::end_all::{EndAll, Ending};
use crate::store::session_ends::end_order::EndSessions;

/// Order of an administrator to correct an account.
#[derive(Clone, Debug)]
pub struct UpdateUser {
    pub user: UserId,
    /// Names that the account must still have.
    pub current: Names,
    /// Names of the account afterwards.
    pub new: Names,
    /// `None` keeps the verification, unless the e-mail address changes.
    pub email_verified: Option<bool>,
    pub role: Option<Role>,
    pub at: Timestamp,
}

/// Reason why an account was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotUpdated {
    NameTaken(NameTaken),
    LastAdministrator,
    /// The account has other names than [`UpdateUser::current`].
    Changed,
    /// The account does not exist or was deleted.
    Missing,
}

impl From<LastAdministrator> for NotUpdated {
    fn from(_: LastAdministrator) -> Self {
        Self::LastAdministrator
    }
}

steps! {
    pub(in crate::store) trait UpdateNames {
        /// Sets both names. A name that another account took in the meantime is a lost race.
        async fn update_names(&mut self, user: UserId, names: &Names) -> Result<Option<User>> {
            let row: Option<UserRow> = metered::query_as(concat!(
                "UPDATE users SET username = $2, username_key = $3, username_skeleton = $4, \
                 email = $5, email_key = $6 WHERE id = $1 AND deleted_at IS NULL RETURNING ",
                user_columns!()
            ))
            .bind(user.as_uuid())
            .bind(names.username().as_str())
            .bind(names.username().key())
            .bind(names.username().skeleton())
            .bind(names.email().map(|email| email.as_str().to_owned()))
            .bind(names.email().map(|email| email.key().to_owned()))
            .fetch_optional(self)
            .await?;
            row.map(User::try_from).transpose()
        }

        /// Sets verification and role. An administrator stays one if no other is active; call
        /// [`LockAdministrators::lock_administrators`] first.
        async fn update_standing(
            &mut self,
            user: UserId,
            verified_at: Option<Timestamp>,
            role: Option<Role>,
        ) -> Result<Option<User>> {
            let row: Option<UserRow> = metered::query_as(concat!(
                "UPDATE users SET email_verified_at = $2, role = COALESCE($3, role) \
                 WHERE id = $1 AND ($3 IS NULL OR $3 = 'ADMIN' OR role <> 'ADMIN' \
                 OR deactivated_at IS NOT NULL OR EXISTS (SELECT 1 FROM users AS other \
                 WHERE other.role = 'ADMIN' AND other.deactivated_at IS NULL \
                 AND other.id <> users.id)) RETURNING ",
                user_columns!()
            ))
            .bind(user.as_uuid())
            .bind(verified_at.map(Timestamp::as_micros))
            .bind(role.map(|role| role.as_str().to_owned()))
            .fetch_optional(self)
            .await?;
            row.map(User::try_from).transpose()
        }
    }
}

impl Store {
    /// Corrects an account, records one event for each change, and ends the sessions of `end`, if given.
    pub async fn update_user(
        &self,
        update: UpdateUser,
        events: Vec<NewEvent>,
        end: Option<EndSessions>,
    ) -> Result<Result<(User, Ending), NotUpdated>> {
        transact!(self, conn => {
            let UpdateUser { user, current, new, email_verified, role, at } = &update;
            if role.is_some_and(|role| role != Role::Admin) {
                conn.lock_administrators(*user).await?;
            }
            let Some(found) = conn.lock_user(*user).await?.filter(|found| !found.is_deleted()) else {
                return Ok(Err(NotUpdated::Missing));
            };
            if found.names != *current {
                return Ok(Err(NotUpdated::Changed));
            }
            // A version that knows no reservations may have given the account a reserved name.
            let renames = current.username().key() != new.username().key();
            if renames
                && (conn.has_username(new.username(), *user).await?
                    || conn.is_reserved(new.username(), *user, *at).await?)
            {
                return Ok(Err(NotUpdated::NameTaken(NameTaken::Username)));
            }
            if let Some(email) = new.email()
                && conn.has_email(email, *user).await?
            {
                return Ok(Err(NotUpdated::NameTaken(NameTaken::Email)));
            }
            let same_email = current.email().map(Email::key)
                == new.email().map(Email::key);
            let verified_at = match email_verified {
                Some(true) => found.email_verified_at.filter(|_| same_email).or(Some(*at)),
                Some(false) => None,
                None => found.email_verified_at.filter(|_| same_email),
            };
            // First, since nothing has changed yet where it is refused.
            if conn.update_standing(*user, verified_at, *role).await?.is_none() {
                return Ok(Err(NotUpdated::LastAdministrator));
            }
            let Some(updated) = conn.update_names(*user, new).await? else {
                return Err(Error::LostRace);
            };
            if !same_email {
                conn.delete_all_challenges(*user).await?;
            }
            if renames && conn.is_reserved(new.username(), *user, *at).await? {
                return Err(Error::LostRace);
            }
            for event in &events {
                conn.record_event(event).await?;
            }
            let ended = match &end {
                Some(end) => conn.end_all(end).await?,
                None => Ending::default(),
            };
            Ok(Ok((updated, ended)))
        })
    }

    /// Sets the locale. `None` if the account does not exist or was deleted.
    pub async fn set_locale(&self, user: UserId, locale: Option<Locale>) -> Result<Option<User>> {
        let row: Option<UserRow> = transact!(self, conn => {
            let row: Option<UserRow> = metered::query_as(concat!(
                "UPDATE users SET locale = $2 WHERE id = $1 AND deleted_at IS NULL RETURNING ",
                user_columns!()
            ))
            .bind(user.as_uuid())
            .bind(locale.as_ref().map(|locale| locale.as_str().to_owned()))
            .fetch_optional(conn)
            .await?;
            Ok(row)
        })?;
        row.map(User::try_from).transpose()
    }
}
