//! Renewed proof of the user in a live session.

use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::domain::authentication::Authentication;
use crate::domain::id::{SessionId, UserId};
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::email::outbox::{NewMail, Outbox};
use crate::store::email::spend::{Spend, SpendChallenge};
use crate::store::error::Result;
use crate::store::factors::use_factor::{Use, UseFactor};
use crate::store::handle::Store;
use crate::store::query::floor_sql::below_a_floor;
use crate::store::query::rows::{claims_columns, session_columns};
use crate::store::rotation::refreshed::{Refreshed, RefreshedRow};
use crate::store::sessions::live::LiveSession;
use crate::store::throttle::{Settlement, Throttle};
use crate::store::verified_hash::{VerifiedHash, is_verified};

/// Order to note that the user of a session proved to be the user.
#[derive(Clone, Debug)]
pub struct Reauthenticate {
    pub session: SessionId,
    pub user: UserId,
    pub proof: FreshProof,
    /// What it shows, which is added to what the session has.
    pub shown: Authentication,
    /// Latest expiry of the new access token.
    pub access_expires_at: Timestamp,
    /// Events beside that of the proof.
    pub events: Vec<NewEvent>,
    pub mails: Vec<NewMail>,
}

/// Proof of the user in a live session.
#[derive(Clone, Debug)]
pub enum FreshProof {
    Password {
        /// The account must still have it.
        verified: VerifiedHash,
        settlement: Settlement,
    },
    /// A code of a mail, which is spent in the same transaction.
    Challenge(SpendChallenge),
    /// A second factor, which is used in the same transaction.
    Factor { factor: UseFactor, settlement: Settlement },
}

macro_rules! reauthenticate {
    ($with:expr, $from:literal, $has_hash:expr) => {
        concat!(
            $with,
            "UPDATE sessions SET authenticated_at = $4, access_expires_at = CASE \
             WHEN access_expires_at > $5 THEN access_expires_at ELSE $5 END, \
             methods = coalesce(methods, 0) | $6, \
             assurance = CASE WHEN coalesce(assurance, 1) > $7 THEN assurance ELSE $7 END, \
             second_factor_at = coalesce($8, second_factor_at), \
             strong_factor_at = coalesce($9, strong_factor_at) FROM users",
            $from,
            " WHERE sessions.id = $1 AND sessions.user_id = $2 AND users.id = sessions.user_id \
             AND users.deactivated_at IS NULL AND ended_at IS NULL AND token_expires_at > $4 AND ",
            $has_hash,
            " AND NOT ",
            below_a_floor!("sessions.id", "sessions.user_id"),
            " RETURNING ",
            session_columns!(),
            claims_columns!()
        )
    };
}

trait ReauthenticateSql {
    const REAUTHENTICATE: &str;
}

/// By a challenge or a factor, which was used before in the transaction.
const BY_CHALLENGE: &str = reauthenticate!("", "", "$3 = $3");

/// SQLite has one writer at a time, so nothing needs a lock.
impl ReauthenticateSql for SqliteConnection {
    const REAUTHENTICATE: &str = reauthenticate!(
        "",
        "",
        concat!(
            "EXISTS (SELECT 1 FROM password_credentials WHERE user_id = $2 AND ",
            is_verified!("$3", "$10", "$11"),
            ")"
        )
    );
}

/// The hash is compared by the row lock, as at a login.
impl ReauthenticateSql for PgConnection {
    const REAUTHENTICATE: &str = reauthenticate!(
        concat!(
            "WITH credential AS MATERIALIZED (SELECT user_id FROM password_credentials \
             WHERE user_id = $2 AND ",
            is_verified!("$3", "$10", "$11"),
            " FOR NO KEY UPDATE) "
        ),
        ", credential",
        "credential.user_id = users.id"
    );
}

steps! {
    trait MarkAuthenticated {
        async fn mark_authenticated(
            &mut self,
            order: &Reauthenticate,
        ) -> Result<Option<RefreshedRow>> {
            let (statement, verified) = match &order.proof {
                FreshProof::Password { verified, .. } => (Self::REAUTHENTICATE, Some(verified)),
                FreshProof::Challenge(_) | FreshProof::Factor { .. } => (BY_CHALLENGE, None),
            };
            let query = metered::query_as(statement)
                .bind(order.session.as_uuid())
                .bind(order.user.as_uuid())
                .bind(verified.map_or("", VerifiedHash::as_str))
                .bind(order.shown.at.as_micros())
                .bind(order.access_expires_at.as_micros())
                .bind(order.shown.methods.bits())
                .bind(order.shown.assurance.rank())
                .bind(order.shown.second_factor_at.map(Timestamp::as_micros))
                .bind(order.shown.strong_factor_at.map(Timestamp::as_micros));
            let query = match verified {
                Some(verified) => query.bind(verified.replaced_by()).bind(verified.changed_at()),
                None => query,
            };
            Ok(query.fetch_optional(self).await?)
        }
    }
}

impl Store {
    /// Notes the proof. `None` if the session is not live, its user not active, or the proof does not hold any
    /// more. A challenge is spent all the same: it was given.
    pub async fn reauthenticate(
        &self,
        order: Reauthenticate,
        event: NewEvent,
    ) -> Result<Option<Refreshed>> {
        let row: Option<RefreshedRow> = transact!(self, conn => {
            if let FreshProof::Challenge(spend) = &order.proof
                && conn.spend(spend).await?.is_none()
            {
                return Ok(None);
            }
            // A factor is not used up for a session that has ended.
            if let FreshProof::Factor { .. } = &order.proof
                && !conn.is_live_session(order.session, order.user, order.shown.at).await?
            {
                return Ok(None);
            }
            if let FreshProof::Factor { factor, .. } = &order.proof
                && !conn.use_factor(order.user, factor).await?
            {
                return Ok(None);
            }
            let row = conn.mark_authenticated(&order).await?;
            if row.is_some() {
                for event in [&event].into_iter().chain(&order.events) {
                    conn.record_event(event).await?;
                }
                conn.queue_mails(&order.mails).await?;
                if let FreshProof::Password { settlement, .. }
                | FreshProof::Factor { settlement, .. } = &order.proof
                {
                    conn.settle(settlement).await?;
                }
            }
            Ok(row)
        })?;
        row.map(Refreshed::try_from).transpose()
    }
}
