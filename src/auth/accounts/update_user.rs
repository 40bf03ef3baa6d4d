//! Corrections of an account by administrators: its names, its verification, its role.

use super::Accounts;
use super::last_administrator::last_administrator;
use super::state::event;
use crate::auth::authority::Admin;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::sessions::{end_by_admin, name_taken};
use crate::auth::user_error::UserError;
use crate::domain::audit::AuditKind;
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::domain::user::{Email, Names, NamesError, Role, User};
use crate::store::{self, NewEvent, NotUpdated, Scope, UpdateUser};

/// How often the account is read again, if its names change meanwhile.
const MAX_READS: usize = 5;

/// Changes of an account; `None` keeps a value.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserChanges<'a> {
    pub username: Option<&'a str>,
    /// A new address is not verified, unless `email_verified` says so.
    pub email: Option<&'a str>,
    pub email_verified: Option<bool>,
    /// A new role ends the sessions of the user, whose access tokens have the old one.
    pub role: Option<Role>,
}

impl Accounts {
    /// Corrects an account; returns the number of sessions that ended.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` for a name, the role, or a verification without an address;
    /// `USERNAME_TAKEN`; `EMAIL_TAKEN`; `FORBIDDEN` for another role of the last active administrator.
    pub async fn update_user(
        &self,
        by: Admin,
        user: UserId,
        changes: UserChanges<'_>,
        origin: Origin,
    ) -> Result<(User, usize), Error> {
        for _ in 0..MAX_READS {
            if let Some(done) = self.update_once(by, user, changes, origin.clone()).await? {
                return Ok(done);
            }
        }
        Err(Error::Unavailable(store::Error::Contended))
    }

    /// `None` if the names changed meanwhile, so that the account has to be read again.
    async fn update_once(
        &self,
        by: Admin,
        user: UserId,
        changes: UserChanges<'_>,
        origin: Origin,
    ) -> Result<Option<(User, usize)>, Error> {
        if changes.role == Some(Role::Unknown) {
            const MESSAGE: &str = "The role UNKNOWN cannot be assigned. Use USER or ADMIN.";
            return Err(UserError::invalid(Field::Role, MESSAGE).into());
        }
        let not_found = || UserError::not_found(Field::UserId);
        let found = self.store.users_by_id(&[user]).await?.remove(&user);
        let found = found.filter(|found| !found.is_deleted()).ok_or_else(not_found)?;
        let new = names(&found.names, &changes)?;
        if changes.email_verified == Some(true) && new.email().is_none() {
            const MESSAGE: &str = "The account has no e-mail address to verify. Set one first.";
            return Err(UserError::invalid(Field::EmailVerified, MESSAGE).into());
        }
        let role = changes.role.filter(|role| *role != found.role);
        let now = self.now();
        let updated_event = |what| NewEvent {
            detail: Some(what),
            ..event(AuditKind::UserUpdated, user, by.user_id(), now, origin.clone())
        };
        let mut events = Vec::new();
        if new.username() != found.names.username() {
            events.push(updated_event("username"));
        }
        if new.email() != found.names.email() {
            events.push(updated_event("e-mail address"));
        }
        let same_email = new.email() == found.names.email();
        let is_verified = found.email_verified_at.is_some() && same_email;
        match changes.email_verified.filter(|verified| *verified != is_verified) {
            Some(true) => events.push(updated_event("e-mail address verified")),
            Some(false) => events.push(updated_event("e-mail address not verified")),
            None => {}
        }
        match role {
            Some(Role::Admin) => events.push(updated_event("role ADMIN")),
            Some(_) => events.push(updated_event("role USER")),
            None => {}
        }
        let end = role.map(|_| end_by_admin(by.user_id(), Scope::User(user), now, origin.clone()));
        let ends = end.is_some();
        let update = UpdateUser {
            user,
            current: found.names,
            new,
            email_verified: changes.email_verified,
            role,
            at: now,
        };
        let (updated, ending) = match self.store.update_user(update, events, end).await? {
            Ok(updated) => updated,
            Err(NotUpdated::NameTaken(name)) => return Err(name_taken(name).into()),
            Err(NotUpdated::LastAdministrator) => {
                return Err(last_administrator(Field::Role).into());
            }
            Err(NotUpdated::Changed) => return Ok(None),
            Err(NotUpdated::Missing) => return Err(not_found().into()),
        };
        self.note_change(&updated);
        if !ends {
            return Ok(Some((updated, 0)));
        }
        let count = self.ends.finish(&Scope::User(user), now, ending).await?.count;
        self.ends.complete(by.actor()).await?;
        Ok(Some((updated, count)))
    }
}

/// The names after the changes. A username that is the e-mail address changes with it.
fn names(current: &Names, changes: &UserChanges<'_>) -> Result<Names, UserError> {
    let email = changes.email.or(current.email().map(Email::as_str));
    let is_email = current.username().key().contains('@');
    let username = match (changes.username, changes.email) {
        (Some(username), _) => username,
        (None, Some(email)) if is_email => email,
        (None, _) => current.username().as_str(),
    };
    Names::parse(username, email).map_err(|error| match error {
        NamesError::Email(_) => UserError::invalid(Field::Email, error),
        _ => UserError::invalid(Field::Username, error),
    })
}
