//! Confirmation of a user's own password in a live session.

use std::convert::Infallible;

use super::Passwords;
use super::admission::Admitted;
use crate::auth::caller::Viewer;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::crypto::password::Verdict;
use crate::domain::audit::AuditKind;
use crate::domain::origin::Origin;
use crate::domain::typed_password::TypedPassword;
use crate::store::{NewEvent, Settlement, VerifiedHash};

/// Password of a user who is logged in, which was right a moment ago. Holds the attempt's lock.
pub(in crate::auth) struct ConfirmedPassword {
    hash: VerifiedHash,
    admitted: Admitted,
}

impl ConfirmedPassword {
    /// The hash that was verified: the account must still have it.
    pub(in crate::auth) fn hash(&self) -> VerifiedHash {
        self.hash.clone()
    }

    /// Counts that were charged before the password was known to be right.
    pub(in crate::auth) fn settlement(&self) -> Settlement {
        self.admitted.settlement()
    }
}

impl Passwords {
    /// Verifies the viewer's password. Attempts are limited as those of a change of the password.
    ///
    /// # Errors
    /// `INVALID_PROOF`, `RATE_LIMITED`, `OVERLOADED`.
    pub(in crate::auth) async fn confirm(
        &self,
        viewer: Viewer,
        password: &str,
        origin: &Origin,
    ) -> Result<ConfirmedPassword, Error> {
        let found = self.store.credentials(viewer.user_id()).await?.ok_or_else(wrong_proof)?;
        let (name, session) = (found.user.names.username().key(), viewer.session_id());
        let attempt = self.limits.confirmation(name, session, origin, || self.clock.now()).await?;
        let source = self.limits.source(origin);
        let admitted = self.admit_confirmation(attempt, viewer.user_id(), origin).await?;
        let permit = self.permit_for(&admitted, source).await?;
        // Without a password every text is wrong, and costs as much.
        let dummy = || self.hashing.dummies().of(&self.limits.key, name);
        let hash = found.password_hash.clone().unwrap_or_else(dummy);
        let password = TypedPassword::new(password);
        let verdict = self.hashing.verify(permit, password, hash).await?;
        if let Some(hash) = found.password_hash.filter(|_| verdict != Verdict::Wrong) {
            let hash = VerifiedHash::new(hash, found.user.password_changed_at);
            return Ok(ConfirmedPassword { hash, admitted });
        }
        self.refuse_proof(admitted, viewer, origin).await
    }

    /// Counts a proof that was right when it was verified, but not any more when it was used.
    pub(in crate::auth) async fn refuse_outdated_proof(
        &self,
        confirmed: ConfirmedPassword,
        viewer: Viewer,
        origin: &Origin,
    ) -> Error {
        let refused = self.refuse_proof::<Infallible>(confirmed.admitted, viewer, origin).await;
        match refused {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    async fn refuse_proof<T>(
        &self,
        admitted: Admitted,
        viewer: Viewer,
        origin: &Origin,
    ) -> Result<T, Error> {
        // The caller may have stolen the access token: the account's owner sees it in the audit.
        let event = NewEvent {
            kind: AuditKind::ProofFailed,
            at: self.clock.now(),
            user: Some(viewer.user_id()),
            actor: Some(viewer.user_id()),
            session: Some(viewer.session_id()),
            origin: origin.clone(),
            detail: Some("password"),
        };
        self.count_failure(admitted, event).await?;
        Err(wrong_proof().into())
    }
}

/// The error for a proof of a live session that is wrong.
fn wrong_proof() -> UserError {
    const MESSAGE: &str = "The proof is wrong. Enter it again.";
    UserError::new(UserErrorCode::InvalidProof, Field::Proof, MESSAGE)
}
