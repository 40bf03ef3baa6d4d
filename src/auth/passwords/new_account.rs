//! New accounts: their names parsed, their password hashed.
//!
//! Registrations of an address and its network are limited, successful or not: each tells whether a name
//! is taken.

use super::Passwords;
use super::attempt_limits::{AttemptLimits, address_bytes};
use super::hashing_queue::HashingPermit;
use super::new_password::NewPassword;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::UserError;
use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::locale::Locale;
use crate::domain::origin::Origin;
use crate::domain::throttle::{NETWORK, REGISTRATION, network};
use crate::domain::user::{Names, NamesError, Role};
use crate::redacted::redacted_debug;
use crate::store::{Charge, Grounds, NewUser};

/// An account to be created.
#[derive(Clone, Copy)]
pub struct NewAccount<'a> {
    pub username: &'a str,
    pub password: &'a str,
    pub email: Option<&'a str>,
    pub role: Role,
    pub locale: Option<&'a str>,
}

redacted_debug!(NewAccount<'_>);

/// Proof of a caller who registers: the account is created together with its first session. Made only by
/// [`Passwords::register`].
#[derive(Debug)]
pub struct Registration(NewUser);

impl Registration {
    pub(in crate::auth) fn user_id(&self) -> UserId {
        self.0.id
    }

    pub(in crate::auth) fn new_user(&self) -> &NewUser {
        &self.0
    }

    pub(in crate::auth) fn into_new_user(self) -> NewUser {
        self.0
    }

    /// Account that the store creates when it opens the session.
    pub(in crate::auth) fn grounds(&self) -> Grounds {
        Grounds::Registration(self.0.clone())
    }
}

impl Passwords {
    /// Parses and hashes an account that a caller registers for itself.
    ///
    /// # Errors
    /// `INVALID_INPUT` for the names, `WEAK_PASSWORD`, `RATE_LIMITED`, `OVERLOADED`.
    pub(in crate::auth) async fn register(
        &self,
        account: NewAccount<'_>,
        origin: &Origin,
    ) -> Result<Registration, Error> {
        let charges = charges(&self.limits, origin);
        self.refuse_known(&charges)?;
        let permit = self.hashing.permit(self.limits.source(origin)).await?;
        self.charge_or_refuse(charges).await?;
        // A registration never creates an administrator.
        let account = NewAccount { role: Role::User, ..account };
        Ok(Registration(self.parse(account, permit).await?))
    }

    /// Parses and hashes an account that an administrator creates.
    ///
    /// # Errors
    /// `INVALID_INPUT` for the names, `WEAK_PASSWORD`, `OVERLOADED`.
    pub(in crate::auth) async fn new_user(
        &self,
        account: NewAccount<'_>,
    ) -> Result<NewUser, Error> {
        self.parse(account, self.hashing.permit(None).await?).await
    }

    async fn parse(
        &self,
        account: NewAccount<'_>,
        permit: HashingPermit,
    ) -> Result<NewUser, Error> {
        let NewAccount { username, password, email, role, locale } = account;
        let locale = locale.map(Locale::parse).transpose();
        let locale = locale.map_err(|error| UserError::invalid(Field::Locale, error))?;
        let names = Names::parse(username, email).map_err(|error| match error {
            NamesError::Email(_) => UserError::invalid(Field::Email, error),
            _ => UserError::invalid(Field::Username, error),
        })?;
        let new = NewPassword::new(password, self.min_length, &names);
        let hash = self.hashing.hash_new(permit, new).await?;
        let password = hash.map_err(|error| UserError::weak(Field::Password, &error))?;
        let now: Timestamp = self.clock.now();
        let id = UserId::new(now, &*self.entropy);
        Ok(NewUser { id, names, password: Some(password), role, locale, created_at: now })
    }

    /// Refuses a registration that a limit is known to refuse, before it waits for anything.
    pub(super) fn refuse_known(&self, charges: &[Charge]) -> Result<(), UserError> {
        let now = self.clock.now();
        let wait = |charge: &Charge| self.limits.refusals.wait(charge.bucket, now);
        match charges.iter().filter_map(wait).max() {
            Some(wait) => Err(UserError::rate_limited(wait)),
            None => Ok(()),
        }
    }

    /// Charges limits of which each use counts, successful or not.
    pub(super) async fn charge_or_refuse(&self, charges: Vec<Charge>) -> Result<(), Error> {
        if charges.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let outcome = self.store.charge(charges, now).await?;
        let Some(wait) = outcome.refused else { return Ok(()) };
        if let Some(refuser) = outcome.refuser {
            self.limits.refusals.insert(refuser, wait, now);
        }
        Err(UserError::rate_limited(wait).into())
    }
}

fn charges(limits: &AttemptLimits, origin: &Origin) -> Vec<Charge> {
    if !limits.is_on {
        return Vec::new();
    }
    let network = origin.ip.map(network);
    let network = network.map(|block| limits.charge(NETWORK, &[b"registration", block.low()]));
    let own = limits.charge(REGISTRATION, &[&address_bytes(origin.ip)]);
    [own].into_iter().chain(network).collect()
}
