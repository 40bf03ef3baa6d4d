//! What administrators do with accounts, logged in or at the command line.

use super::ending::{order, whole};
use super::error::{UserError, UserErrorCode};
use super::hashing::NewPassword;
use super::register::taken;
use super::{Actor, Auth, Error, Viewer};
use crate::clock::Timestamp;
use crate::domain::audit::{AuditKind, Note};
use crate::domain::filter::SessionFilter;
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;
use crate::domain::user::{Role, User};
use crate::store::{EndSessions, LastAdministrator, Matching, NewEvent, NewUser, Scope};

const USER: &[&str] = &["input", "userId"];

/// An account to be made.
#[derive(Clone, Copy)]
pub struct NewAccount<'a> {
    /// The username.
    pub username: &'a str,
    /// The password.
    pub password: &'a str,
    /// The e-mail address.
    pub email: Option<&'a str>,
    /// What it may do.
    pub role: Role,
}

/// Redacted.
impl std::fmt::Debug for NewAccount<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewAccount(…)")
    }
}

impl Auth {
    /// Makes an account.
    ///
    /// # Errors
    /// A refusal of the names or the password, or a failure of the service.
    pub async fn create_user(
        &self,
        by: Actor,
        account: NewAccount<'_>,
        origin: Origin,
    ) -> Result<User, Error> {
        let (new, event) = self.new_account(by, account, origin).await?;
        let (user, _) = self.store.create_user(new, None, event).await?.map_err(taken)?;
        Ok(user)
    }

    /// Makes the first account of an empty database; `false` where there is one already.
    ///
    /// # Errors
    /// A refusal of the names or the password, or a failure of the service.
    pub async fn create_first_user(&self, account: NewAccount<'_>) -> Result<bool, Error> {
        let (new, event) = self.new_account(Actor::Operator, account, Origin::default()).await?;
        Ok(self.store.create_first_user(new, event).await?)
    }

    async fn new_account(
        &self,
        by: Actor,
        account: NewAccount<'_>,
        origin: Origin,
    ) -> Result<(NewUser, NewEvent), Error> {
        let NewAccount { username, password, email, role } = account;
        let (names, password_hash) =
            self.parse_account(self.hashing.core(None).await?, username, email, password).await?;
        let now = self.clock.now();
        let id = UserId::new(now, &*self.entropy);
        let event = event(AuditKind::UserCreated, id, by, now, origin);
        Ok((NewUser { id, names, password_hash, role, created_at: now }, event))
    }

    /// Sets an account's password and ends all its sessions; returns how many.
    ///
    /// # Errors
    /// [`UserErrorCode::NotFound`], [`UserErrorCode::WeakPassword`], [`UserErrorCode::Forbidden`] for one's
    /// own account, whose current password a stolen access token does not know, or a failure of the
    /// service.
    pub async fn set_user_password(
        &self,
        by: Actor,
        user: UserId,
        password: &str,
        origin: Origin,
    ) -> Result<(User, usize), Error> {
        if by == Actor::User(user) {
            const MESSAGE: &str = "this is your own account: use changePassword, which asks for the \
                                   current password";
            return Err(UserError::new(UserErrorCode::Forbidden, USER, MESSAGE).into());
        }
        let not_found = || UserError::not_found(USER);
        let found = self.store.credentials(user).await?.ok_or_else(not_found)?;
        let new = NewPassword::new(password, self.policy.password_min_length, &found.user.names);
        let hash = self.hashing.hash_new(self.hashing.core(None).await?, new).await?;
        let hash = hash.map_err(|error| UserError::weak(&["input", "newPassword"], &error))?;
        let now = self.now();
        let event = event(AuditKind::PasswordChanged, user, by, now, origin.clone());
        let end = end_all(user, EndReason::PasswordChanged, by, now, origin);
        let changed = self.store.set_password(user, None, hash, event, Some(end)).await?;
        let (user, ending) = changed.ok_or_else(not_found)?;
        let count = self.finish(&Scope::User(user.id), now, ending).await?.count;
        self.complete(by).await?;
        Ok((user, count))
    }

