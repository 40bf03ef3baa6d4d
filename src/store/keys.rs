//! Signing keys, encrypted with the master secret.
//!
//! At most one key has no successor; a unique index ensures it. A rotation sets the successor by a
//! conditional update, so of two concurrent rotations one changes nothing. Re-encryption never restores
//! a private key that was destroyed.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::crypto::algorithm::SigningAlgorithm;
use crate::domain::id::KeyId;
use crate::domain::key_life::KeyLife;
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::backend::notify::Notify;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::from_row::from_row;

#[derive(Clone, Debug)]
pub struct StoredKey {
    pub id: KeyId,
    /// JWK thumbprint (RFC 7638).
    pub kid: String,
    pub algorithm: StoredAlgorithm,
    /// The private key, encrypted with the master secret; empty once it was destroyed.
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
    pub life: KeyLife,
}

/// Algorithm of a stored key. One of a newer version keeps the word of its row, so that the other keys can
/// be read and the key can be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredAlgorithm {
    Known(SigningAlgorithm),
    Unknown(String),
}

impl StoredAlgorithm {
    /// `None` for an algorithm of a newer version.
    #[must_use]
    pub fn known(&self) -> Option<SigningAlgorithm> {
        match self {
            Self::Known(algorithm) => Some(*algorithm),
            Self::Unknown(_) => None,
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(algorithm) => algorithm.as_str(),
            Self::Unknown(word) => word,
        }
    }
}

impl From<SigningAlgorithm> for StoredAlgorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        Self::Known(algorithm)
    }
}

impl From<String> for StoredAlgorithm {
    fn from(word: String) -> Self {
        SigningAlgorithm::parse(&word).map_or(Self::Unknown(word), Self::Known)
    }
}

/// The part of a key that the feed compares: as long as all marks are unchanged, so are the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMark {
    /// JWK thumbprint (RFC 7638).
    pub kid: String,
    pub life: KeyLife,
}

#[derive(Clone, Debug)]
pub struct RotateKey {
    /// The key without a successor that the caller read.
    pub replaces: KeyId,
    /// The new key. It takes over the token lifetime of the replaced one.
    pub key: StoredKey,
    pub at: Timestamp,
    /// Whether all other keys are destroyed, and their tokens refused. Otherwise the replaced key must be
    /// active already.
    pub removes_others: bool,
}

from_row! {
    struct KeyRow {
        id: sqlx::types::Uuid,
        algorithm: String,
        sealed_private: Vec<u8>,
        created_at: i64,
        #[flatten]
        mark: MarkRow,
    }
}

from_row! {
    pub(in crate::store) struct MarkRow {
        kid: String,
        activates_at: i64,
        retired_at: Option<i64>,
        token_lifetime: i64,
        is_destroyed: bool,
    }
}

impl From<MarkRow> for KeyMark {
    fn from(row: MarkRow) -> Self {
        let life = KeyLife {
            activates_at: Timestamp::from_micros(row.activates_at),
            stops_at: row.retired_at.map(Timestamp::from_micros),
            token_lifetime: Duration::from_micros(row.token_lifetime.unsigned_abs()),
            is_destroyed: row.is_destroyed,
        };
        Self { kid: row.kid, life }
    }
}

impl From<KeyRow> for StoredKey {
    fn from(row: KeyRow) -> Self {
        let KeyMark { kid, life } = row.mark.into();
        Self {
            id: KeyId::from_uuid(row.id),
            kid,
            algorithm: row.algorithm.into(),
            sealed: row.sealed_private,
            created_at: Timestamp::from_micros(row.created_at),
            life,
        }
    }
}

/// Columns of a [`MarkRow`].
macro_rules! mark {
    () => {
        "kid, activates_at, retired_at, token_lifetime, \
         length(sealed_private) = 0 AS is_destroyed"
    };
}

/// Reads all marks. Without parameters, so that every pooler supports it.
pub(in crate::store) const MARKS: &str =
    concat!("SELECT ", mark!(), " FROM signing_keys ORDER BY created_at, activates_at, id");

