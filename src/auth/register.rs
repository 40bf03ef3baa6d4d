//! Register: an account of one's own, where the operator allows it.

use super::error::{UserError, UserErrorCode};
use super::hashing::{Core, NewPassword};
use super::login::parse_session_name;
use super::{Auth, Error, SignedIn};
use crate::crypto::password::PasswordHash;
use crate::domain::audit::AuditKind;
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::domain::user::{Names, NamesError, Role, User};
use crate::store::{NameTaken, NewEvent, NewUser};

/// What somebody typed to register.
#[derive(Clone, Copy)]
pub struct Register<'a> {
    /// The username.
    pub username: &'a str,
    /// The password.
    pub password: &'a str,
    /// The e-mail address.
    pub email: Option<&'a str>,
    /// What to call the session.
    pub session_name: Option<&'a str>,
}

/// Redacted.
impl std::fmt::Debug for Register<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Register(…)")
    }
}

impl Auth {
    /// Makes an account and logs in to it, in one transaction.
    ///
    /// # Errors
    /// [`UserErrorCode::RegistrationClosed`], [`UserErrorCode::RateLimited`], a refusal of the names or
    /// the password, or a failure of the service.
    pub async fn register(
        &self,
        register: Register<'_>,
        origin: Origin,
    ) -> Result<(User, SignedIn), Error> {
        if !self.policy.registration_open {
            const MESSAGE: &str = "accounts are made by administrators here";
            return Err(
                UserError::new(UserErrorCode::RegistrationClosed, &["input"], MESSAGE).into()
            );
        }
        let name = parse_session_name(register.session_name)?;
        let charges = self.begin_registration(&origin)?;
        let core = self.hashing.core(self.throttle.source(&origin)).await?;
        self.admit_registration(charges).await?;
        let Register { username, email, password, .. } = register;
        let (names, password_hash) = self.parse_account(core, username, email, password).await?;
        let now = self.clock.now();
        let id = UserId::new(now, &*self.entropy);
        let session = self.new_session(id, name, origin.clone(), now);
        let event = NewEvent {
            kind: AuditKind::Registered,
            at: now,
            user: Some(id),
            actor: Some(id),
            session: Some(session.id),
            origin,
            detail: None,
        };
        let new = NewUser { id, names, password_hash, role: Role::User, created_at: now };
        let (user, session) =
            self.store.create_user(new, Some(session), event).await?.map_err(taken)?;
        let session = session.ok_or_else(|| Error::Internal("no session was made".into()))?;
        let signed_in = self.sign_in(session, user.role, now, true)?;
        Ok((user, signed_in))
    }

    /// Reads what makes an account, and hashes the password.
    pub(super) async fn parse_account(
        &self,
        core: Core,
        username: &str,
        email: Option<&str>,
        password: &str,
    ) -> Result<(Names, PasswordHash), Error> {
        let names = Names::parse(username, email).map_err(|error| match error {
            NamesError::Email(_) => UserError::invalid(&["input", "email"], error),
            _ => UserError::invalid(&["input", "username"], error),
        })?;
        let new = NewPassword::new(password, self.policy.password_min_length, &names);
        let hash = self.hashing.hash_new(core, new).await?;
        Ok((names, hash.map_err(|error| UserError::weak(&["input", "password"], &error))?))
    }
}

/// The refusal of a name that another account has.
pub(super) fn taken(taken: NameTaken) -> UserError {
    match taken {
        NameTaken::Username => UserError::new(
            UserErrorCode::UsernameTaken,
            &["input", "username"],
            "another account has this username, or one that looks like it",
        ),
        NameTaken::Email => UserError::new(
            UserErrorCode::EmailTaken,
            &["input", "email"],
            "another account has this e-mail address",
        ),
    }
}
