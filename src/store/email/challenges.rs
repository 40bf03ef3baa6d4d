//! Challenges: stored, looked up, and attempted.
//!
//! A wrong code costs an attempt in the statement that compares it, so that of any number of concurrent
//! attempts no more are made than the challenge allows. A right code costs nothing: the challenge is spent in
//! the transaction of what it leads to ([`spend`](super::spend)), and a failure in between can be repeated.

use crate::clock::Timestamp;
use crate::crypto::one_time_code::CodeMac;
use crate::crypto::secret_token::TokenDigest;
use crate::domain::challenge::{ChallengePurpose, MAX_ATTEMPTS};
use crate::domain::id::{ChallengeId, SessionId, UserId};
use crate::domain::session::SessionName;
use crate::domain::user::Email;
use crate::store::backend::metered;
use crate::store::email::challenge_row::{
    Challenge, ChallengeRow, NewChallenge, challenge_columns, words_of,
};
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::floor_sql::below_a_floor;
use crate::store::query::from_row::from_row;

/// The result of an attempt with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeAttempt {
    Right,
    /// Wrong, with the number of attempts that are left.
    Wrong {
        left: i32,
    },
    /// The challenge was used, has expired or has no attempts left.
    Expired,
}

from_row! {
    struct AttemptRow {
        attempts_left: i32,
        is_right: i32,
    }
}

/// Condition that the session that asked for a challenge is live at `$3`.
macro_rules! asked_by_live_session {
    () => {
        concat!(
            "EXISTS (SELECT 1 FROM sessions WHERE sessions.id = challenges.session_id \
             AND sessions.ended_at IS NULL AND sessions.token_expires_at > $3 AND NOT ",
            below_a_floor!("sessions.id", "sessions.user_id"),
            ")"
        )
    };
}

steps! {
    pub(in crate::store) trait Challenges {
        /// Whether the challenge is the user's and the session that asked for it is live.
        async fn is_asked_by_live_session(
            &mut self,
            challenge: ChallengeId,
            user: UserId,
            at: Timestamp,
        ) -> Result<bool> {
            let found: Option<i32> = metered::query_scalar(concat!(
                "SELECT 1 FROM challenges WHERE id = $1 AND user_id = $2 AND ",
                asked_by_live_session!()
            ))
            .bind(challenge.as_uuid())
            .bind(user.as_uuid())
            .bind(at.as_micros())
            .fetch_optional(self)
            .await?;
            Ok(found.is_some())
        }

        async fn insert_challenge(&mut self, new: &NewChallenge) -> Result<()> {
            metered::query(
                "INSERT INTO challenges (id, token_hash, purpose, user_id, session_id, email_key, \
                 email, shown, password_mark, session_name, code_mac, code_expires_at, link_hash, \
                 attempts_left, created_at, expires_at, account, bound_email_key, factors_mark) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
                 $18, $19)",
            )
            .bind(new.id.as_uuid())
            .bind(new.token.map(|token| token.0.to_vec()))
            .bind(new.purpose.as_str())
            .bind(new.user.map(UserId::as_uuid))
            .bind(new.session.map(SessionId::as_uuid))
            .bind(new.email.as_ref().map(|email| email.key().to_owned()))
            .bind(new.email.as_ref().map(|email| email.as_str().to_owned()))
            .bind(words_of(new.shown))
            .bind(new.password.map(|mark| mark.0.to_vec()))
            .bind(new.session_name.as_ref().map(|name| SessionName::as_str(name).to_owned()))
            .bind(new.code.map(|mac| mac.0.to_vec()))
            .bind(new.code_expires_at.as_micros())
            .bind(new.link.map(|link| link.0.to_vec()))
            .bind(i32::from(MAX_ATTEMPTS))
            .bind(new.created_at.as_micros())
            .bind(new.expires_at.as_micros())
            .bind(new.account.0.to_vec())
            .bind(new.bound_email_key.clone())
            .bind(new.factors.map(|mark| mark.0.to_vec()))
            .execute(self)
            .await?;
            Ok(())
        }

        /// Makes all challenges of an account worthless, except those that take a change of the address
        /// back: a thief of the account must not be able to end these. Mails with their codes are not sent any
        /// more.
        async fn delete_challenges(&mut self, user: UserId) -> Result<()> {
            self.delete_mailed_codes(user).await?;
            metered::query("DELETE FROM challenges WHERE user_id = $1 AND purpose <> $2")
                .bind(user.as_uuid())
                .bind(ChallengePurpose::Revert.as_str())
                .execute(self)
                .await?;
            Ok(())
        }

        /// Makes all challenges of an account worthless, when it is deleted or an administrator decides its
        /// address. Notices about it are still sent.
        async fn delete_all_challenges(&mut self, user: UserId) -> Result<()> {
            self.delete_mailed_codes(user).await?;
            metered::query("DELETE FROM challenges WHERE user_id = $1")
                .bind(user.as_uuid())
                .execute(self)
                .await?;
            Ok(())
        }

        /// Deletes mails that wait to be sent and have a code.
        async fn delete_mailed_codes(&mut self, user: UserId) -> Result<()> {
            metered::query(
                "DELETE FROM emails WHERE user_id = $1 AND state = 'PENDING' AND purpose IN \
                 ('verify', 'reset', 'login', 'change', 'reauthenticate')",
            )
            .bind(user.as_uuid())
            .execute(self)
            .await?;
            Ok(())
        }
    }
}

