//! Guard of protected fields: verifies access tokens and checks them against the ended sessions.
//!
//! A decision is made from memory; the database is asked only for a signing key that this process has
//! never seen. A bearer token is verified once a request. Whether its session has ended is checked each
//! time a protected field is reached, so that whatever follows a logout in one document is refused too.
//! An invalid or expired token is no error until a protected field is selected.

use std::sync::Arc;

use super::authority::{Requirement, is_recent};
use super::caller::{Caller, Viewer};
use super::error::{Denial, UnauthenticatedReason};
use super::keys::Keys;
use crate::clock::{Clock, Timestamp};
use crate::crypto::TokenError;
use crate::crypto::access_token::{AccessToken, Issuer};
use crate::domain::assurance::Assurance;
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;
use crate::domain::user::Role;
use crate::revocation::{Revocations, Stale};

/// Guard of protected fields.
pub struct Guard {
    pub(super) keys: Arc<Keys>,
    pub(super) revocations: Arc<Revocations>,
    pub(super) issuer: Issuer,
    pub(super) clock: Arc<dyn Clock>,
}

impl Guard {
    /// Issuer of the tokens that are accepted.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Verifies the bearer token of a request. It cannot fail: a bad token is kept as the reason for
    /// which a protected field will be refused.
    pub async fn caller(&self, bearer: Option<&str>, origin: Origin) -> Caller {
        let removed_keys = self.keys.removals();
        let refused = |reason| Denial::Unauthenticated(reason);
        let token = match bearer {
            None => Err(refused(UnauthenticatedReason::NoToken)),
            Some(token) => match self.verify(token).await {
                Ok(token) => token.map_err(|error| refused(error.into())),
                Err(stale) => Err(stale.into()),
            },
        };
        Caller::new(token, origin, removed_keys)
    }

    /// The caller, if logged in.
    ///
    /// # Errors
    /// [`Denial`] where the token is missing, invalid or expired, its session has ended, or the ended
    /// sessions are not known well enough to tell.
    pub fn authenticate(&self, caller: &Caller) -> Result<Viewer, Denial> {
        let token = caller.token()?;
        if self.has_expired(token) {
            return Err(Denial::Unauthenticated(UnauthenticatedReason::Expired));
        }
        if let Some(reason) = self.revocations.end_of(token.user_id, token.session_id)? {
            return Err(Denial::Unauthenticated(reason.into()));
        }
        Ok(Viewer::of(token))
    }

    /// The caller, if still logged in, whose token was verified some time ago. A key that was removed
    /// in the meantime may have been the one that signed it.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate).
    pub fn authenticate_again(&self, caller: &Caller) -> Result<Viewer, Denial> {
        let viewer = self.authenticate(caller)?;
        if caller.removed_keys() == self.keys.removals() {
            Ok(viewer)
        } else {
            Err(Denial::Unauthenticated(UnauthenticatedReason::Invalid))
        }
    }

    /// The caller, if logged in and all that is required.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate); [`Denial::Forbidden`] without the role;
    /// [`Denial::ReauthenticationRequired`] where the proof is too old or too weak.
    pub fn authorize(&self, caller: &Caller, required: &Requirement) -> Result<Viewer, Denial> {
        let viewer = self.authenticate(caller)?;
        // Not `== Admin`: a role that this version does not know requires an administrator, too.
        if required.role.is_some_and(|role| role != Role::User) && !viewer.is_admin() {
            return Err(Denial::Forbidden);
        }
        let now = self.clock.now();
        check_proof(required, caller.token()?, now).map(|()| viewer)
    }

    /// Verifies an access token, which may have expired.
    ///
    /// # Errors
    /// [`Stale`] where the key that it names cannot be looked up.
    pub(super) async fn verify(
        &self,
        token: &str,
    ) -> Result<Result<AccessToken, TokenError>, Stale> {
        self.keys.verify(&self.issuer, token).await
    }

    pub(super) fn has_expired(&self, token: &AccessToken) -> bool {
        token.expires_at + self.issuer.leeway <= self.clock.now()
    }
}

