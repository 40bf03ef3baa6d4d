//! Refresh tokens: JWTs that only this service reads, signed with a key that is never published.
//!
//! Signing is deterministic. A retried refresh is answered with the token of the first answer, which is
//! not stored but signed again from the session's row. So the order of the claims and the algorithm (HMAC,
//! which takes no randomness) must not change.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::encoding::base64url;
use super::error::{CryptoError, TokenError};
use super::jws::{self, Compact, Header, JwsKey};
use super::secret::{MasterSecret, MasterSecrets};
use crate::clock::Timestamp;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::redacted::redacted_debug;

/// Claims of a refresh token. Times are whole seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The claim `sub`.
    pub user_id: UserId,
    /// The claim `sid`.
    pub session_id: SessionId,
    /// The claim `jti`.
    pub id: TokenId,
    /// The claim `iat`.
    pub issued_at: Timestamp,
    /// The claim `exp`.
    pub expires_at: Timestamp,
}

/// The header `alg`.
const ALGORITHM: &str = "HS256";

/// Purpose of the key.
const KEY: &str = "refresh token v1";

/// The claim `token_type`, as in `SimpleJWT`'s tokens.
const TOKEN_TYPE: &str = "refresh";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    sid: String,
    jti: String,
    iat: i64,
    exp: i64,
    token_type: String,
    /// Binds the token to a key of its holder (RFC 7800). This service does not verify that proof.
    #[serde(default, deserialize_with = "jws::is_present", skip_serializing)]
    cnf: bool,
    /// "Not before". This service does not issue it, so a token with it is not ours.
    #[serde(default, deserialize_with = "jws::is_present", skip_serializing)]
    nbf: bool,
}

/// Keys of refresh tokens, one derived from each master secret. The current key signs; all keys verify,
/// so that nobody is logged out while the secret is replaced.
pub struct RefreshKeys {
    current: RefreshKey,
    older: Vec<RefreshKey>,
}

struct RefreshKey {
    kid: String,
    key: JwsKey,
}

impl RefreshKeys {
    pub fn derive(secrets: &MasterSecrets) -> Result<Self, CryptoError> {
        let mut keys = secrets.iter().map(|secret| {
            let bytes = secret.derive(KEY)?;
            let private = EncodingKey::from_secret(bytes.as_slice());
            let public = DecodingKey::from_secret(bytes.as_slice());
            // Derived separately: a digest of the key would let an attacker test guesses of the key.
            let kid = base64url(&secret.derive("refresh token v1 kid")?[..8]);
            Ok(RefreshKey { kid, key: JwsKey::new(Algorithm::HS256, private, public)? })
        });
        let current = keys.next().ok_or(CryptoError("no master secret"))??;
        let older = keys.collect::<Result<_, _>>()?;
        Ok(Self { current, older })
    }

    /// The keys in base64url, one for each master secret, the current one first: for a site that is to verify
    /// refresh tokens. Who has one can make them, and nothing else.
    pub fn export(secrets: &MasterSecrets) -> Result<Vec<Zeroizing<String>>, CryptoError> {
        let key =
            |secret: &MasterSecret| Ok(Zeroizing::new(base64url(secret.derive(KEY)?.as_slice())));
        secrets.iter().map(key).collect()
    }

    /// Signs a token. The same claims give the same bytes as long as the master secret is the same.
    pub fn sign(&self, issuer: &str, token: &RefreshToken) -> Result<String, CryptoError> {
        let header = Header {
            alg: ALGORITHM.to_owned(),
            kid: Some(self.current.kid.clone()),
            typ: Some(jws::REFRESH.to_owned()),
            crit: false,
        };
        let claims = Claims {
            iss: issuer.to_owned(),
            sub: token.user_id.to_string(),
            sid: token.session_id.to_string(),
            jti: token.id.to_string(),
            iat: token.issued_at.as_seconds(),
            exp: token.expires_at.as_seconds(),
            token_type: TOKEN_TYPE.to_owned(),
            cnf: false,
            nbf: false,
        };
        self.current.key.sign(&header, &claims)
    }

