//! Access tokens: JWTs by the profile of RFC 9068, which resource servers verify with the public keys.
//!
//! An accepted token could have been issued by this service a moment ago: every claim is present once, has
//! its type and the value of this service. A claim that restricts a token in a way that is not enforced
//! here makes the token invalid. Expiry is checked last, so that `Expired` means valid in all else.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::algorithm::SigningAlgorithm;
use super::encoding::from_base64url;
use super::error::{CryptoError, TokenError};
use super::jws::{self, Compact, Header};
use super::key_ring::KeyRing;
use crate::clock::Timestamp;
use crate::domain::assurance::Assurance;
use crate::domain::authentication::{Method, Methods};
use crate::domain::external_account::ExternalId;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::user::Role;

/// Claims of an access token. Times are whole seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
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
    /// Time of the login, or of the last proof after it: the claim `auth_time`.
    pub auth_time: Timestamp,
    /// What the user showed: the claim `amr`.
    pub methods: Methods,
    /// How sure that is: the claim `acr`.
    pub assurance: Assurance,
    /// Time of the last second factor: the claim `factor_time`, of this service's own.
    pub factor_time: Option<Timestamp>,
    /// Role of the user when the token was issued, the claim `role`.
    pub role: Role,
    /// Id of the user in the system that the account was imported from, the claim `user_id`.
    pub external_id: Option<ExternalId>,
}

/// Configured values of the claims that all access tokens share.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// The claim `iss`.
    pub issuer: String,
    /// The claim `aud`.
    pub audience: String,
    /// The claim `client_id`, which RFC 9068 requires.
    pub client_id: String,
    /// Tolerated difference between the clocks of replicas.
    pub leeway: Duration,
}

/// The claim `token_type`, as `SimpleJWT`'s resource servers read it.
const TOKEN_TYPE: &str = "access";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    sub: String,
    client_id: String,
    sid: String,
    jti: String,
    iat: i64,
    exp: i64,
    auth_time: i64,
    /// Methods (RFC 8176). A version without second factors does not write this claim and the next two.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    amr: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    factor_time: Option<i64>,
    token_type: String,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    /// Permissions of the role, where routers and gateways look for them (RFC 9068, section 2.2.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// Binds the token to a key of its holder (RFC 7800). This service does not verify that proof.
    #[serde(default, deserialize_with = "jws::is_present", skip_serializing)]
    cnf: bool,
    /// "Not before". This service does not issue it, so a token with it is not ours.
    #[serde(default, deserialize_with = "jws::is_present", skip_serializing)]
    nbf: bool,
}

/// One audience or several (RFC 7519, section 4.1.3).
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn includes(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Several(several) => several.iter().any(|one| one == audience),
        }
    }
}

fn scope(role: Role) -> Option<&'static str> {
    match role {
        Role::User | Role::Unknown => None,
        Role::Admin => Some(Role::Admin.as_str()),
    }
}

/// Whether a token of this role may have this scope. A role of a newer version may have any scope but that
/// of a known role: it allows nothing here beyond one's own account.
fn has_scope(role: Role, found: Option<&str>) -> bool {
    match role {
        Role::Unknown => found != scope(Role::Admin),
        Role::User | Role::Admin => found == scope(role),
    }
}

/// The methods of the claim, without those that this version does not know.
fn methods(amr: &[String]) -> Methods {
    let known: Vec<Method> = amr.iter().filter_map(|word| Method::parse(word)).collect();
    Methods::of(&known)
}

/// Signs a token with the ring's signing key.
pub fn sign(ring: &KeyRing, issuer: &Issuer, token: &AccessToken) -> Result<String, CryptoError> {
    let claims = Claims {
        iss: issuer.issuer.clone(),
        aud: Audience::One(issuer.audience.clone()),
        sub: token.user_id.to_string(),
        client_id: issuer.client_id.clone(),
        sid: token.session_id.to_string(),
        jti: token.id.to_string(),
        iat: token.issued_at.as_seconds(),
        exp: token.expires_at.as_seconds(),
        auth_time: token.auth_time.as_seconds(),
        amr: token.methods.iter().map(|method| method.as_str().to_owned()).collect(),
        acr: Some(token.assurance.acr().to_owned()),
        factor_time: token.factor_time.map(Timestamp::as_seconds),
        token_type: TOKEN_TYPE.to_owned(),
        role: token.role.as_str().to_owned(),
        user_id: token.external_id.as_ref().map(|id| id.as_str().to_owned()),
        scope: scope(token.role).map(str::to_owned),
        cnf: false,
        nbf: false,
    };
    let key = ring.signing().ok_or(CryptoError("no active signing key"))?;
    key.sign(jws::ACCESS, &claims)
}

