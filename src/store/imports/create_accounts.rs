//! New accounts of an import, in batches.

use serde_json::{Value, json};
use sqlx::types::Uuid;
use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::crypto::encoding::to_hex;
use crate::crypto::password::PasswordHash;
use crate::domain::id::UserId;
use crate::domain::import::FieldDigests;
use crate::domain::role_names::RoleNames;
use crate::domain::user::{Email, Role, Username};
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::imports::field_digests::field_digests;
use crate::store::imports::source_lease::{CheckLease, ImportLease, LeaseLost};
use crate::store::query::rows::roles_column;

/// An account to be created.
#[derive(Clone, Debug)]
pub struct ImportedAccount {
    pub id: UserId,
    /// Id in the other system.
    pub external_id: String,
    pub username: Username,
    pub email: Option<Email>,
    pub is_email_verified: bool,
    /// `None` for an account that cannot log in by password.
    pub password: Option<PasswordHash>,
    pub password_fingerprint: Option<[u8; 16]>,
    pub is_active: bool,
    pub role: Role,
    pub roles: RoleNames,
    pub created_at: Timestamp,
    pub last_login_at: Option<Timestamp>,
    /// Digests of the record.
    pub imported: FieldDigests,
}

impl ImportedAccount {
    /// The members of the statements below, by letters, since they are repeated for each account.
    fn in_json(&self, now: Timestamp) -> Value {
        let at = |is_so: bool| is_so.then(|| now.as_micros());
        let email = self.email.as_ref().map(Email::as_str);
        let written = field_digests(
            self.username.as_str(),
            (email, self.is_email_verified),
            self.is_active,
            self.role,
            &self.roles,
        );
        let id = self.id.as_uuid().simple().to_string();
        let skeleton = self.username.skeleton();
        let skeleton = (skeleton != self.username.key()).then_some(skeleton);
        json!({
            "u": id,
            "x": self.external_id,
            "n": self.username.as_str(),
            "k": self.username.key(),
            "s": skeleton,
            "e": email,
            "f": self.email.as_ref().map(Email::key),
            "v": at(self.is_email_verified),
            "d": at(!self.is_active),
            "r": self.role.as_str(),
            "o": roles_column(&self.roles),
            "c": self.created_at.as_micros(),
            "l": self.last_login_at.map(Timestamp::as_micros),
            "h": self.password.as_ref().map(|hash| hash.scheme().as_str()),
            "p": self.password.as_ref().map(PasswordHash::as_str),
            "i": to_hex(self.imported.as_bytes()),
            "w": to_hex(written.as_bytes()),
            "m": self.password_fingerprint.map(|digest| to_hex(&digest)),
        })
    }
}

/// The columns of `users` that an import fills.
macro_rules! user_insert {
    () => {
        "INSERT INTO users (id, external_id, username, username_key, username_skeleton, email, \
         email_key, email_verified_at, deactivated_at, role, roles, created_at, last_login_at) "
    };
}

macro_rules! password_insert {
    () => {
        "INSERT INTO password_credentials (user_id, scheme, hash) "
    };
}

macro_rules! account_insert {
    () => {
        "INSERT INTO external_accounts (source, external_id, user_id, imported, written, \
         imported_at, password_fingerprint, has_password) "
    };
}

