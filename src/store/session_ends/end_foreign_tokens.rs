//! The end of another system's refresh tokens that were not exchanged for a session yet.
//!
//! They stand for logins that are as good as sessions here. So whatever ends all sessions of a user, or of all
//! users, also refuses the tokens that were issued before. The mark is written before the sessions end, in the
//! same transaction, and an exchange locks the row that it is in: either the exchange commits first, and its
//! session ends, or it finds the mark.

use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::session_ends::end_order::EndSessions;

/// The mark never goes back, whatever clocks say.
macro_rules! set_mark {
    () => {
        " SET tokens_ended_at = CASE WHEN tokens_ended_at > $1 THEN tokens_ended_at ELSE $1 END"
    };
}

trait EndSql {
    const OF_USER: &str;
}

impl EndSql for SqliteConnection {
    const OF_USER: &str = concat!("UPDATE external_accounts", set_mark!(), " WHERE user_id = $2");
}

impl EndSql for PgConnection {
    // The account first, as every transaction that locks both does; so an end that locks the account later, for
    // a floor, and a change of the password do not wait for each other.
    const OF_USER: &str = concat!(
        "WITH account AS MATERIALIZED (SELECT id FROM users WHERE id = $2 AND EXISTS \
         (SELECT 1 FROM external_accounts WHERE user_id = $2) FOR NO KEY UPDATE) \
         UPDATE external_accounts",
        set_mark!(),
        " FROM account WHERE user_id = account.id"
    );
}

steps! {
    pub(in crate::store) trait EndForeignTokens {
        /// Refuses the tokens of the users whose sessions all end.
        async fn end_foreign_tokens(&mut self, end: &EndSessions) -> Result<()> {
            match end.scope.wide() {
                Some((Some(user), _)) => self.end_tokens_of_user(user, end.at).await,
                Some((None, _)) => self.end_tokens_of_all(end.at).await,
                None => Ok(()),
            }
        }

        async fn end_tokens_of_user(&mut self, user: UserId, at: Timestamp) -> Result<()> {
            metered::query(Self::OF_USER)
                .bind(at.as_micros())
                .bind(user.as_uuid())
                .execute(self)
                .await?;
            Ok(())
        }

        async fn end_tokens_of_all(&mut self, at: Timestamp) -> Result<()> {
            metered::query(concat!("UPDATE import_sources", set_mark!()))
                .bind(at.as_micros())
                .execute(self)
                .await?;
            Ok(())
        }
    }
}
