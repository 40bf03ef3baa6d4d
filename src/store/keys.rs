//! Signing keys, sealed.
//!
//! Rule: one key at most has no successor, and an index holds it. A rotation gives it one in a
//! conditional update, so of two at once one finds nothing to do. What destroys a private part is
//! never undone by what seals it anew.

use std::time::Duration;

use super::audit::{Audit, NewEvent};
use super::feed::CHANNEL;
use super::{Error, Result, Store, counted};
use crate::clock::Timestamp;
use crate::crypto::algorithm::SigningAlgorithm;
use crate::domain::id::KeyId;
use crate::domain::key_life::KeyLife;

/// A signing key as a row holds it.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// Its row's id.
    pub id: KeyId,
    /// Its thumbprint.
    pub kid: String,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// The private part, sealed with the master secret; nothing where it was destroyed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it does what.
    pub life: KeyLife,
}

/// What of a key a process acts on, less the key: where these are as they were, nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMark {
    /// Its thumbprint.
    pub kid: String,
    /// When it does what.
    pub life: KeyLife,
}

/// An order to put a key in another one's place.
#[derive(Clone, Debug)]
pub struct RotateKey {
    /// The key without a successor, as whoever orders has seen it.
    pub replaces: KeyId,
    /// The new key. How long its tokens live it takes from the other.
    pub key: StoredKey,
    /// Now.
    pub at: Timestamp,
    /// Whether every other key is removed, with its tokens; else the one that is replaced must sign
    /// already.
    pub removes_others: bool,
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    id: sqlx::types::Uuid,
    algorithm: String,
    sealed_private: Vec<u8>,
    created_at: i64,
    #[sqlx(flatten)]
    mark: MarkRow,
}

#[derive(sqlx::FromRow)]
pub(super) struct MarkRow {
    kid: String,
    activates_at: i64,
    retired_at: Option<i64>,
    token_lifetime: i64,
    is_destroyed: bool,
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

impl TryFrom<KeyRow> for StoredKey {
    type Error = Error;

    fn try_from(row: KeyRow) -> Result<Self> {
        let KeyMark { kid, life } = row.mark.into();
        Ok(Self {
            id: KeyId::from_uuid(row.id),
            kid,
            algorithm: SigningAlgorithm::parse(&row.algorithm)
                .ok_or(Error::unreadable("algorithm"))?,
            sealed: row.sealed_private,
            created_at: Timestamp::from_micros(row.created_at),
            life,
        })
    }
}

/// The columns of a [`MarkRow`].
macro_rules! mark {
    () => {
        "kid, activates_at, retired_at, token_lifetime, \
         length(sealed_private) = 0 AS is_destroyed"
    };
}

/// What [`KeyMark`]s are read by, without parameters, which every pooler understands.
pub(super) const MARKS: &str =
    concat!("SELECT ", mark!(), " FROM signing_keys ORDER BY created_at, activates_at, id");

steps! {
    /// The steps of transactions that change keys.
    trait KeySteps {
        /// Adds a key, unless there is one without a successor.
        async fn add_key(&mut self, key: &StoredKey, token_lifetime: i64) -> Result<bool> {
            let added = counted::query(
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

        /// Gives a key a successor, if it has none and signs since `signs_since`; returns how long
        /// its tokens live.
        async fn succeed_key(&mut self, id: KeyId, at: Timestamp, signs_since: i64)
            -> Result<Option<i64>> {
            Ok(counted::query_scalar(
                "UPDATE signing_keys SET retired_at = $1 \
                 WHERE id = $2 AND retired_at IS NULL AND activates_at <= $3 \
                 RETURNING token_lifetime",
            )
            .bind(at.as_micros())
            .bind(id.as_uuid())
            .bind(signs_since)
            .fetch_optional(self)
            .await?)
        }

        /// Removes every key but one: nothing that they signed is accepted any more.
        async fn remove_other_keys(&mut self, id: KeyId, at: Timestamp) -> Result<()> {
            let nothing: &[u8] = &[];
            counted::query(
                "UPDATE signing_keys SET sealed_private = $1, token_lifetime = 0, \
                 retired_at = CASE WHEN retired_at < $2 THEN retired_at ELSE $2 END \
                 WHERE id <> $3 AND length(sealed_private) > 0",
            )
            .bind(nothing)
            .bind(at.as_micros())
            .bind(id.as_uuid())
            .execute(self)
            .await?;
            Ok(())
        }
    }
}

/// Wakes the feeds of other processes, once the transaction is committed.
trait Wake {
    fn wake_feeds(&mut self) -> impl Future<Output = Result<()>> + Send;
}

impl Wake for sqlx::PgConnection {
    async fn wake_feeds(&mut self) -> Result<()> {
        counted::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(self).await?;
        Ok(())
    }
}

impl Wake for sqlx::SqliteConnection {
    /// There is nothing to wake them by: they look every second.
    async fn wake_feeds(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Store {
    /// All keys, the oldest first.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn signing_keys(&self) -> Result<Vec<StoredKey>> {
        let rows: Vec<KeyRow> = read!(self, conn => Ok::<_, Error>(counted::query_as(concat!(
            "SELECT id, algorithm, sealed_private, created_at, ",
            mark!(),
            " FROM signing_keys ORDER BY created_at, activates_at, id"
        ))
        .fetch_all(conn)
        .await?))?;
        rows.into_iter().map(StoredKey::try_from).collect()
    }

    /// Adds the first key. Of processes that start at once on an empty database one adds its key, and
    /// all sign with that.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn add_first_key(&self, key: StoredKey) -> Result<bool> {
        transact!(self, conn => {
            let lifetime = i64::try_from(key.life.token_lifetime.as_micros()).unwrap_or(i64::MAX);
            conn.add_key(&key, lifetime).await
        })
    }

    /// Puts a key in another one's place, at the moment from which on it signs; `false` where
    /// somebody else was faster, or the other one does not sign yet.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn rotate_key(&self, order: RotateKey, event: NewEvent) -> Result<bool> {
        transact!(self, conn => {
            let RotateKey { replaces, key, at, removes_others } = order;
            let signs_since = if removes_others { i64::MAX } else { at.as_micros() };
            let lifetime = conn.succeed_key(replaces, key.life.activates_at, signs_since).await?;
            let Some(lifetime) = lifetime else { return Ok(false) };
            if !conn.add_key(&key, lifetime).await? {
                return Err(Error::unreadable("signing key without a successor"));
            }
            if removes_others {
                conn.remove_other_keys(key.id, at).await?;
            }
            conn.write_down(&event).await?;
            conn.wake_feeds().await?;
            Ok(true)
        })
    }

    /// Notes, of every key that has yet to sign, that its tokens live as long as this or longer.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn note_token_lifetime(&self, lifetime: Duration, now: Timestamp) -> Result<()> {
        transact!(self, conn => {
            counted::query(
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

    /// Seals a key anew, if it still is as it was read: one that was destroyed stays so.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn reseal_key(&self, id: KeyId, old: Vec<u8>, new: Vec<u8>) -> Result<()> {
        transact!(self, conn => {
            counted::query(
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