steps! {
    trait KeySteps {
        /// Returns `false` if there is a key without a successor.
        async fn add_key(&mut self, key: &StoredKey, token_lifetime: i64) -> Result<bool> {
            let added = metered::query(
                "INSERT INTO signing_keys (id, kid, algorithm, sealed_private, created_at, \
                 activates_at, token_lifetime) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(key.id.as_uuid())
            .bind(&key.kid)
            .bind(key.algorithm.as_str())
            .bind(&key.sealed)
            .bind(key.created_at.as_micros())
            .bind(key.life.activates_at.as_micros())
            .bind(token_lifetime)
            .execute(self)
            .await?;
            Ok(added.rows_affected() == 1)
        }

        /// Retires a key, if it has no successor and is active since `active_since`; returns its token
        /// lifetime.
        async fn retire_key(&mut self, id: KeyId, at: Timestamp, active_since: i64)
            -> Result<Option<i64>> {
            Ok(metered::query_scalar(
                "UPDATE signing_keys SET retired_at = $1 \
                 WHERE id = $2 AND retired_at IS NULL AND activates_at <= $3 \
                 RETURNING token_lifetime",
            )
            .bind(at.as_micros())
            .bind(id.as_uuid())
            .bind(active_since)
            .fetch_optional(self)
            .await?)
        }

        /// Destroys every key but one, and has their tokens refused.
        async fn destroy_other_keys(&mut self, id: KeyId, at: Timestamp) -> Result<()> {
            let empty: &[u8] = &[];
            metered::query(
                "UPDATE signing_keys SET sealed_private = $1, token_lifetime = 0, \
                 retired_at = CASE WHEN retired_at < $2 THEN retired_at ELSE $2 END \
                 WHERE id <> $3 AND length(sealed_private) > 0",
            )
            .bind(empty)
            .bind(at.as_micros())
            .bind(id.as_uuid())
            .execute(self)
            .await?;
            Ok(())
        }
    }
}

impl Store {
    /// Oldest first.
    pub async fn signing_keys(&self) -> Result<Vec<StoredKey>> {
        let rows: Vec<KeyRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT id, algorithm, sealed_private, created_at, ",
            mark!(),
            " FROM signing_keys ORDER BY created_at, activates_at, id"
        ))
        .fetch_all(conn)
        .await?))?;
        Ok(rows.into_iter().map(StoredKey::from).collect())
    }

    /// Adds the first key. Of processes that start at once on an empty database one adds its key, and all
    /// sign with it.
    pub async fn add_first_key(&self, key: StoredKey) -> Result<bool> {
        transact!(self, conn => {
            let lifetime = i64::try_from(key.life.token_lifetime.as_micros()).unwrap_or(i64::MAX);
            conn.add_key(&key, lifetime).await
        })
    }

    /// Replaces a key at the activation time of the new one. `false` if another rotation was faster, or
    /// the replaced key is not active yet.
    pub async fn rotate_key(&self, order: RotateKey, event: NewEvent) -> Result<bool> {
        transact!(self, conn => {
            let RotateKey { replaces, key, at, removes_others } = order;
            let active_since = if removes_others { i64::MAX } else { at.as_micros() };
            let lifetime = conn.retire_key(replaces, key.life.activates_at, active_since).await?;
            let Some(lifetime) = lifetime else { return Ok(false) };
            if !conn.add_key(&key, lifetime).await? {
                return Err(Error::unreadable("signing key without a successor"));
            }
            if removes_others {
                conn.destroy_other_keys(key.id, at).await?;
            }
            conn.record_event(&event).await?;
            conn.notify_feeds().await?;
            Ok(true)
        })
    }

    /// Raises the recorded token lifetime of every key that is not retired yet.
    pub async fn raise_token_lifetime(&self, lifetime: Duration, now: Timestamp) -> Result<()> {
        transact!(self, conn => {
            metered::query(
                "UPDATE signing_keys SET token_lifetime = $1 WHERE token_lifetime < $1 \
                 AND (retired_at IS NULL OR retired_at > $2) AND length(sealed_private) > 0",
            )
            .bind(i64::try_from(lifetime.as_micros()).unwrap_or(i64::MAX))
            .bind(now.as_micros())
            .execute(conn)
            .await?;
            Ok(())
        })
    }

    /// Re-encrypts a private key, if it is still `old`: a destroyed key stays destroyed.
    pub async fn reseal_key(&self, id: KeyId, old: Vec<u8>, new: Vec<u8>) -> Result<()> {
        transact!(self, conn => {
            metered::query(
                "UPDATE signing_keys SET sealed_private = $1 WHERE id = $2 AND sealed_private = $3",
            )
            .bind(new)
            .bind(id.as_uuid())
            .bind(old)
            .execute(conn)
            .await?;
            Ok(())
        })
    }
}
