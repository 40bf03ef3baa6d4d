//! Log in: a name and a password become a session.
//!
//! Rule: an unknown name, a wrong password and a deactivated account are answered alike and do the
//! same work (one hash, the same counts, one row of the audit), so that neither the answer nor its time
//! tells which it was.

use super::admission::{Admission, Admitted};
use super::error::{UserError, UserErrorCode};
use super::{Auth, Error, SignedIn};
use crate::clock::{Stopwatch, Timestamp};
use crate::crypto::password::{PasswordHash, Verdict};
use crate::domain::audit::AuditKind;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::login_name::LoginName;
use crate::domain::origin::Origin;
use crate::domain::password::Password;
use crate::domain::session::{RefreshGrant, SessionName};
use crate::domain::throttle::Bucket;
use crate::domain::user::User;
use crate::store::{NewEvent, NewSession, OpenSession};

/// What somebody typed to log in.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// A username or an e-mail address.
    pub username: &'a str,
    /// The password.
    pub password: &'a str,
    /// What to call the session.
    pub session_name: Option<&'a str>,
}

/// Redacted.
impl std::fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login(…)")
    }
}

impl Auth {
    pub(super) async fn try_login(
        &self,
        login: Login<'_>,
        origin: Origin,
    ) -> Result<(User, SignedIn), Error> {
        let name = parse_session_name(login.session_name)?;
        let typed = LoginName::parse(login.username);
        // What cannot be a name is counted as one, the same for all of it.
        let name_key = typed.as_ref().map_or("", LoginName::key);
        let guess = self.throttle.login(name_key, &origin, || self.now()).await?;
        let source = self.throttle.source(&origin);
        // Who is over a limit does not wait among those who are not.
        let core = if guess.is_doubtful() { None } else { Some(self.hashing.core(source).await?) };
        let found = match &typed {
            Some(name) => self.store.credentials_by_name(name).await?,
            None => None,
        };
        let known = found.as_ref().map(|found| found.user.id);
        let dummy = self.throttle.dummy(self.hashing.dummies(), name_key);
        let hash = found.as_ref().map_or(dummy, |found| found.password_hash.clone());
        // What is longer than any password is tried as the empty one, which nobody has: at once
        // refused it would tell apart nothing, but it would be the one login without a hash.
        let password = Password::attempt(login.password).or_else(|| Password::attempt(""));
        let password = password.ok_or_else(invalid_credentials)?;
        let admitted = match self.admit(guess, known, &origin).await? {
            Admission::Admitted(admitted) => admitted,
            Admission::Over(wait) => {
                drop(core);
                self.seem_refused(source, password, hash).await?;
                return Err(UserError::rate_limited(wait).into());
            }
        };
        let core = match core {
            Some(core) => core,
            None => self.core_for(&admitted, source).await?,
        };
        let began = Stopwatch::start();
        let verdict = self.hashing.verify(core, password.clone(), hash.clone()).await?;
        let Some(found) = found.filter(|found| verdict != Verdict::Wrong && found.user.is_active())
        else {
            let refused = self.refuse_login(admitted, known, origin).await;
            self.note_pace(&hash, began.elapsed());
            return refused;
        };
        // A login is not refused for what only would be better.
        let upgraded = match verdict {
            Verdict::RightButOutdated => match self.hashing.core(source).await {
                Ok(core) => Some(self.hashing.hash(core, password).await?),
                Err(_) => None,
            },
            _ => None,
        };
        let now = self.clock.now();
        let session = self.new_session(found.user.id, name, origin.clone(), now);
        let event = NewEvent {
            kind: AuditKind::LoginSucceeded,
            at: now,
            user: known,
            actor: known,
            session: Some(session.id),
            origin: origin.clone(),
            detail: None,
        };
        let open = OpenSession {
            session,
            verified: found.password_hash,
            upgraded,
            record_login: self.policy.record_login,
            max_sessions: self.policy.max_sessions,
            settlement: admitted.settlement(),
        };
        let Some(opened) = self.store.open_session(open, event).await? else {
            // The password was right when it was read, and is not any more.
            return self.refuse_login(admitted, known, origin).await;
        };
        self.note_ends(&opened.ended);
        let signed_in = self.sign_in(opened.session, opened.user.role, now, true)?;
        Ok((opened.user, signed_in))
    }

    /// Takes as long as a wrong password does where the limits that refuse do not hold. Only where it is
    /// not known how long that is the work is done.
    async fn seem_refused(
        &self,
        source: Option<Bucket>,
        password: Password,
        hash: PasswordHash,
    ) -> Result<(), Error> {
        if self.seem_to_try(&hash).await {
            return Ok(());
        }
        let core = self.hashing.core(source).await?;
        let began = Stopwatch::start();
        self.hashing.verify(core, password, hash.clone()).await?;
        self.note_pace(&hash, began.elapsed());
        Ok(())
    }

    async fn refuse_login<T>(
        &self,
        admitted: Admitted,
        known: Option<UserId>,
        origin: Origin,
    ) -> Result<T, Error> {
        let event = NewEvent {
            kind: AuditKind::LoginFailed,
            at: self.clock.now(),
            user: known,
            actor: None,
            session: None,
            origin,
            detail: None,
        };
        self.count_failure(admitted, event).await?;
        Err(invalid_credentials().into())
    }

    /// A session as it begins.
    pub(super) fn new_session(
        &self,
        user_id: UserId,
        name: Option<SessionName>,
        origin: Origin,
        now: Timestamp,
    ) -> NewSession {
        let issued_at = now.floor_to_second();
        let absolute_expires_at = self.policy.session_lifetime.map(|lifetime| issued_at + lifetime);
        let expires_at = issued_at + self.policy.refresh_token_lifetime;
        NewSession {
            id: SessionId::new(now, &*self.entropy),
            user_id,
            name,
            origin,
            created_at: now,
            token: RefreshGrant {
                id: TokenId::new(now, &*self.entropy),
                issued_at,
                expires_at: absolute_expires_at.unwrap_or(expires_at).min(expires_at),
            },
            access_expires_at: self.access_expiry(now),
            absolute_expires_at,
        }
    }
}

/// What the input calls the session.
pub(super) fn parse_session_name(text: Option<&str>) -> Result<Option<SessionName>, UserError> {
    text.map(SessionName::parse)
        .transpose()
        .map_err(|error| UserError::invalid(&["input", "sessionName"], error))
}

fn invalid_credentials() -> UserError {
    const MESSAGE: &str = "no active account has this name and this password";
    UserError::new(UserErrorCode::InvalidCredentials, &["input"], MESSAGE)
}
