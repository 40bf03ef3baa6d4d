//! A new key in the place of the one that signs.
//!
//! Rule: of two rotations at once one is done and the other is told. Nothing is in between: the new
//! key, the old one's end and the event in the audit are one transaction.

use super::{KeyError, Keys, PUBLICATION, SigningKey};
use crate::auth::error::{UserError, UserErrorCode};
use crate::auth::{Actor, Auth, Error};
use crate::clock::Timestamp;
use crate::crypto::algorithm::SigningAlgorithm;
use crate::domain::audit::AuditKind;
use crate::domain::key_life::SigningKeyState;
use crate::domain::origin::Origin;
use crate::store::{NewEvent, RotateKey, StoredKey};

const INPUT: &[&str] = &["input"];

/// How to rotate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rotation<'a> {
    /// What the new key signs with; as the one before it, where nothing is said.
    pub algorithm: Option<&'a str>,
    /// An emergency: the new key signs at once, and nothing that another key signed is accepted.
    pub immediately: bool,
}

impl Auth {
    /// Makes a key and puts it in the place of the one that signs.
    ///
    /// # Errors
    /// [`UserErrorCode::InvalidInput`] for an algorithm that is none, [`UserErrorCode::Forbidden`] where
    /// a key is waiting to sign already or somebody else was faster, or a failure of the service.
    pub async fn rotate_signing_key(
        &self,
        by: Actor,
        rotation: Rotation<'_>,
        origin: Origin,
    ) -> Result<SigningKey, Error> {
        let algorithm = rotation.algorithm.map(parse).transpose()?;
        let stored = self.store.signing_keys().await?;
        let not_now = |message: String| UserError::new(UserErrorCode::Forbidden, INPUT, message);
        let Some(last) = last(&stored) else {
            return Err(not_now("there is no key to rotate yet".to_owned()).into());
        };
        let now = self.now();
        if !rotation.immediately && last.life.state(now) == SigningKeyState::Next {
            return Err(not_now(format!(
                "a new key is published already and signs from {} on; only an emergency does not \
                 wait for that",
                last.life.activates_at.floor_to_second()
            ))
            .into());
        }
        let publication =
            if rotation.immediately { std::time::Duration::ZERO } else { PUBLICATION };
        let algorithm = algorithm.unwrap_or(last.algorithm);
        let (key, kid) = self.keys.make(algorithm, now, now + publication).await?;
        let event = event(by, rotation.immediately, now, origin);
        let order =
            RotateKey { replaces: last.id, key, at: now, removes_others: rotation.immediately };
        if !self.store.rotate_key(order, event).await? {
            const MESSAGE: &str = "somebody else rotated the keys at this moment; see which there \
                                   are before you rotate again";
            return Err(not_now(MESSAGE.to_owned()).into());
        }
        self.keys.read().await?;
        let made = self.key_summaries().await?.into_iter().find(|summary| summary.kid == kid);
        made.ok_or_else(|| not_now("somebody else removed the new key at once".to_owned()).into())
    }
}

impl Keys {
    /// Orders a rotation where the newest key is of another algorithm. Until the new key signs the old
    /// one does. While a rotation is under way nothing is ordered: processes that are started with
    /// different flags must not undo each other's.
    pub(super) async fn turn_to(
        &self,
        algorithm: SigningAlgorithm,
        stored: &[StoredKey],
    ) -> Result<(), KeyError> {
        let now = self.clock.now();
        let Some(last) = last(stored).filter(|key| key.algorithm != algorithm) else {
            return Ok(());
        };
        if last.life.state(now) == SigningKeyState::Next {
            tracing::warn!(
                waiting = last.algorithm.as_str(),
                "a signing key of another algorithm than --algorithm is waiting to sign"
            );
            return Ok(());
        }
        let (key, _) = self.make(algorithm, now, now + PUBLICATION).await?;
        let event = event(Actor::Operator, false, now, Origin::default());
        let order = RotateKey { replaces: last.id, key, at: now, removes_others: false };
        // Where another process was faster, its key is as good.
        if self.store.rotate_key(order, event).await? {
            let algorithm = algorithm.as_str();
            tracing::info!(algorithm, "a signing key of another algorithm signs in ten minutes");
        }
        Ok(())
    }
}

/// The key that no other one follows.
fn last(stored: &[StoredKey]) -> Option<&StoredKey> {
    stored.iter().rfind(|key| key.life.stops_at.is_none())
}

fn parse(algorithm: &str) -> Result<SigningAlgorithm, UserError> {
    SigningAlgorithm::parse(algorithm).ok_or_else(|| {
        let names: Vec<&str> = SigningAlgorithm::ALL.iter().map(|one| one.as_str()).collect();
        let message = format!("an algorithm is one of {}", names.join(", "));
        UserError::new(UserErrorCode::InvalidInput, &["input", "algorithm"], message)
    })
}

fn event(by: Actor, immediately: bool, at: Timestamp, origin: Origin) -> NewEvent {
    NewEvent {
        kind: AuditKind::KeyRotated,
        at,
        user: None,
        actor: by.user_id(),
        session: None,
        origin,
        detail: immediately.then_some("immediately"),
    }
}