/// The `kid` of an unverified token, if the header is one that this service could have written. For
/// looking up a key that this replica does not know yet.
#[must_use]
pub fn claimed_key(token: &str) -> Option<String> {
    let header = access_header(token)?;
    // A thumbprint has 32 bytes.
    let is_name = |kid: &String| from_base64url(kid).is_some_and(|bytes| bytes.len() == 32);
    let is_ours = !header.crit && SigningAlgorithm::parse(&header.alg).is_some();
    header.kid.filter(|kid| is_ours && is_name(kid))
}

/// The `kid` of an unverified token, if it names an algorithm that this version does not know. For telling
/// whether a newer version signed it.
#[must_use]
pub fn claimed_key_of_unknown_algorithm(token: &str) -> Option<String> {
    let header = access_header(token)?;
    header.kid.filter(|_| SigningAlgorithm::parse(&header.alg).is_none())
}

fn access_header(token: &str) -> Option<Header> {
    let header = Compact::parse(token).ok()?.header;
    header.has_type(jws::ACCESS).then_some(header)
}

/// Verifies a token completely. It expires at `exp` plus the leeway.
pub fn verify(
    ring: &KeyRing,
    issuer: &Issuer,
    token: &str,
    now: Timestamp,
) -> Result<AccessToken, TokenError> {
    let token = verify_ignoring_expiry(ring, issuer, token, now)?;
    if token.expires_at + issuer.leeway <= now {
        return Err(TokenError::Expired);
    }
    Ok(token)
}

/// Verifies a token completely except for its expiry. Enough to end the token's session, and for nothing
/// else. Never fails with `Expired`.
pub fn verify_ignoring_expiry(
    ring: &KeyRing,
    issuer: &Issuer,
    token: &str,
    now: Timestamp,
) -> Result<AccessToken, TokenError> {
    let compact = Compact::parse(token)?;
    let header = &compact.header;
    // Refresh tokens have other keys, so this cannot be verified here. It is refused either way.
    if header.has_type(jws::REFRESH) {
        return Err(TokenError::WrongType);
    }
    let key = header.kid.as_deref().and_then(|kid| ring.verifying(kid));
    let key = key.ok_or(TokenError::Invalid)?;
    if header.crit || header.alg != key.algorithm().as_str() {
        return Err(TokenError::Invalid);
    }
    let claims: Claims = compact.claims(key.pair())?;
    if !header.has_type(jws::ACCESS) || claims.token_type != TOKEN_TYPE {
        return Err(TokenError::WrongType);
    }
    claims.into_token(issuer, now)
}

