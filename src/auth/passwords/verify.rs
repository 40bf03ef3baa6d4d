//! Verification of a name and a password.
//!
//! Invariant: an unknown name, a wrong password and a deactivated account are answered alike and cost the
//! same work (one hash, the same counts, one row of the audit), so that neither the answer nor its time
//! tells which it was.

use super::Passwords;
use super::admission::{Admission, Admitted};
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::clock::Stopwatch;
use crate::crypto::password::{PasswordHash, Verdict};
use crate::domain::audit::AuditKind;
use crate::domain::id::UserId;
use crate::domain::login_name::LoginName;
use crate::domain::mail::ShortenedEmail;
use crate::domain::origin::Origin;
use crate::domain::throttle::Bucket;
use crate::domain::typed_password::TypedPassword;
use crate::domain::user::User;
use crate::store::{Credentials, FactorsMark, Grounds, NewEvent, Settlement, VerifiedHash};

/// Proof of an account's password, made only by [`Passwords::verify`].
#[derive(Debug)]
pub struct VerifiedPassword {
    user: User,
    hash: PasswordHash,
    upgraded: Option<PasswordHash>,
    awaits_email: Option<ShortenedEmail>,
    factors: Option<FactorsMark>,
    admitted: Admitted,
}

impl VerifiedPassword {
    pub(in crate::auth) fn user_id(&self) -> UserId {
        self.user.id
    }

    /// The account, as it was read a moment ago.
    pub(in crate::auth) fn user(&self) -> &User {
        &self.user
    }

    pub(in crate::auth) fn hash(&self) -> &PasswordHash {
        &self.hash
    }

    /// The mark of the account's second factors, as it was read a moment ago.
    pub(in crate::auth) fn factors(&self) -> Option<FactorsMark> {
        self.factors
    }

    /// Counts that a right password resets or refunds.
    pub(in crate::auth) fn settlement(&self) -> Settlement {
        self.admitted.settlement()
    }

    /// The address that the account was registered with and does not have, since another account has it.
    pub(in crate::auth) fn awaits_email(&self) -> Option<&ShortenedEmail> {
        self.awaits_email.as_ref()
    }

    /// Conditions that the store checks again when it opens the session.
    pub(in crate::auth) fn grounds(&self) -> Grounds {
        Grounds::Password {
            verified: VerifiedHash::new(self.hash.clone(), self.user.password_changed_at),
            upgraded: self.upgraded.clone(),
            factors: self.factors,
            settlement: self.admitted.settlement(),
        }
    }
}

impl Passwords {
    /// Verifies the password of the active account with this username or e-mail address.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS`, `RATE_LIMITED`, `OVERLOADED`.
    pub(in crate::auth) async fn verify(
        &self,
        name: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<VerifiedPassword, Error> {
        let typed = LoginName::parse(name);
        // Texts that cannot be a name are counted together, as one name.
        let name_key = typed.as_ref().map_or("", LoginName::key);
        let attempt = self.limits.login(name_key, origin, || self.clock.now()).await?;
        let source = self.limits.source(origin);
        // An attempt over a limit does not wait among those that are not.
        let permit =
            if attempt.is_doubtful() { None } else { Some(self.hashing.permit(source).await?) };
        let found = match &typed {
            Some(name) => self.store.credentials_by_name(name).await?,
            None => None,
        };
        let known = found.as_ref().map(|found| found.user.id);
        let dummy = self.hashing.dummies().of(&self.limits.key, name_key);
        let verified = found.as_ref().and_then(|found| found.password_hash.clone());
        // An account without a password costs the same hash as an unknown name.
        let hash = verified.clone().unwrap_or(dummy);
        let password = TypedPassword::new(password);
        let admitted = match self.admit(attempt, known, origin).await? {
            Admission::Admitted(admitted) => admitted,
            Admission::OverLimit(wait) => {
                drop(permit);
                self.seem_refused(source, password, hash).await?;
                return Err(UserError::rate_limited(wait).into());
            }
        };
        let permit = match permit {
            Some(permit) => permit,
            None => self.permit_for(&admitted, source).await?,
        };
        let began = Stopwatch::start();
        let verdict = self.hashing.verify(permit, password.clone(), hash.clone()).await?;
        let found = found.filter(|found| verdict != Verdict::Wrong && found.user.is_active());
        let Some((found, hash)) = found.zip(verified) else {
            let refused = self.refuse(admitted, known, origin.clone()).await;
            self.delay.add(&hash, &password, began.elapsed());
            return Err(refused);
        };
        let upgraded = match verdict {
            Verdict::RightButOutdated => self.upgrade(&password, source).await?,
            Verdict::Right | Verdict::Wrong => None,
        };
        let Credentials { user, awaits_email, factors, .. } = found;
        Ok(VerifiedPassword { user, hash, upgraded, awaits_email, factors, admitted })
    }

    /// Hashes a right password anew. `None` where no core is free, since a login is not refused because of that,
    /// and where the password is longer than passwords of this service are: then the old hash stays.
    async fn upgrade(
        &self,
        password: &TypedPassword,
        source: Option<Bucket>,
    ) -> Result<Option<PasswordHash>, Error> {
        let Some(password) = password.password() else { return Ok(None) };
        let Ok(permit) = self.hashing.permit(source).await else { return Ok(None) };
        Ok(Some(self.hashing.hash(permit, password).await?))
    }

    /// Refuses a login whose password was changed, or whose account was deactivated, since it was
    /// verified.
    pub(in crate::auth) async fn refuse_outdated(
        &self,
        proof: VerifiedPassword,
        origin: Origin,
    ) -> Error {
        self.refuse(proof.admitted, Some(proof.user.id), origin).await
    }

    /// Takes as long as a wrong password takes where the limits that refuse do not hold. The work is done
    /// only until it is known how long that is.
    async fn seem_refused(
        &self,
        source: Option<Bucket>,
        password: TypedPassword,
        hash: PasswordHash,
    ) -> Result<(), Error> {
        let [drawn] = crate::entropy::random(&*self.entropy);
        if self.delay.sleep(&hash, &password, drawn).await {
            return Ok(());
        }
        let permit = self.hashing.permit(source).await?;
        let began = Stopwatch::start();
        self.hashing.verify(permit, password.clone(), hash.clone()).await?;
        self.delay.add(&hash, &password, began.elapsed());
        Ok(())
    }

    /// Counts and records a failed login, and says so.
    async fn refuse(&self, admitted: Admitted, known: Option<UserId>, origin: Origin) -> Error {
        let event = NewEvent {
            kind: AuditKind::LoginFailed,
            at: self.clock.now(),
            user: known,
            actor: None,
            session: None,
            origin,
            detail: None,
        };
        match self.count_failure(admitted, event).await {
            Ok(()) => invalid_credentials().into(),
            Err(error) => error,
        }
    }
}

fn invalid_credentials() -> UserError {
    const MESSAGE: &str = "The name or the password is wrong, or the account is deactivated.";
    UserError::new(UserErrorCode::InvalidCredentials, Field::Input, MESSAGE)
}
