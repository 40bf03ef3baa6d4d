//! Refresh tokens of the other system: which were issued, and which are blacklisted.

use serde_json::{Value, json};
use sqlx::types::Uuid;
use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::domain::id::SessionId;
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::imports::source_lease::{CheckLease, ImportLease, LeaseLost};
use crate::store::session_ends::end_all::{EndAll, Ending};
use crate::store::session_ends::end_order::{EndSessions, Scope};

/// A refresh token of the other system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedToken {
    pub jti: String,
    /// Whose it is; `None` if only its end is known.
    pub external_id: Option<String>,
    pub created_at: Option<Timestamp>,
    pub expires_at: Timestamp,
    pub blacklisted_at: Option<Timestamp>,
}

/// What is known of a token is added to its row. Nothing is taken back, and what was exchanged stays so.
/// Returns the sessions of exchanged tokens that are blacklisted only now.
macro_rules! upsert {
    ($given:literal) => {
        concat!(
            "INSERT INTO foreign_tokens (source, jti, external_id, created_at, expires_at, \
             blacklisted_at) ",
            $given,
            " ON CONFLICT (source, jti) DO UPDATE SET \
             external_id = COALESCE(foreign_tokens.external_id, excluded.external_id), \
             created_at = COALESCE(foreign_tokens.created_at, excluded.created_at), \
             blacklisted_at = COALESCE(foreign_tokens.blacklisted_at, excluded.blacklisted_at) \
             WHERE foreign_tokens.blacklisted_at IS NULL AND excluded.blacklisted_at IS NOT NULL \
             OR foreign_tokens.external_id IS NULL AND excluded.external_id IS NOT NULL \
             OR foreign_tokens.created_at IS NULL AND excluded.created_at IS NOT NULL \
             RETURNING CASE WHEN blacklisted_at IS NOT NULL THEN session_id END"
        )
    };
}

trait UpsertTokens {
    const UPSERT: &str;
}

// SQLite needs the condition, or it reads `ON` as that of a join.
impl UpsertTokens for SqliteConnection {
    const UPSERT: &str = upsert!(
        "SELECT $2, value ->> 'j', value ->> 'u', value ->> 'c', value ->> 'e', value ->> 'b' \
         FROM json_each($1) WHERE true"
    );
}

impl UpsertTokens for PgConnection {
    const UPSERT: &str = upsert!(
        "SELECT $2, j, u, c, e, b FROM json_to_recordset($1::json) AS given \
         (j text, u text, c bigint, e bigint, b bigint) ORDER BY j"
    );
}

steps! {
    trait ForeignTokenRows {
        async fn upsert_tokens(&mut self, tokens: &str, source: &str) -> Result<Vec<SessionId>> {
            let sessions: Vec<Option<Uuid>> = metered::query_scalar(Self::UPSERT)
                .bind(tokens.to_owned())
                .bind(source.to_owned())
                .fetch_all(self)
                .await?;
            Ok(sessions.into_iter().flatten().map(SessionId::from_uuid).collect())
        }
    }
}

impl Store {
    /// Adds tokens, and ends the sessions that those were exchanged for which are blacklisted only now. The
    /// scope of `end` is theirs.
    pub async fn import_tokens(
        &self,
        lease: ImportLease,
        tokens: &[ImportedToken],
        end: EndSessions,
    ) -> Result<Result<Ending, LeaseLost>> {
        let micros = |time: Option<Timestamp>| time.map(Timestamp::as_micros);
        let tokens: Vec<Value> = tokens
            .iter()
            .map(|token| {
                json!({
                    "j": token.jti,
                    "u": token.external_id,
                    "c": micros(token.created_at),
                    "e": token.expires_at.as_micros(),
                    "b": micros(token.blacklisted_at),
                })
            })
            .collect();
        let tokens = Value::Array(tokens).to_string();
        transact!(self, conn => {
            if !conn.holds_lease(&lease).await? {
                return Ok(Err(LeaseLost));
            }
            let sessions = conn.upsert_tokens(&tokens, lease.source.as_str()).await?;
            if sessions.is_empty() {
                return Ok(Ok(Ending::default()));
            }
            let end = EndSessions { scope: Scope::These(sessions), ..end.clone() };
            Ok(Ok(conn.end_all(&end).await?))
        })
    }
}