impl Claims {
    /// Checks the claims of a token whose signature is verified.
    fn into_token(self, issuer: &Issuer, now: Timestamp) -> Result<AccessToken, TokenError> {
        let is_ours = self.iss == issuer.issuer
            && self.aud.includes(&issuer.audience)
            && self.client_id == issuer.client_id;
        if !is_ours || self.cnf || self.nbf {
            return Err(TokenError::Invalid);
        }
        let token = AccessToken {
            user_id: UserId::parse(&self.sub).ok_or(TokenError::Invalid)?,
            session_id: SessionId::parse(&self.sid).ok_or(TokenError::Invalid)?,
            id: TokenId::parse(&self.jti).ok_or(TokenError::Invalid)?,
            issued_at: jws::numeric_date(self.iat)?,
            expires_at: jws::numeric_date(self.exp)?,
            auth_time: jws::numeric_date(self.auth_time)?,
            methods: methods(&self.amr),
            assurance: Assurance::of_acr(self.acr.as_deref()),
            factor_time: self.factor_time.map(jws::numeric_date).transpose()?,
            role: Role::read(&self.role),
            external_id: self.user_id.map(ExternalId::from_stored),
        };
        if !has_scope(token.role, self.scope.as_deref()) {
            return Err(TokenError::Invalid);
        }
        // Issued in the future: a clock is wrong, or somebody else uses the key.
        if token.issued_at > now + issuer.leeway {
            return Err(TokenError::Invalid);
        }
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::test_fixtures;

    #[test]
    fn a_token_of_every_algorithm_comes_back_as_it_was() {
        let (issuer, token) = (test_fixtures::issuer(), test_fixtures::access_token());
        for ring in test_fixtures::rings() {
            let text = sign(&ring, &issuer, &token).unwrap();
            assert_eq!(verify(&ring, &issuer, &text, token.issued_at), Ok(token.clone()));
        }
    }

    #[test]
    fn its_header_and_claims_are_those_of_the_contract() {
        let [ring, ..] = test_fixtures::rings();
        let text = sign(&ring, &test_fixtures::issuer(), &test_fixtures::access_token()).unwrap();
        let segments: Vec<_> = text.split('.').map(from_base64url).collect();
        let segment = |at: usize| String::from_utf8(segments[at].clone().unwrap()).unwrap();
        let kid = ring.signing().unwrap().kid();
        assert_eq!(segment(0), format!(r#"{{"alg":"ES256","kid":"{kid}","typ":"at+jwt"}}"#));
        let expected = concat!(
            r#"{"iss":"https://auth.example.com","aud":"api","#,
            r#""sub":"0199b4a8-2000-7000-8000-000000000001","client_id":"web","#,
            r#""sid":"0199b4a8-2000-7000-8000-000000000002","#,
            r#""jti":"0199b4a8-2000-7000-8000-000000000003","#,
            r#""iat":1800000000,"exp":1800000900,"auth_time":1799990000,"#,
            r#""amr":["pwd","otp","mfa"],"acr":"urn:sallyport:multi-factor","#,
            r#""factor_time":1799995000,"#,
            r#""token_type":"access","role":"ADMIN","scope":"ADMIN"}"#,
        );
        assert_eq!(segment(1), expected);
    }

    #[test]
    fn a_token_expires_at_the_leeway_after_its_end() {
        let ([ring, ..], issuer, token) =
            (test_fixtures::rings(), test_fixtures::issuer(), test_fixtures::access_token());
        let text = sign(&ring, &issuer, &token).unwrap();
        let end = token.expires_at + issuer.leeway;
        let moment = Duration::from_micros(1);
        assert!(verify(&ring, &issuer, &text, token.expires_at).is_ok());
        assert!(verify(&ring, &issuer, &text, end - moment).is_ok());
        assert_eq!(verify(&ring, &issuer, &text, end), Err(TokenError::Expired));
        assert_eq!(verify(&ring, &issuer, &text, end + moment), Err(TokenError::Expired));
        assert_eq!(verify_ignoring_expiry(&ring, &issuer, &text, end + moment), Ok(token));
    }

    #[test]
    fn a_token_may_be_issued_in_the_future_by_the_leeway() {
        let ([ring, ..], issuer, token) =
            (test_fixtures::rings(), test_fixtures::issuer(), test_fixtures::access_token());
        let text = sign(&ring, &issuer, &token).unwrap();
        let earliest = token.issued_at - issuer.leeway;
        assert!(verify(&ring, &issuer, &text, earliest).is_ok());
        let too_early = earliest - Duration::from_micros(1);
        assert_eq!(verify(&ring, &issuer, &text, too_early), Err(TokenError::Invalid));
    }

    #[test]
    fn only_a_token_that_could_be_ours_claims_a_key() {
        let name = test_fixtures::keys()[0].kid();
        let claims =
            |header: &str| claimed_key(&format!("{}.AAAA", test_fixtures::message(header, "")));
        let header = format!(r#"{{"alg":"ES256","kid":"{name}","typ":"at+jwt"}}"#);
        assert_eq!(claims(&header).as_deref(), Some(name));
        for (from, to) in [
            ("ES256", "HS256"),
            ("at+jwt", "JWT"),
            (name, &name[1..]),
            (name, "not a thumbprint"),
            ("typ", "type"),
            ("kid", "kit"),
            (r#"{"alg"#, r#"{"crit":["x"],"alg"#),
        ] {
            assert_eq!(claims(&header.replacen(from, to, 1)), None, "{from} -> {to}");
        }
        assert_eq!(claimed_key("x"), None);
    }
}
