//! Changes of accounts that were imported before.
//!
//! Each change is a conditional statement: it takes place only if the account still is as it was when the change
//! was decided.

use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::crypto::password::PasswordHash;
use crate::domain::id::UserId;
use crate::domain::import::FieldDigests;
use crate::domain::role_names::RoleNames;
use crate::domain::user::{Email, Names};
use crate::store::backend::metered;
use crate::store::credentials::Passwords;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::imports::source_lease::{CheckLease, ImportLease, LeaseLost};
use crate::store::query::rows::roles_column;
use crate::store::session_ends::end_all::{EndAll, Ending};
use crate::store::session_ends::end_order::{EndSessions, Scope};

/// A changed account.
#[derive(Clone, Debug)]
pub struct ChangedAccount {
    pub id: UserId,
    /// Id in the other system.
    pub external_id: String,
    /// Names that the account must still have, and whether its address must still be verified.
    pub current: (Names, bool),
    /// Names afterwards, and whether the address is verified.
    pub names: (Names, bool),
    pub roles: RoleNames,
    /// The new password, `Some(None)` for none; `None` keeps it.
    pub password: Option<Option<PasswordHash>>,
    pub password_fingerprint: Option<Vec<u8>>,
    pub last_login_at: Option<Timestamp>,
    pub imported: FieldDigests,
    pub written: FieldDigests,
}

trait PasswordLock {
    const LOCK_PASSWORD: &str;
}

macro_rules! select_password {
    ($lock:literal) => {
        concat!("SELECT changed_at IS NOT NULL FROM password_credentials WHERE user_id = $1", $lock)
    };
}

/// SQLite has one writer at a time.
impl PasswordLock for SqliteConnection {
    const LOCK_PASSWORD: &str = select_password!("");
}

impl PasswordLock for PgConnection {
    const LOCK_PASSWORD: &str = select_password!(" FOR UPDATE");
}

