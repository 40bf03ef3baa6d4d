//! What the database knows of a refresh token of another system.

use sqlx::types::Uuid;
use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::domain::external_account::{ExternalId, ForeignTokenId, Source};
use crate::domain::foreign_token::{ForeignTokenOwner, ForeignTokenRecord, PasswordFingerprint};
use crate::domain::id::{SessionId, UserId};
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::from_row::from_row;

/// A token of an imported account.
#[derive(Clone, Debug)]
pub struct KnownForeignToken {
    pub owner: ForeignTokenOwner,
    /// `None`: the import does not name it.
    pub record: Option<ForeignTokenRecord>,
}

from_row! {
    pub(in crate::store) struct KnownRow {
        user_id: Uuid,
        deactivated_at: Option<i64>,
        password_fingerprint: Option<Vec<u8>>,
        user_ended_at: Option<i64>,
        all_ended_at: Option<i64>,
        jti: Option<String>,
        external_id: Option<String>,
        created_at: Option<i64>,
        blacklisted_at: Option<i64>,
        session_id: Option<Uuid>,
        exchanged_at: Option<i64>,
    }
}

impl TryFrom<KnownRow> for KnownForeignToken {
    type Error = Error;

    fn try_from(row: KnownRow) -> Result<Self> {
        let fingerprint = row.password_fingerprint.map(|bytes| {
            let bytes = bytes.try_into().map_err(|_| Error::unreadable("fingerprint"))?;
            Ok::<_, Error>(PasswordFingerprint(bytes))
        });
        let owner = ForeignTokenOwner {
            user: UserId::from_uuid(row.user_id),
            is_active: row.deactivated_at.is_none(),
            password: fingerprint.transpose()?,
            ended_at: row.user_ended_at.max(row.all_ended_at).map(Timestamp::from_micros),
        };
        let session = row.session_id.map(SessionId::from_uuid);
        let record = row.jti.map(|_| ForeignTokenRecord {
            external_id: row.external_id.map(ExternalId::from_stored),
            created_at: row.created_at.map(Timestamp::from_micros),
            blacklisted_at: row.blacklisted_at.map(Timestamp::from_micros),
            exchange: session.zip(row.exchanged_at.map(Timestamp::from_micros)),
        });
        Ok(Self { owner, record })
    }
}

/// The token `$2` of the account `$3` of the system `$1`. A row of the account's source is there since its import.
macro_rules! select_known {
    () => {
        "SELECT external_accounts.user_id, users.deactivated_at, \
         external_accounts.password_fingerprint, \
         external_accounts.tokens_ended_at AS user_ended_at, \
         import_sources.tokens_ended_at AS all_ended_at, foreign_tokens.jti, \
         foreign_tokens.external_id, foreign_tokens.created_at, foreign_tokens.blacklisted_at, \
         foreign_tokens.session_id, foreign_tokens.exchanged_at \
         FROM external_accounts JOIN users ON users.id = external_accounts.user_id \
         JOIN import_sources ON import_sources.source = external_accounts.source \
         LEFT JOIN foreign_tokens ON foreign_tokens.source = $1 AND foreign_tokens.jti = $2 \
         WHERE external_accounts.source = $1 AND external_accounts.external_id = $3"
    };
}

trait KnownSql {
    const LOCKED: &str;
}

/// SQLite has one writer at a time.
impl KnownSql for SqliteConnection {
    const LOCKED: &str = select_known!();
}

impl KnownSql for PgConnection {
    // The account by the weakest lock, which only a deletion waits for: it is locked before the others by every
    // transaction. Ends of all sessions wait for the other two.
    const LOCKED: &str = concat!(
        select_known!(),
        " FOR KEY SHARE OF users FOR NO KEY UPDATE OF external_accounts FOR SHARE OF import_sources"
    );
}

steps! {
    pub(in crate::store) trait KnownForeignTokens {
        /// The token, with locks against ends of all sessions until the transaction ends.
        async fn lock_foreign_token(
            &mut self,
            source: &Source,
            id: &ForeignTokenId,
            external_id: &ExternalId,
        ) -> Result<Option<KnownForeignToken>> {
            let row: Option<KnownRow> = metered::query_as(Self::LOCKED)
                .bind(source.as_str())
                .bind(id.as_str())
                .bind(external_id.as_str())
                .fetch_optional(self)
                .await?;
            row.map(KnownForeignToken::try_from).transpose()
        }
    }
}

impl Store {
    /// `None` if no account was imported with this id.
    pub async fn foreign_token(
        &self,
        source: &Source,
        id: &ForeignTokenId,
        external_id: &ExternalId,
    ) -> Result<Option<KnownForeignToken>> {
        let row: Option<KnownRow> = read!(self, conn => Ok::<_, Error>(
            metered::query_as(select_known!())
                .bind(source.as_str())
                .bind(id.as_str())
                .bind(external_id.as_str())
                .fetch_optional(conn)
                .await?
        ))?;
        row.map(KnownForeignToken::try_from).transpose()
    }
}
