//! Rotation of the signing key.
//!
//! Of two rotations at once one is done and the other is refused. The new key, the old key's end and the
//! audit event are one transaction.

use super::signing_key::SigningKey;
use super::state::{KeyError, Keys, PUBLICATION};
use crate::auth::authority::Admin;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::clock::Timestamp;
use crate::crypto::algorithm::SigningAlgorithm;
use crate::domain::audit::AuditKind;
use crate::domain::id::UserId;
use crate::domain::key_life::SigningKeyState;
use crate::domain::origin::Origin;
use crate::store::{NewEvent, RotateKey, StoredKey};

#[derive(Clone, Copy, Debug, Default)]
pub struct KeyRotation<'a> {
    /// Algorithm of the new key; `None`: that of the key before, or the default where only a newer version
    /// knows that one.
    pub algorithm: Option<&'a str>,
    /// In an emergency the new key signs at once, and tokens of all other keys are refused.
    pub immediately: bool,
}

impl Keys {
    /// Makes a key that replaces the one that signs.
    ///
    /// # Errors
    /// `INVALID_INPUT` for the algorithm; `FORBIDDEN` where a key is waiting to sign already, or another
    /// rotation was faster.
    pub async fn rotate(
        &self,
        by: Admin,
        rotation: KeyRotation<'_>,
        origin: Origin,
    ) -> Result<SigningKey, Error> {
        let algorithm = rotation.algorithm.map(parse).transpose()?;
        let stored = self.store.signing_keys().await?;
        let not_now =
            |message: String| UserError::new(UserErrorCode::Forbidden, Field::Input, message);
        let Some(last) = last(&stored) else {
            return Err(
                not_now("No signing key exists yet. Start the service first.".to_owned()).into()
            );
        };
        let now = self.clock.now();
        if !rotation.immediately && last.life.state(now) == SigningKeyState::Next {
            return Err(not_now(format!(
                "A new signing key is already published and signs from {} on. Wait, or rotate \
                 immediately in an emergency.",
                last.life.activates_at.floor_to_second()
            ))
            .into());
        }
        let publication =
            if rotation.immediately { std::time::Duration::ZERO } else { PUBLICATION };
        // An emergency must not wait for the version that knows the algorithm of the key before.
        let algorithm = algorithm.or(last.algorithm.known()).unwrap_or_default();
        let (key, kid) = self.make(algorithm, now, now + publication).await?;
        let event = event(by.user_id(), rotation.immediately, now, origin);
        let order =
            RotateKey { replaces: last.id, key, at: now, removes_others: rotation.immediately };
        if !self.store.rotate_key(order, event).await? {
            const MESSAGE: &str = "The signing keys were rotated by another process at the same \
                                   time. List the keys before you rotate again.";
            return Err(not_now(MESSAGE.to_owned()).into());
        }
        self.read().await?;
        let made = self.list(by).await?.into_iter().find(|key| key.kid == kid);
        made.ok_or_else(|| not_now("The new signing key was removed by another rotation. List the keys before you rotate again.".to_owned()).into())
    }
}

impl Keys {
    /// Rotates where the newest key has another algorithm. The old key signs until the new one does. While
    /// a rotation is under way nothing is done: processes that are started with different flags must not
    /// undo each other's rotations. For the same reason a key of an algorithm that only a newer version knows
    /// is left in place: during a rolling update a restart of an older process must not undo the newer one's
    /// rotation.
    pub(super) async fn turn_to(
        &self,
        algorithm: SigningAlgorithm,
        stored: &[StoredKey],
    ) -> Result<(), KeyError> {
        let now = self.clock.now();
        let Some(last) = last(stored).filter(|key| key.algorithm != algorithm.into()) else {
            return Ok(());
        };
        if last.algorithm.known().is_none() {
            tracing::warn!(
                kid = last.kid,
                algorithm = last.algorithm.as_str(),
                "a newer version created the newest signing key, so --algorithm does not replace it"
            );
            return Ok(());
        }
        if last.life.state(now) == SigningKeyState::Next {
            tracing::warn!(
                waiting = last.algorithm.as_str(),
                "a signing key of another algorithm than --algorithm is published and signs next"
            );
            return Ok(());
        }
        let (key, _) = self.make(algorithm, now, now + PUBLICATION).await?;
        let event = event(None, false, now, Origin::default());
        let order = RotateKey { replaces: last.id, key, at: now, removes_others: false };
        // Where another process was faster, its key is as good.
        if self.store.rotate_key(order, event).await? {
            let algorithm = algorithm.as_str();
            tracing::info!(
                algorithm,
                "published a signing key of another algorithm, which signs in ten minutes"
            );
        }
        Ok(())
    }
}

/// The key without a successor.
fn last(stored: &[StoredKey]) -> Option<&StoredKey> {
    stored.iter().rfind(|key| key.life.stops_at.is_none())
}

fn parse(algorithm: &str) -> Result<SigningAlgorithm, UserError> {
    SigningAlgorithm::parse(algorithm).ok_or_else(|| {
        let names: Vec<&str> = SigningAlgorithm::ALL.iter().map(|one| one.as_str()).collect();
        let message = format!("The algorithm must be one of {}.", names.join(", "));
        UserError::new(UserErrorCode::InvalidInput, Field::Algorithm, message)
    })
}

fn event(by: Option<UserId>, immediately: bool, at: Timestamp, origin: Origin) -> NewEvent {
    NewEvent {
        kind: AuditKind::KeyRotated,
        at,
        user: None,
        actor: by,
        session: None,
        origin,
        detail: immediately.then_some("immediately"),
    }
}