steps! {
    trait ChangeAccounts {
        /// Sets names, roles and the last login, if the names are as they were and the new ones are free.
        async fn change_imported_user(
            &mut self,
            change: &ChangedAccount,
            now: Timestamp,
        ) -> Result<bool> {
            let ((current, was_verified), (names, is_verified)) = (&change.current, &change.names);
            let text = |email: Option<&Email>| email.map(|email| email.as_str().to_owned());
            let done = metered::query(
                "UPDATE users SET username = $2, username_key = $3, username_skeleton = $4, \
                 email = $5, email_key = $6, email_verified_at = CASE WHEN NOT $7 THEN NULL \
                 WHEN $8 THEN email_verified_at ELSE $9 END, roles = $10, \
                 last_login_at = CASE WHEN last_login_at > $11 OR $11 IS NULL THEN last_login_at \
                 ELSE $11 END \
                 WHERE id = $1 AND deleted_at IS NULL AND username = $12 \
                 AND COALESCE(email, '') = $13 AND (email_verified_at IS NOT NULL) = $14 \
                 AND NOT EXISTS (SELECT 1 FROM users AS other WHERE other.id <> $1 \
                 AND (other.username_key = $3 OR other.username_skeleton = $4)) \
                 AND NOT EXISTS (SELECT 1 FROM users AS other WHERE other.id <> $1 \
                 AND other.email_key = $6)",
            )
            .bind(change.id.as_uuid())
            .bind(names.username().as_str())
            .bind(names.username().key())
            .bind(names.username().skeleton())
            .bind(text(names.email()))
            .bind(names.email().map(|email| email.key().to_owned()))
            .bind(*is_verified)
            .bind(*was_verified && text(current.email()) == text(names.email()))
            .bind(now.as_micros())
            .bind(roles_column(&change.roles))
            .bind(change.last_login_at.map(Timestamp::as_micros))
            .bind(current.username().as_str())
            .bind(text(current.email()).unwrap_or_default())
            .bind(*was_verified)
            .execute(self)
            .await?;
            Ok(done.rows_affected() > 0)
        }

        /// Whether the password is still the one that the last import left: neither changed here nor removed.
        /// Locks it, as logins do before they lock the account.
        async fn lock_imported_password(&mut self, user: UserId) -> Result<bool> {
            let found: Option<bool> = metered::query_scalar(Self::LOCK_PASSWORD)
                .bind(user.as_uuid())
                .fetch_optional(&mut *self)
                .await?;
            if let Some(is_changed) = found {
                return Ok(!is_changed);
            }
            let had: Option<bool> = metered::query_scalar(
                "SELECT has_password FROM external_accounts WHERE user_id = $1",
            )
            .bind(user.as_uuid())
            .fetch_optional(self)
            .await?;
            Ok(had == Some(false))
        }

        /// Replaces the password, with which no device is trusted any more. Call [`ChangeAccounts::lock_imported_password`] first.
        async fn replace_imported_password(
            &mut self,
            user: UserId,
            hash: Option<&PasswordHash>,
        ) -> Result<()> {
            metered::query("DELETE FROM trusted_devices WHERE user_id = $1")
                .bind(user.as_uuid())
                .execute(&mut *self)
                .await?;
            let Some(hash) = hash else { return self.delete_password(user).await };
            let done = metered::query(
                "INSERT INTO password_credentials (user_id, scheme, hash) VALUES ($1, $2, $3) \
                 ON CONFLICT (user_id) DO UPDATE SET scheme = excluded.scheme, hash = excluded.hash \
                 WHERE password_credentials.changed_at IS NULL",
            )
            .bind(user.as_uuid())
            .bind(hash.scheme().as_str())
            .bind(hash.as_str())
            .execute(self)
            .await?;
            // An account without a password got its own one meanwhile.
            if done.rows_affected() == 0 { Err(Error::LostRace) } else { Ok(()) }
        }

        async fn note_imported(
            &mut self,
            source: &str,
            change: &ChangedAccount,
            now: Timestamp,
        ) -> Result<()> {
            metered::query(
                "UPDATE external_accounts SET imported = $3, written = $4, imported_at = $5, \
                 password_fingerprint = $6, has_password = COALESCE($7, has_password) \
                 WHERE source = $1 AND external_id = $2",
            )
            .bind(source.to_owned())
            .bind(change.external_id.clone())
            .bind(change.imported.as_bytes().to_vec())
            .bind(change.written.as_bytes().to_vec())
            .bind(now.as_micros())
            .bind(change.password_fingerprint.clone())
            .bind(change.password.as_ref().map(Option::is_some))
            .execute(self)
            .await?;
            Ok(())
        }
    }
}

/// What came of a batch of changes.
#[derive(Clone, Debug, Default)]
pub struct ImportedChanges {
    /// Accounts that are not as they were any more, and stay as they are.
    pub refused: Vec<UserId>,
    /// The sessions that ended, since their user has another password.
    pub ended: Vec<(UserId, Ending)>,
}

impl Store {
    /// Changes accounts. Where the hash is another one, the sessions end by `end`, with the scope of each. Refresh
    /// tokens of the other system stay as they are: whether a new password ends them is for that system to say, and
    /// a hash that it renewed at a login is of the same password.
    pub async fn change_imported(
        &self,
        lease: ImportLease,
        changes: Vec<ChangedAccount>,
        end: EndSessions,
    ) -> Result<Result<ImportedChanges, LeaseLost>> {
        transact!(self, conn => {
            if !conn.holds_lease(&lease).await? {
                return Ok(Err(LeaseLost));
            }
            let mut done = ImportedChanges::default();
            for change in &changes {
                let id = change.id;
                // Nothing of a change that is refused is written. The credential is locked before the account, as
                // everywhere.
                if change.password.is_some() && !conn.lock_imported_password(id).await?
                    || conn.lock_user(id).await?.is_none()
                    || !conn.change_imported_user(change, end.at).await?
                {
                    done.refused.push(id);
                    continue;
                }
                conn.note_imported(lease.source.as_str(), change, end.at).await?;
                let Some(hash) = &change.password else { continue };
                conn.replace_imported_password(id, hash.as_ref()).await?;
                let end = EndSessions { scope: Scope::User(id), ..end.clone() };
                done.ended.push((id, conn.end_sessions_only(&end).await?));
            }
            Ok(Ok(done))
        })
    }
}