    /// Activates an account, or deactivates it and ends all its sessions; returns how many.
    ///
    /// # Errors
    /// [`UserErrorCode::NotFound`], [`UserErrorCode::Forbidden`] for one's own account and for the last
    /// active administrator's, or a failure of the service.
    pub async fn set_user_active(
        &self,
        by: Actor,
        user: UserId,
        active: bool,
        origin: Origin,
    ) -> Result<(User, usize), Error> {
        if !active && by == Actor::User(user) {
            const MESSAGE: &str = "nobody deactivates the account that is logged in";
            return Err(UserError::new(UserErrorCode::Forbidden, USER, MESSAGE).into());
        }
        let kind = if active { AuditKind::UserActivated } else { AuditKind::UserDeactivated };
        let now = self.now();
        let event = event(kind, user, by, now, origin.clone());
        let end = end_all(user, EndReason::UserDeactivated, by, now, origin);
        let changed = self.store.set_active(user, active, event, end).await?;
        let (user, ending) = changed.map_err(last)?.ok_or_else(|| UserError::not_found(USER))?;
        let count = self.finish(&Scope::User(user.id), now, ending).await?.count;
        self.complete(by).await?;
        Ok((user, count))
    }

    /// Ends sessions of whoever; returns how many.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn end_sessions(
        &self,
        by: Actor,
        scope: Scope,
        origin: Origin,
    ) -> Result<usize, Error> {
        let count = self.end(order(by, scope, self.now(), origin), None).await?.count;
        self.complete(by).await?;
        Ok(count)
    }

    /// Ends the live sessions that a list with this filter shows, or only says how many that would
    /// be; returns how many it found and how many it ended, which may be fewer where there are very
    /// many: the same order goes on. The session that asks stays: its end is a logout.
    ///
    /// # Errors
    /// [`UserErrorCode::InvalidInput`] for the note, or for a filter that leaves out nobody: to end
    /// everybody's sessions by having forgotten something would be too easy. A failure of the service.
    pub async fn end_matching(
        &self,
        viewer: Viewer,
        filter: SessionFilter,
        note: Option<&str>,
        dry_run: bool,
        origin: Origin,
    ) -> Result<(usize, usize), Error> {
        if filter.is_empty() {
            const MESSAGE: &str = "say which sessions; { state: ACTIVE } is all that are live";
            return Err(UserError::invalid(&["input", "filter"], MESSAGE).into());
        }
        let note = note.map(Note::parse).transpose();
        let note = note.map_err(|error| UserError::invalid(&["input", "note"], error))?;
        let (except, now) = (viewer.session_id, self.now());
        let scope = whole(&filter, except);
        let matching = Matching { filter, except: Some(except) };
        if dry_run {
            return Ok((self.store.count_matching(&matching, now).await?, 0));
        }
        let order = |scope| EndSessions { note, ..order(viewer.actor(), scope, now, origin) };
        let Some(scope) = scope else {
            return self.end_found(&matching, order(Scope::These(Vec::new()))).await;
        };
        let count = self.end(order(scope), None).await?.count;
        Ok((count, count))
    }
}

fn last(_: LastAdministrator) -> UserError {
    const MESSAGE: &str =
        "this is the last active administrator: create or activate another one first";
    UserError::new(UserErrorCode::Forbidden, USER, MESSAGE)
}

fn end_all(
    user: UserId,
    reason: EndReason,
    by: Actor,
    at: Timestamp,
    origin: Origin,
) -> EndSessions {
    EndSessions { reason, ..order(by, Scope::User(user), at, origin) }
}

fn event(kind: AuditKind, user: UserId, by: Actor, at: Timestamp, origin: Origin) -> NewEvent {
    let actor = by.user_id();
    NewEvent { kind, at, user: Some(user), actor, session: None, origin, detail: None }
}