    /// Verifies a token completely. It expires without leeway, because the session's row expires at the
    /// same moment. A token issued later than `now` is accepted: the clock was set back since, and to
    /// refuse the token would log its user out.
    pub fn verify(
        &self,
        issuer: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<RefreshToken, TokenError> {
        let compact = Compact::parse(token)?;
        let header = &compact.header;
        if header.has_type(jws::ACCESS) {
            return Err(TokenError::WrongType);
        }
        let mut keys = std::iter::once(&self.current).chain(&self.older);
        let key = keys.find(|key| header.kid.as_deref() == Some(&key.kid));
        let RefreshKey { key, .. } = key.ok_or(TokenError::Invalid)?;
        if header.crit || header.alg != ALGORITHM {
            return Err(TokenError::Invalid);
        }
        let claims: Claims = compact.claims(key)?;
        if !header.has_type(jws::REFRESH) || claims.token_type != TOKEN_TYPE {
            return Err(TokenError::WrongType);
        }
        let token = claims.into_token(issuer)?;
        if token.expires_at <= now {
            return Err(TokenError::Expired);
        }
        Ok(token)
    }
}

#[cfg(test)]
impl RefreshKeys {
    /// Signature of any message, for tokens that `sign` would not make.
    pub(super) fn signature(&self, message: &str) -> String {
        self.current.key.signature(message).unwrap()
    }
}

redacted_debug!(RefreshKeys);

impl Claims {
    /// Checks the claims of a token whose signature is verified.
    fn into_token(self, issuer: &str) -> Result<RefreshToken, TokenError> {
        if self.iss != issuer || self.cnf || self.nbf {
            return Err(TokenError::Invalid);
        }
        Ok(RefreshToken {
            user_id: UserId::parse(&self.sub).ok_or(TokenError::Invalid)?,
            session_id: SessionId::parse(&self.sid).ok_or(TokenError::Invalid)?,
            id: TokenId::parse(&self.jti).ok_or(TokenError::Invalid)?,
            issued_at: jws::numeric_date(self.iat)?,
            expires_at: jws::numeric_date(self.exp)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::crypto::encoding::from_base64url;
    use crate::crypto::test_fixtures::{now, refresh_keys, refresh_token};

    const OLD: &str = "0123456789abcdefghijklmnopqrstuv";
    const NEW: &str = "ZYXWVUTSRQPONMLKJIHGFEDCBA987654";
    const ISSUER: &str = "https://auth.example.com";

    #[test]
    fn the_same_facts_give_the_same_bytes_on_every_replica_and_after_a_restart() {
        let token = refresh_token();
        let one = refresh_keys(NEW).sign(ISSUER, &token).unwrap();
        let other = refresh_keys(&format!("{NEW},{OLD}")).sign(ISSUER, &token).unwrap();
        assert_eq!(one, other);
        // A release that changed the bytes would answer retries with other tokens.
        let digest = base64url(crate::crypto::digest::sha256(one.as_bytes()));
        assert_eq!(digest, "jvBzMggGpUPNc0QsioScQk3-dd9NNNSNl6YfcJ3DO-s");
    }

    #[test]
    fn its_header_and_claims_are_those_of_the_contract() {
        let text = refresh_keys(NEW).sign(ISSUER, &refresh_token()).unwrap();
        let segments: Vec<_> = text.split('.').map(from_base64url).collect();
        let segment = |at: usize| String::from_utf8(segments[at].clone().unwrap()).unwrap();
        assert!(segment(0).starts_with(r#"{"alg":"HS256","kid":""#), "{}", segment(0));
        assert!(segment(0).ends_with(r#"","typ":"rt+jwt"}"#), "{}", segment(0));
        let expected = concat!(
            r#"{"iss":"https://auth.example.com","#,
            r#""sub":"0199b4a8-2000-7000-8000-000000000001","#,
            r#""sid":"0199b4a8-2000-7000-8000-000000000002","#,
            r#""jti":"0199b4a8-2000-7000-8000-000000000003","#,
            r#""iat":1800000000,"exp":1800604800,"token_type":"refresh"}"#,
        );
        assert_eq!(segment(1), expected);
    }

    #[test]
    fn a_token_expires_with_its_session_and_without_leeway() {
        let (keys, token) = (refresh_keys(NEW), refresh_token());
        let text = keys.sign(ISSUER, &token).unwrap();
        let verify = |now| keys.verify(ISSUER, &text, now);
        let moment = Duration::from_micros(1);
        assert_eq!(verify(now()), Ok(token.clone()));
        assert_eq!(verify(token.expires_at - moment), Ok(token.clone()));
        assert_eq!(verify(token.expires_at), Err(TokenError::Expired));
        assert_eq!(verify(now() - Duration::from_hours(1)), Ok(token));
    }

    #[test]
    fn the_older_secret_verifies_and_the_newer_one_signs() {
        let (old, new) = (refresh_keys(OLD), refresh_keys(NEW));
        let both = refresh_keys(&format!("{NEW},{OLD}"));
        let token = refresh_token();
        let verify = |keys: &RefreshKeys, text: &str| keys.verify(ISSUER, text, now());
        let before = old.sign(ISSUER, &token).unwrap();
        assert_eq!(verify(&both, &before), Ok(token.clone()));
        assert_eq!(verify(&new, &before), Err(TokenError::Invalid));
        let after = both.sign(ISSUER, &token).unwrap();
        assert_eq!(verify(&new, &after), Ok(token));
        assert_eq!(verify(&old, &after), Err(TokenError::Invalid));
    }

    #[test]
    fn refresh_keys_are_not_printed() {
        assert_eq!(format!("{:?}", refresh_keys(NEW)), "RefreshKeys(…)");
    }
}