trait InsertAccounts {
    /// Inserts the accounts of a JSON array whose names are free, and returns their ids.
    fn insert_accounts(
        &mut self,
        accounts: &str,
        source: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Uuid>>> + Send;
}

/// One statement.
impl InsertAccounts for PgConnection {
    async fn insert_accounts(
        &mut self,
        accounts: &str,
        source: &str,
        now: Timestamp,
    ) -> Result<Vec<Uuid>> {
        Ok(metered::query_scalar(concat!(
            "WITH given AS MATERIALIZED (SELECT * FROM json_to_recordset($1::json) AS given \
             (u uuid, x text, n text, k text, s text, e text, f text, v bigint, d bigint, r text, \
             o text, c bigint, l bigint, h text, p text, i text, w text, m text)), made AS (",
            user_insert!(),
            "SELECT u, CASE WHEN (SELECT gives_ids FROM import_sources WHERE source = $2) THEN x END, \
             n, k, COALESCE(s, k), e, f, v, d, r, o, c, l FROM given WHERE NOT EXISTS \
             (SELECT 1 FROM external_accounts WHERE source = $2 AND external_id = x) \
             ON CONFLICT DO NOTHING RETURNING id), hashes AS (",
            password_insert!(),
            "SELECT u, h, p FROM given JOIN made ON made.id = u WHERE p IS NOT NULL) ",
            account_insert!(),
            "SELECT $2, x, u, decode(i, 'hex'), decode(w, 'hex'), $3, decode(m, 'hex'), \
             p IS NOT NULL FROM given JOIN made ON made.id = u RETURNING user_id",
        ))
        .bind(accounts.to_owned())
        .bind(source.to_owned())
        .bind(now.as_micros())
        .fetch_all(self)
        .await?)
    }
}

/// SQLite has no writes in `WITH`.
impl InsertAccounts for SqliteConnection {
    async fn insert_accounts(
        &mut self,
        accounts: &str,
        source: &str,
        now: Timestamp,
    ) -> Result<Vec<Uuid>> {
        let made: Vec<Uuid> = metered::query_scalar(concat!(
            user_insert!(),
            "SELECT unhex(value ->> 'u'), CASE WHEN \
             (SELECT gives_ids FROM import_sources WHERE source = $2) THEN value ->> 'x' END, \
             value ->> 'n', value ->> 'k', \
             COALESCE(value ->> 's', value ->> 'k'), value ->> 'e', value ->> 'f', value ->> 'v', \
             value ->> 'd', value ->> 'r', value ->> 'o', value ->> 'c', value ->> 'l' \
             FROM json_each($1) WHERE NOT EXISTS (SELECT 1 FROM external_accounts \
             WHERE source = $2 AND external_id = value ->> 'x') ON CONFLICT DO NOTHING RETURNING id",
        ))
        .bind(accounts.to_owned())
        .bind(source.to_owned())
        .fetch_all(&mut *self)
        .await?;
        // The others were here before, as after a batch that is written again.
        let new: Vec<String> = made.iter().map(|id| id.simple().to_string()).collect();
        let new = json!(new).to_string();
        metered::query(concat!(
            password_insert!(),
            "SELECT unhex(value ->> 'u'), value ->> 'h', value ->> 'p' FROM json_each($1) \
             WHERE value ->> 'p' IS NOT NULL AND value ->> 'u' IN (SELECT value FROM json_each($2))",
        ))
        .bind(accounts.to_owned())
        .bind(new.clone())
        .execute(&mut *self)
        .await?;
        metered::query(concat!(
            account_insert!(),
            "SELECT $2, value ->> 'x', unhex(value ->> 'u'), unhex(value ->> 'i'), \
             unhex(value ->> 'w'), $3, unhex(value ->> 'm'), value ->> 'p' IS NOT NULL FROM json_each($1) \
             WHERE value ->> 'u' IN (SELECT value FROM json_each($4))",
        ))
        .bind(accounts.to_owned())
        .bind(source.to_owned())
        .bind(now.as_micros())
        .bind(new)
        .execute(self)
        .await?;
        Ok(made)
    }
}

impl Store {
    /// Creates accounts, except those that are here already and those of which another account took a name.
    /// Returns the ids of the created ones.
    pub async fn create_imported(
        &self,
        lease: ImportLease,
        accounts: &[ImportedAccount],
        now: Timestamp,
    ) -> Result<Result<Vec<UserId>, LeaseLost>> {
        let accounts: Vec<Value> = accounts.iter().map(|account| account.in_json(now)).collect();
        let accounts = Value::Array(accounts).to_string();
        transact!(self, conn => {
            if !conn.holds_lease(&lease).await? {
                return Ok(Err(LeaseLost));
            }
            let made = conn.insert_accounts(&accounts, lease.source.as_str(), now).await?;
            Ok(Ok(made.into_iter().map(UserId::from_uuid).collect()))
        })
    }
}
