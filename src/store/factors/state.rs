//! Second factors that an account has.

use crate::clock::Timestamp;
use crate::crypto::recovery_code::RecoveryCodeDigest;
use crate::domain::challenge::LoginStep;
use crate::domain::id::UserId;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::factors::mark::FactorsMark;
use crate::store::handle::Store;
use crate::store::query::from_row::from_row;

/// Second factors of an account at one moment.
#[derive(Clone, Debug, Default)]
pub struct Factors {
    /// `None`: it never had any.
    pub mark: Option<FactorsMark>,
    /// When an administrator removed all, and nobody logged in since.
    pub reset_at: Option<Timestamp>,
    /// When the authenticator app was confirmed.
    pub totp_since: Option<Timestamp>,
    pub recovery_codes_left: i64,
    /// Number of passkeys.
    pub passkeys: i64,
}

impl Factors {
    /// Whether the account has a factor that a login asks for. Recovery codes alone are none.
    #[must_use]
    pub fn exist(&self) -> bool {
        self.totp_since.is_some() || self.passkeys > 0
    }

    /// The proofs that a login accepts as its second step.
    #[must_use]
    pub fn steps(&self) -> Vec<LoginStep> {
        let has = [
            (LoginStep::Totp, self.totp_since.is_some()),
            (LoginStep::Passkey, self.passkeys > 0),
            (LoginStep::RecoveryCode, self.exist() && self.recovery_codes_left > 0),
        ];
        has.into_iter().filter(|(_, has)| *has).map(|(step, _)| step).collect()
    }
}

/// The authenticator app of an account.
#[derive(Clone, Debug)]
pub struct StoredTotp {
    pub sealed_secret: Vec<u8>,
    pub last_step: i64,
    pub confirmed_at: Timestamp,
}

from_row! {
    struct FactorsRow {
        mark: Vec<u8>,
        reset_at: Option<i64>,
        totp_since: Option<i64>,
        recovery_codes: i64,
        passkeys: i64,
    }
}

from_row! {
    struct TotpRow {
        sealed_secret: Vec<u8>,
        last_step: i64,
        confirmed_at: i64,
    }
}

impl Store {
    pub async fn factors(&self, user: UserId) -> Result<Factors> {
        let row: Option<FactorsRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(
            "SELECT mark, reset_at, \
             (SELECT confirmed_at FROM totp WHERE totp.user_id = $1) AS totp_since, \
             (SELECT count(*) FROM recovery_codes WHERE recovery_codes.user_id = $1) AS recovery_codes, \
             (SELECT count(*) FROM passkeys WHERE passkeys.user_id = $1) AS passkeys \
             FROM second_factors WHERE second_factors.user_id = $1",
        )
        .bind(user.as_uuid())
        .fetch_optional(conn)
        .await?))?;
        let Some(row) = row else { return Ok(Factors::default()) };
        Ok(Factors {
            mark: FactorsMark::read(Some(row.mark))?,
            reset_at: row.reset_at.map(Timestamp::from_micros),
            totp_since: row.totp_since.map(Timestamp::from_micros),
            recovery_codes_left: row.recovery_codes,
            passkeys: row.passkeys,
        })
    }

    /// Whether the account has this recovery code, unused.
    pub async fn has_recovery_code(&self, user: UserId, code: RecoveryCodeDigest) -> Result<bool> {
        let found: Option<i32> = read!(self, conn => Ok::<_, Error>(metered::query_scalar(
            "SELECT 1 FROM recovery_codes WHERE user_id = $1 AND code_hash = $2",
        )
        .bind(user.as_uuid())
        .bind(code.0.to_vec())
        .fetch_optional(conn)
        .await?))?;
        Ok(found.is_some())
    }

    /// The account's authenticator app.
    pub async fn totp(&self, user: UserId) -> Result<Option<StoredTotp>> {
        let row: Option<TotpRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(
            "SELECT sealed_secret, last_step, confirmed_at FROM totp WHERE user_id = $1",
        )
        .bind(user.as_uuid())
        .fetch_optional(conn)
        .await?))?;
        let confirmed = |row: TotpRow| StoredTotp {
            sealed_secret: row.sealed_secret,
            last_step: row.last_step,
            confirmed_at: Timestamp::from_micros(row.confirmed_at),
        };
        Ok(row.map(confirmed))
    }
}