impl Store {
    /// The challenge of the token that a client holds.
    pub async fn challenge_by_token(&self, token: TokenDigest) -> Result<Option<Challenge>> {
        let row: Option<ChallengeRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT ", challenge_columns!(), " FROM challenges WHERE token_hash = $1"
        ))
        .bind(token.0.to_vec())
        .fetch_optional(conn)
        .await?))?;
        row.map(Challenge::try_from).transpose()
    }

    pub async fn challenge(&self, id: ChallengeId) -> Result<Option<Challenge>> {
        let row: Option<ChallengeRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT ", challenge_columns!(), " FROM challenges WHERE id = $1"
        ))
        .bind(id.as_uuid())
        .fetch_optional(conn)
        .await?))?;
        row.map(Challenge::try_from).transpose()
    }

    /// The challenge of the token in a link.
    pub async fn challenge_by_link(&self, link: TokenDigest) -> Result<Option<Challenge>> {
        let row: Option<ChallengeRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT ", challenge_columns!(), " FROM challenges WHERE link_hash = $1"
        ))
        .bind(link.0.to_vec())
        .fetch_optional(conn)
        .await?))?;
        row.map(Challenge::try_from).transpose()
    }

    /// The newest challenge of this purpose that this session of the user asked for and that is open. One
    /// without a code, whose mail was over a limit, does not take the place of one whose code was mailed.
    pub async fn challenge_of_session(
        &self,
        user: UserId,
        session: SessionId,
        purpose: ChallengePurpose,
        now: Timestamp,
    ) -> Result<Option<Challenge>> {
        let row: Option<ChallengeRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT ", challenge_columns!(), " FROM challenges WHERE user_id = $1 AND purpose = $2 \
             AND session_id = $3 AND used_at IS NULL AND expires_at > $4 AND attempts_left > 0 \
             ORDER BY code_mac IS NULL, created_at DESC LIMIT 1"
        ))
        .bind(user.as_uuid())
        .bind(purpose.as_str())
        .bind(session.as_uuid())
        .bind(now.as_micros())
        .fetch_optional(conn)
        .await?))?;
        row.map(Challenge::try_from).transpose()
    }

    /// The address that the account's latest open change is about. A change ends with the session that asked
    /// for it.
    pub async fn pending_email(&self, user: UserId, now: Timestamp) -> Result<Option<Email>> {
        let row: Option<ChallengeRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT ", challenge_columns!(), " FROM challenges WHERE user_id = $1 AND purpose = $2 \
             AND used_at IS NULL AND expires_at > $3 AND attempts_left > 0 AND ",
            asked_by_live_session!(),
            " ORDER BY created_at DESC LIMIT 1"
        ))
        .bind(user.as_uuid())
        .bind(ChallengePurpose::Change.as_str())
        .bind(now.as_micros())
        .fetch_optional(conn)
        .await?))?;
        Ok(row.map(Challenge::try_from).transpose()?.and_then(|challenge| challenge.email))
    }

    /// Takes an attempt of an open challenge, before its proof is judged. Returns how many are left; `None` if
    /// none was.
    pub async fn take_attempt(
        &self,
        challenge: ChallengeId,
        now: Timestamp,
    ) -> Result<Option<i32>> {
        transact!(self, conn => {
            Ok(metered::query_scalar(
                "UPDATE challenges SET attempts_left = attempts_left - 1 WHERE id = $1 \
                 AND used_at IS NULL AND expires_at > $2 AND attempts_left > 0 \
                 RETURNING attempts_left",
            )
            .bind(challenge.as_uuid())
            .bind(now.as_micros())
            .fetch_optional(conn)
            .await?)
        })
    }

    /// Compares a code, by its possible digests. A wrong one costs an attempt.
    pub async fn try_code(
        &self,
        challenge: ChallengeId,
        [one, other]: [CodeMac; 2],
        now: Timestamp,
    ) -> Result<CodeAttempt> {
        let row: Option<AttemptRow> = transact!(self, conn => {
            let row: Option<AttemptRow> = metered::query_as(
                "UPDATE challenges SET attempts_left = attempts_left - \
                 CASE WHEN code_mac = $2 OR code_mac = $3 THEN 0 ELSE 1 END \
                 WHERE id = $1 AND used_at IS NULL AND expires_at > $4 AND code_expires_at > $4 \
                 AND attempts_left > 0 RETURNING attempts_left, \
                 CASE WHEN code_mac = $2 OR code_mac = $3 THEN 1 ELSE 0 END AS is_right",
            )
            .bind(challenge.as_uuid())
            .bind(one.0.to_vec())
            .bind(other.0.to_vec())
            .bind(now.as_micros())
            .fetch_optional(conn)
            .await?;
            Ok(row)
        })?;
        Ok(match row {
            None => CodeAttempt::Expired,
            Some(row) if row.is_right == 1 => CodeAttempt::Right,
            Some(row) => CodeAttempt::Wrong { left: row.attempts_left },
        })
    }
}
