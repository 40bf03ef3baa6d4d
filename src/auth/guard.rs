//! Guard of protected fields: verifies access tokens and checks them against the ended sessions.
//!
//! A decision is made from memory; the database is asked only for a signing key that this process has
//! never seen. A bearer token is verified once a request. Whether its session has ended is checked each
//! time a protected field is reached, so that whatever follows a logout in one document is refused too.
//! An invalid or expired token is no error until a protected field is selected.

use std::sync::Arc;
use std::time::Duration;

use super::authority::Requirement;
use super::caller::{Caller, Viewer};
use super::error::{Denial, UnauthenticatedReason};
use super::keys::Keys;
use crate::clock::{Clock, MAX_SKEW, Timestamp};
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
        if is_proved(required, caller.token()?.auth_time, ASSURANCE, self.clock.now()) {
            return Ok(viewer);
        }
        let Requirement { fresh_within: max_age, assurance, .. } = *required;
        Err(Denial::ReauthenticationRequired { max_age, assurance })
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

/// Assurance of every session: all are opened by one factor.
const ASSURANCE: Assurance = Assurance::SingleFactor;

/// Whether a session that was opened by a proof of this strength at this time is fresh and sure enough.
fn is_proved(required: &Requirement, at: Timestamp, assurance: Assurance, now: Timestamp) -> bool {
    // A proof later than clocks can be apart was made while the clock was wrong: how old it is, nobody knows.
    let is_fresh = required
        .fresh_within
        .is_none_or(|max_age: Duration| now < at + max_age && at <= now + MAX_SKEW);
    is_fresh && required.assurance.is_none_or(|required| assurance.is_at_least(required))
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
    use super::*;

    #[test]
    fn a_proof_that_is_too_old_or_too_weak_is_not_enough() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let minutes = |n| Duration::from_mins(n);
        let fresh = Requirement { fresh_within: Some(minutes(5)), ..Requirement::LOGGED_IN };
        let sure =
            Requirement { assurance: Some(Assurance::MultiFactor), ..Requirement::LOGGED_IN };
        let single = Assurance::SingleFactor;
        assert!(is_proved(&Requirement::LOGGED_IN, now - minutes(60), single, now));
        assert!(is_proved(&fresh, now - minutes(4), single, now));
        assert!(is_proved(&fresh, now + MAX_SKEW, single, now));
        assert!(!is_proved(&fresh, now + minutes(60), single, now));
        assert!(!is_proved(&fresh, now - minutes(5), single, now));
        assert!(!is_proved(&sure, now, single, now));
        assert!(is_proved(&sure, now, Assurance::PhishingResistant, now));
    }
}
