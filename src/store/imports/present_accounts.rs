//! Imported accounts as they are here, by their ids in the other system.

use serde_json::json;
use sqlx::types::Uuid;
use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::domain::external_account::Source;
use crate::domain::id::UserId;
use crate::domain::import::FieldDigests;
use crate::domain::role_names::RoleNames;
use crate::domain::user::{Email, Names, Role, User};
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::imports::field_digests::field_digests;
use crate::store::query::from_row::from_row;
use crate::store::query::rows::{UserRow, user_columns};

/// An account that was imported before.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct PresentAccount {
    pub id: UserId,
    /// Id in the other system.
    pub external_id: String,
    pub names: Names,
    pub is_email_verified: bool,
    pub is_active: bool,
    pub is_deleted: bool,
    pub role: Role,
    pub roles: RoleNames,
    pub last_login_at: Option<Timestamp>,
    /// Whether the password was changed or removed here.
    pub has_own_password: bool,
    /// Digests at the last import: of the record, and of what was written of it.
    pub imported: FieldDigests,
    pub written: FieldDigests,
    /// Digest of the password hash in the record.
    pub password_fingerprint: Option<Vec<u8>>,
}

impl PresentAccount {
    /// Digests of the account as it is now.
    #[must_use]
    pub fn digests(&self) -> FieldDigests {
        let email = (self.names.email().map(Email::as_str), self.is_email_verified);
        let username = self.names.username().as_str();
        field_digests(username, email, self.is_active, self.role, &self.roles)
    }
}

from_row! {
    struct PresentRow {
        #[flatten]
        user: UserRow,
        of_source: String,
        user_id: Uuid,
        has_own_password: bool,
        imported: Vec<u8>,
        written: Vec<u8>,
        password_fingerprint: Option<Vec<u8>>,
    }
}

impl TryFrom<PresentRow> for PresentAccount {
    type Error = Error;

    fn try_from(row: PresentRow) -> Result<Self> {
        let user: User = row.user.try_into()?;
        Ok(Self {
            id: UserId::from_uuid(row.user_id),
            external_id: row.of_source,
            is_email_verified: user.email_verified_at.is_some(),
            is_active: user.is_active(),
            is_deleted: user.is_deleted(),
            names: user.names,
            role: user.role,
            roles: user.roles,
            last_login_at: user.last_login_at,
            has_own_password: row.has_own_password,
            imported: FieldDigests::from_stored(&row.imported),
            written: FieldDigests::from_stored(&row.written),
            password_fingerprint: row.password_fingerprint,
        })
    }
}

macro_rules! select_present {
    ($ids:literal) => {
        concat!(
            "SELECT ",
            user_columns!("password_credentials.changed_at"),
            ", external_accounts.external_id AS of_source, external_accounts.user_id, \
             (password_credentials.changed_at IS NOT NULL \
             OR has_password AND password_credentials.user_id IS NULL) AS has_own_password, \
             imported, written, password_fingerprint FROM external_accounts \
             JOIN users ON users.id = external_accounts.user_id \
             LEFT JOIN password_credentials ON password_credentials.user_id = users.id \
             WHERE source = $1 AND external_accounts.external_id IN (",
            $ids,
            ")"
        )
    };
}

trait SelectPresent {
    const SELECT: &str;
}

impl SelectPresent for SqliteConnection {
    const SELECT: &str = select_present!("SELECT value FROM json_each($2)");
}

impl SelectPresent for PgConnection {
    const SELECT: &str = select_present!("SELECT json_array_elements_text($2::json)");
}

steps! {
    trait PresentAccounts {
        async fn present_rows(&mut self, source: &Source, ids: &str) -> Result<Vec<PresentRow>> {
            Ok(metered::query_as(Self::SELECT)
                .bind(source.as_str().to_owned())
                .bind(ids.to_owned())
                .fetch_all(self)
                .await?)
        }
    }
}

impl Store {
    /// The accounts with these ids in the other system that were imported before.
    pub async fn present_accounts(
        &self,
        source: &Source,
        ids: &[&str],
    ) -> Result<Vec<PresentAccount>> {
        let ids = json!(ids).to_string();
        let rows = read!(self, conn => conn.present_rows(source, &ids).await)?;
        rows.into_iter().map(PresentAccount::try_from).collect()
    }

    /// Whether any account was imported from the source.
    pub async fn has_imported_accounts(&self, source: &Source) -> Result<bool> {
        let found: Option<i32> = read!(self, conn => Ok::<_, Error>(metered::query_scalar(
            "SELECT 1 FROM external_accounts WHERE source = $1 LIMIT 1",
        )
        .bind(source.as_str().to_owned())
        .fetch_optional(conn)
        .await?))?;
        Ok(found.is_some())
    }

    /// A page of the ids of imported accounts, in their order.
    pub async fn imported_ids(
        &self,
        source: &Source,
        after: Option<&str>,
        size: i64,
    ) -> Result<Vec<String>> {
        Ok(read!(self, conn => Ok::<_, Error>(metered::query_scalar(
            "SELECT external_id FROM external_accounts WHERE source = $1 \
             AND ($2 IS NULL OR external_id > $2) ORDER BY external_id LIMIT $3",
        )
        .bind(source.as_str().to_owned())
        .bind(after.map(str::to_owned))
        .bind(size)
        .fetch_all(conn)
        .await?))?)
    }
}
