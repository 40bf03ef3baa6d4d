//! Rows of challenges.

use sqlx::types::Uuid;

use crate::clock::Timestamp;
use crate::crypto::one_time_code::CodeMac;
use crate::crypto::secret_token::TokenDigest;
use crate::domain::authentication::{Method, Methods};
use crate::domain::challenge::ChallengePurpose;
use crate::domain::id::{ChallengeId, SessionId, UserId};
use crate::domain::session::SessionName;
use crate::domain::throttle::Bucket;
use crate::domain::user::Email;
use crate::store::error::{Error, Result};
use crate::store::factors::mark::FactorsMark;
use crate::store::query::from_row::from_row;

/// Digest of an account's password hash, by which a challenge notices that the password was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordMark(pub [u8; 32]);

/// A challenge to be stored.
#[derive(Clone, Debug)]
pub struct NewChallenge {
    pub id: ChallengeId,
    pub token: Option<TokenDigest>,
    pub purpose: ChallengePurpose,
    /// `None` for a name that has no account.
    pub user: Option<UserId>,
    /// Digest of the name that was entered, by which wrong codes are counted across challenges.
    pub account: Bucket,
    /// The session that asked for it.
    pub session: Option<SessionId>,
    /// Address that the code is sent to.
    pub email: Option<Email>,
    /// Canonical form of the address that the account must still have when the challenge is spent.
    pub bound_email_key: Option<String>,
    /// Proofs that were shown before.
    pub shown: Methods,
    pub password: Option<PasswordMark>,
    /// The mark of the account's second factors.
    pub factors: Option<FactorsMark>,
    pub session_name: Option<SessionName>,
    pub code: Option<CodeMac>,
    pub code_expires_at: Timestamp,
    pub link: Option<TokenDigest>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl NewChallenge {
    /// The same challenge, which no code and no link completes.
    #[must_use]
    pub fn without_proof(self) -> Self {
        Self { code: None, link: None, ..self }
    }
}

/// A stored challenge.
#[derive(Clone, Debug)]
pub struct Challenge {
    pub id: ChallengeId,
    pub purpose: ChallengePurpose,
    pub user: Option<UserId>,
    pub account: Bucket,
    pub session: Option<SessionId>,
    pub email: Option<Email>,
    pub bound_email_key: Option<String>,
    /// Methods that were shown before.
    pub shown: Methods,
    pub password: Option<PasswordMark>,
    pub factors: Option<FactorsMark>,
    pub session_name: Option<SessionName>,
    pub attempts_left: i32,
    pub expires_at: Timestamp,
    pub code_expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

impl Challenge {
    /// Whether it can still be completed. Its code may have expired before.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.used_at.is_none() && self.expires_at > now && self.attempts_left > 0
    }
}

/// Columns of a [`ChallengeRow`].
macro_rules! challenge_columns {
    () => {
        "challenges.id, challenges.purpose, challenges.user_id, challenges.account, \
         challenges.session_id, challenges.bound_email_key, \
         challenges.email, challenges.email_key, challenges.shown, challenges.password_mark, \
         challenges.factors_mark, challenges.session_name, challenges.attempts_left, challenges.expires_at, \
         challenges.code_expires_at, challenges.used_at"
    };
}
pub(in crate::store) use challenge_columns;

from_row! {
    pub(in crate::store) struct ChallengeRow {
        id: Uuid,
        purpose: String,
        user_id: Option<Uuid>,
        account: Vec<u8>,
        bound_email_key: Option<String>,
        session_id: Option<Uuid>,
        email: Option<String>,
        email_key: Option<String>,
        shown: String,
        password_mark: Option<Vec<u8>>,
        factors_mark: Option<Vec<u8>>,
        session_name: Option<String>,
        attempts_left: i32,
        expires_at: i64,
        code_expires_at: Option<i64>,
        used_at: Option<i64>,
    }
}

/// The column of methods: their words, separated by spaces.
pub(in crate::store) fn words_of(methods: Methods) -> String {
    methods.iter().map(Method::as_str).collect::<Vec<_>>().join(" ")
}

fn methods_of(words: &str) -> Methods {
    Methods::of(&words.split(' ').filter_map(Method::parse).collect::<Vec<_>>())
}

impl TryFrom<ChallengeRow> for Challenge {
    type Error = Error;

    fn try_from(row: ChallengeRow) -> Result<Self> {
        let mark = row.password_mark.map(|bytes| {
            bytes.try_into().map(PasswordMark).map_err(|_| Error::unreadable("password mark"))
        });
        let expires_at = Timestamp::from_micros(row.expires_at);
        Ok(Self {
            id: ChallengeId::from_uuid(row.id),
            purpose: ChallengePurpose::read(&row.purpose),
            user: row.user_id.map(UserId::from_uuid),
            account: Bucket(row.account.try_into().map_err(|_| Error::unreadable("account"))?),
            bound_email_key: row.bound_email_key,
            session: row.session_id.map(SessionId::from_uuid),
            email: row.email.zip(row.email_key).map(|(text, key)| Email::from_stored(text, key)),
            shown: methods_of(&row.shown),
            password: mark.transpose()?,
            factors: FactorsMark::read(row.factors_mark)?,
            session_name: row.session_name.and_then(|name| SessionName::parse(&name).ok()),
            attempts_left: row.attempts_left,
            expires_at,
            code_expires_at: row.code_expires_at.map_or(expires_at, Timestamp::from_micros),
            used_at: row.used_at.map(Timestamp::from_micros),
        })
    }
}