/// Checks the age and the strength of the proofs that a token is of. With an assurance beyond one factor the
/// second factor has to be as fresh as the login: a password alone makes no session of two factors fresh.
fn check_proof(required: &Requirement, token: &AccessToken, now: Timestamp) -> Result<(), Denial> {
    let is_recent = |at: Timestamp| is_recent(at, required.fresh_within, now);
    let is_sure = required.assurance.is_none_or(|least| token.assurance.is_at_least(least));
    let needs_factor = required.assurance.is_some_and(|least| least != Assurance::SingleFactor);
    let has_factor = !needs_factor || token.factor_time.is_some_and(is_recent);
    let is_fresh = is_recent(token.auth_time);
    if is_sure && is_fresh && has_factor {
        return Ok(());
    }
    // Named only where it is what is missing.
    let assurance = required.assurance.filter(|_| !is_sure || is_fresh && !has_factor);
    Err(Denial::ReauthenticationRequired { max_age: required.fresh_within, assurance })
}

impl From<TokenError> for UnauthenticatedReason {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Malformed => Self::Malformed,
            TokenError::Invalid => Self::Invalid,
            TokenError::Expired => Self::Expired,
            TokenError::WrongType => Self::WrongType,
        }
    }
}

impl From<EndReason> for UnauthenticatedReason {
    fn from(reason: EndReason) -> Self {
        match reason {
            EndReason::UserDeactivated => Self::UserInactive,
            _ => Self::SessionEnded,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::MAX_SKEW;
    use crate::domain::authentication::Methods;
    use crate::domain::id::{SessionId, TokenId, UserId};
    use crate::entropy::SeededEntropy;

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }

    fn minutes(n: u64) -> Duration {
        Duration::from_mins(n)
    }

    /// A token of a login so long ago, and of a second factor so long ago.
    fn token(auth_time: Timestamp, factor_time: Option<Timestamp>) -> AccessToken {
        let entropy = SeededEntropy::new(1);
        AccessToken {
            user_id: UserId::new(now(), &entropy),
            session_id: SessionId::new(now(), &entropy),
            id: TokenId::new(now(), &entropy),
            issued_at: now(),
            expires_at: now() + minutes(15),
            auth_time,
            methods: Methods::default(),
            assurance: match factor_time {
                None => Assurance::SingleFactor,
                Some(_) => Assurance::MultiFactor,
            },
            factor_time,
            role: Role::User,
            external_id: None,
        }
    }

    #[test]
    fn a_proof_that_is_too_old_or_too_weak_is_not_enough() {
        let fresh = Requirement { fresh_within: Some(minutes(5)), ..Requirement::LOGGED_IN };
        let sure =
            Requirement { assurance: Some(Assurance::MultiFactor), ..Requirement::LOGGED_IN };
        let both = Requirement { fresh_within: Some(minutes(5)), ..sure };
        let judge = |required: &Requirement, login: u64, factor: Option<u64>| {
            let factor = factor.map(|ago| now() - minutes(ago));
            check_proof(required, &token(now() - minutes(login), factor), now())
        };
        let refused = |max_age: Option<u64>, assurance| {
            let max_age = max_age.map(minutes);
            Err(Denial::ReauthenticationRequired { max_age, assurance })
        };
        let multi = Some(Assurance::MultiFactor);
        assert_eq!(judge(&Requirement::LOGGED_IN, 60, None), Ok(()));
        assert_eq!(judge(&fresh, 4, None), Ok(()));
        assert_eq!(judge(&fresh, 5, None), refused(Some(5), None));
        assert_eq!(judge(&sure, 60, None), refused(None, multi));
        assert_eq!(judge(&sure, 60, Some(60)), Ok(()));
        assert_eq!(judge(&both, 4, Some(4)), Ok(()));
        assert_eq!(judge(&both, 4, None), refused(Some(5), multi));
        assert_eq!(judge(&both, 60, Some(60)), refused(Some(5), None));
        // The password was shown again, the second factor was not.
        assert_eq!(judge(&both, 4, Some(60)), refused(Some(5), multi));
    }

    #[test]
    fn a_proof_may_be_later_than_this_clock_by_what_clocks_can_be_apart() {
        let fresh = Requirement { fresh_within: Some(minutes(5)), ..Requirement::LOGGED_IN };
        let judge = |at: Timestamp| check_proof(&fresh, &token(at, None), now());
        assert!(judge(now() + MAX_SKEW).is_ok());
        assert!(judge(now() + minutes(60)).is_err());
    }
}
