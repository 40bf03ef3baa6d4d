//! Refresh tokens of another system, as Django's SimpleJWT signs them, in every version since 4.8.
//!
//! They are only verified. What is checked is what SimpleJWT checks, in the same cases (its settings `ISSUER`,
//! `AUDIENCE` and `LEEWAY`), and no less: one algorithm, decided by the operator and not by the token; `exp`
//! demanded; `iat` and `nbf` not in the future; the type; a `jti`, by which a token is exchanged once.

use std::time::Duration;

use serde_json::{Map, Value};

use super::error::TokenError;
use super::foreign_key::ForeignKey;
use super::jws::{self, Compact};
use crate::clock::Timestamp;
use crate::domain::external_account::{ExternalId, ForeignTokenId};
use crate::domain::foreign_token::{ForeignToken, PasswordFingerprint};

/// Names and values of claims, as the other system has them configured.
#[derive(Clone, Debug)]
pub struct ForeignClaims {
    /// `USER_ID_CLAIM`.
    pub user_id: String,
    /// `JTI_CLAIM`.
    pub jti: String,
    /// `TOKEN_TYPE_CLAIM`.
    pub token_type: String,
    /// `REVOKE_TOKEN_CLAIM`.
    pub password: String,
    /// `ISSUER`, which is checked only where it is set.
    pub issuer: Option<String>,
    /// `AUDIENCE`, one of which the token must have; checked only where there are any.
    pub audience: Vec<String>,
    /// `LEEWAY`.
    pub leeway: Duration,
}

/// Verifies tokens of one other system.
#[derive(Clone, Debug)]
pub struct ForeignTokens {
    keys: Vec<ForeignKey>,
    claims: ForeignClaims,
}

const REFRESH: &str = "refresh";

impl ForeignTokens {
    /// `keys`: any of them verifies a token.
    #[must_use]
    pub fn new(keys: Vec<ForeignKey>, claims: ForeignClaims) -> Self {
        Self { keys, claims }
    }

    /// Whether any of the keys is a secret, which signs tokens as well.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        self.keys.iter().any(|key| key.algorithm.has_secret())
    }

    /// Verifies a refresh token completely. `None` for a text that is not a token of another system: it says of
    /// itself that this service issued it, or it is no token at all.
    #[must_use]
    pub fn verify(&self, token: &str, now: Timestamp) -> Option<Result<ForeignToken, TokenError>> {
        let compact = Compact::parse(token).ok()?;
        if jws::says_ours(&compact.header) {
            return None;
        }
        Some(self.signed(&compact).and_then(|claims| self.judge(&claims, now)))
    }

    /// Whether one of the keys signed this token, of whatever type and age.
    #[must_use]
    pub fn has_signed(&self, token: &str) -> bool {
        Compact::parse(token)
            .is_ok_and(|compact| !jws::says_ours(&compact.header) && self.signed(&compact).is_ok())
    }

    fn signed(&self, compact: &Compact<'_>) -> Result<Map<String, Value>, TokenError> {
        let header = &compact.header;
        if header.crit {
            return Err(TokenError::Invalid);
        }
        let fitting = self.keys.iter().filter(|key| key.algorithm.as_str() == header.alg);
        let mut claims = fitting.map(|key| {
            let (key, algorithm) = key.parts();
            compact.claims_by(key, algorithm)
        });
        claims.find_map(Result::ok).ok_or(TokenError::Invalid)
    }

    fn judge(
        &self,
        claims: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<ForeignToken, TokenError> {
        let names = &self.claims;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text(&names.token_type) != Some(REFRESH) {
            return Err(TokenError::WrongType);
        }
        if names.issuer.as_deref().is_some_and(|issuer| text("iss") != Some(issuer)) {
            return Err(TokenError::Invalid);
        }
        if !names.audience.is_empty() && !has_audience(claims.get("aud"), &names.audience) {
            return Err(TokenError::Invalid);
        }
        let id = text(&names.jti).and_then(|jti| ForeignTokenId::parse(jti).ok());
        let password = claims.get(&names.password).map(|value| {
            let parsed = value.as_str().and_then(PasswordFingerprint::parse);
            parsed.ok_or(TokenError::Invalid)
        });
        let issued_at = time(claims, "iat")?;
        let begins_at = [issued_at, time(claims, "nbf")?].into_iter().flatten();
        if begins_at.into_iter().any(|begins_at| begins_at > now + names.leeway) {
            return Err(TokenError::Invalid);
        }
        let token = ForeignToken {
            id: id.ok_or(TokenError::Invalid)?,
            external_id: external_id(claims.get(&names.user_id)).ok_or(TokenError::Invalid)?,
            issued_at,
            expires_at: time(claims, "exp")?.ok_or(TokenError::Invalid)?,
            password: password.transpose()?,
        };
        // Last, so that `Expired` means valid in all else.
        if token.expires_at + names.leeway <= now {
            return Err(TokenError::Expired);
        }
        Ok(token)
    }
}

fn external_id(value: Option<&Value>) -> Option<ExternalId> {
    match value? {
        Value::String(text) => ExternalId::parse(text).ok(),
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            ExternalId::parse(&number.to_string()).ok()
        }
        _ => None,
    }
}

/// Whether one of the audiences is demanded (RFC 7519, section 4.1.3).
fn has_audience(value: Option<&Value>, demanded: &[String]) -> bool {
    let is_demanded = |value: &Value| {
        value.as_str().is_some_and(|found| demanded.iter().any(|audience| audience == found))
    };
    match value {
        Some(Value::Array(several)) => several.iter().any(is_demanded),
        Some(one) => is_demanded(one),
        None => false,
    }
}

/// Last second that a token may name: the end of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

/// A time claim, whole seconds; `None` where it is absent.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, TokenError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_i64().filter(|seconds| (0..=LAST_SECOND).contains(seconds));
    let seconds = seconds.ok_or(TokenError::Invalid)?;
    Ok(Some(jws::numeric_date(seconds)?))
}
