//! Pages of accounts and sessions for the way back to another system.

use sqlx::types::Uuid;

use crate::clock::Timestamp;
use crate::crypto::password::{PasswordHash, PasswordScheme};
use crate::domain::external_account::Source;
use crate::domain::id::{TokenId, UserId};
use crate::domain::import::FieldDigests;
use crate::domain::user::User;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::floor_sql::below_a_floor;
use crate::store::query::from_row::from_row;
use crate::store::query::rows::{UserRow, user_columns};

/// An account, and what was written of it at the last import from a source.
#[derive(Clone, Debug)]
pub struct ExportedAccount {
    pub user: User,
    /// `None` without a password, or with one of an unknown scheme.
    pub password: Option<PasswordHash>,
    /// Whether the last import left it with a password that was removed here.
    pub has_lost_password: bool,
    /// Id in the other system and digests of its fields; `None` for an account that was made here.
    pub imported: Option<(String, FieldDigests)>,
}

/// The outstanding refresh token of a live session.
#[derive(Clone, Debug)]
pub struct ExportedSession {
    pub token_id: TokenId,
    /// Id in the other system.
    pub external_id: Option<String>,
    pub username: String,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

from_row! {
    struct ExportedRow {
        #[flatten]
        user: UserRow,
        scheme: Option<String>,
        hash: Option<String>,
        of_source: Option<String>,
        has_password: Option<bool>,
        written: Option<Vec<u8>>,
    }
}

impl TryFrom<ExportedRow> for ExportedAccount {
    type Error = Error;

    fn try_from(row: ExportedRow) -> Result<Self> {
        let has_lost_password = row.has_password == Some(true) && row.scheme.is_none();
        let scheme = row.scheme.and_then(|scheme| PasswordScheme::parse(&scheme));
        let password = scheme.zip(row.hash);
        let imported = row.of_source.zip(row.written);
        Ok(Self {
            user: row.user.try_into()?,
            password: password.and_then(|(scheme, hash)| PasswordHash::parse(scheme, &hash)),
            has_lost_password,
            imported: imported.map(|(id, written)| (id, FieldDigests::from_stored(&written))),
        })
    }
}

impl Store {
    /// A page of accounts in the order of their ids. Deleted ones are among them only if they were imported.
    pub async fn exported_accounts(
        &self,
        source: &Source,
        after: UserId,
        size: i64,
    ) -> Result<Vec<ExportedAccount>> {
        let rows: Vec<ExportedRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT ", user_columns!("password_credentials.changed_at"), ", scheme, hash, \
             external_accounts.external_id AS of_source, has_password, written FROM users \
             LEFT JOIN password_credentials ON password_credentials.user_id = users.id \
             LEFT JOIN external_accounts ON external_accounts.user_id = users.id AND source = $1 \
             WHERE users.id > $2 AND (deleted_at IS NULL OR external_accounts.user_id IS NOT NULL) \
             ORDER BY users.id LIMIT $3"
        ))
        .bind(source.as_str().to_owned())
        .bind(after.as_uuid())
        .bind(size)
        .fetch_all(conn)
        .await?))?;
        rows.into_iter().map(ExportedAccount::try_from).collect()
    }

    /// A page of live sessions of active accounts, in the order of their ids; the second value is the id of
    /// the last one. Without those whose clients have only a token of the other system, as in
    /// [`Store::exported_token_ends`].
    pub async fn exported_sessions(
        &self,
        source: &Source,
        after: Uuid,
        (now, keeps_tokens): (Timestamp, bool),
        size: i64,
    ) -> Result<(Vec<ExportedSession>, Uuid)> {
        type Row = (Uuid, Uuid, Option<String>, String, i64, i64);
        let rows: Vec<Row> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT sessions.id, token_id, external_accounts.external_id, username, token_issued_at, \
             token_expires_at FROM sessions JOIN users ON users.id = sessions.user_id \
             LEFT JOIN external_accounts ON external_accounts.user_id = users.id AND source = $1 \
             WHERE sessions.id > $2 AND ended_at IS NULL AND token_expires_at > $3 \
             AND deactivated_at IS NULL AND NOT ",
            below_a_floor!("sessions.id", "sessions.user_id"),
            " AND NOT ($5 AND generation = 0 AND EXISTS (SELECT 1 FROM foreign_tokens \
             WHERE session_id = sessions.id AND foreign_tokens.source = $1)) \
             ORDER BY sessions.id LIMIT $4"
        ))
        .bind(source.as_str().to_owned())
        .bind(after)
        .bind(now.as_micros())
        .bind(size)
        .bind(keeps_tokens)
        .fetch_all(conn)
        .await?))?;
        let last = rows.last().map_or(after, |row| row.0);
        let session =
            |(_, token, external_id, username, issued_at, expires_at): Row| ExportedSession {
                token_id: TokenId::from_uuid(token),
                external_id,
                username,
                issued_at: Timestamp::from_micros(issued_at),
                expires_at: Timestamp::from_micros(expires_at),
            };
        Ok((rows.into_iter().map(session).collect(), last))
    }

    /// A page of tokens of the other system that are dead here and have not expired: their `jti`, since when they
    /// are, and when they expire. They were blacklisted or exchanged, or they are of a deleted account or of one
    /// whose sessions were all ended later. With `keeps_tokens` the system does not replace its refresh tokens: a
    /// token lives as long as the session that it was exchanged for, until that is refreshed by a token of its own.
    pub async fn exported_token_ends(
        &self,
        source: &Source,
        after: &str,
        (now, keeps_tokens): (Timestamp, bool),
        size: i64,
    ) -> Result<Vec<(String, Timestamp, Timestamp)>> {
        let rows: Vec<(String, i64, i64)> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT jti, COALESCE(blacklisted_at, exchanged_at, deleted_at, accounts.tokens_ended_at, \
             import_sources.tokens_ended_at), foreign_tokens.expires_at FROM foreign_tokens \
             LEFT JOIN import_sources ON import_sources.source = foreign_tokens.source \
             LEFT JOIN external_accounts AS accounts ON accounts.source = foreign_tokens.source \
             AND accounts.external_id = foreign_tokens.external_id \
             LEFT JOIN users ON users.id = accounts.user_id \
             LEFT JOIN sessions ON sessions.id = foreign_tokens.session_id \
             WHERE foreign_tokens.source = $1 AND jti > $2 AND foreign_tokens.expires_at > $3 AND ( \
             blacklisted_at IS NOT NULL \
             OR exchanged_at IS NOT NULL AND NOT ($5 AND sessions.id IS NOT NULL \
             AND ended_at IS NULL AND generation = 0 AND token_expires_at > $3 \
             AND deactivated_at IS NULL AND NOT ",
            below_a_floor!("sessions.id", "sessions.user_id"),
            ") OR exchanged_at IS NULL AND (deleted_at IS NOT NULL \
             OR COALESCE(foreign_tokens.created_at, 0) <= accounts.tokens_ended_at \
             OR COALESCE(foreign_tokens.created_at, 0) <= import_sources.tokens_ended_at)) \
             ORDER BY jti LIMIT $4"
        ))
        .bind(source.as_str().to_owned())
        .bind(after.to_owned())
        .bind(now.as_micros())
        .bind(size)
        .bind(keeps_tokens)
        .fetch_all(conn)
        .await?))?;
        let times = |(jti, at, expires_at)| {
            (jti, Timestamp::from_micros(at), Timestamp::from_micros(expires_at))
        };
        Ok(rows.into_iter().map(times).collect())
    }
}
