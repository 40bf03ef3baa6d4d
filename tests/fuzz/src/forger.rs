//! A forger who has the real keys: what a signature does not stop is left to the checks of header
//! and claims, and only that is worth fuzzing.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use sallyport::clock::Timestamp;
use sallyport::crypto::access_token::{AccessToken, Issuer, sign};
use sallyport::crypto::algorithm::SigningAlgorithm::Es256;
use sallyport::crypto::key_ring::KeyRing;
use sallyport::crypto::refresh_token::{RefreshKeys, RefreshToken};
use sallyport::crypto::secret::MasterSecrets;
use sallyport::crypto::key_pair::KeyPair;
use sallyport::domain::id::{SessionId, TokenId, UserId};
use sallyport::domain::user::Role;
use sallyport::entropy::SystemEntropy;
use serde_json::Value;

const SECRET: &str = "0123456789abcdefghijklmnopqrstuv";

/// What tokens of the forger are judged with.
pub struct Forger {
    pub ring: KeyRing,
    pub refresh_keys: RefreshKeys,
    pub issuer: Issuer,
    /// The name of the key of access tokens.
    pub kid: String,
    access_key: EncodingKey,
    refresh_key: EncodingKey,
}

/// The one forger: making keys takes longer than a thousand tokens.
pub static FORGER: LazyLock<Forger> = LazyLock::new(Forger::new);

/// When all tokens are judged.
pub fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

impl Forger {
    fn new() -> Self {
        let secrets = MasterSecrets::parse(SECRET).expect("a secret");
        let key = KeyPair::generate(Es256).expect("a key");
        let sealed = key.to_sealed(&secrets, &SystemEntropy).expect("a seal");
        let opened = secrets.open(&format!("signing key ES256 {}", key.kid()), &sealed);
        let access_key = EncodingKey::from_ec_der(&opened.expect("the private part").plain);
        let root = Salt::new(HKDF_SHA256, b"sallyport master secret").extract(SECRET.as_bytes());
        let mut derived = [0; 32];
        root.expand(&[b"sallyport ", b"refresh token v1"], HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut derived))
            .expect("a key");
        let issuer = Issuer {
            issuer: "https://auth.example.com".to_owned(),
            audience: "api".to_owned(),
            client_id: "web".to_owned(),
            leeway: Duration::from_secs(2),
        };
        let forger = Self {
            kid: key.kid().to_owned(),
            ring: KeyRing::new(Arc::new(key), []),
            refresh_keys: RefreshKeys::derive(&secrets).expect("keys"),
            issuer,
            access_key,
            refresh_key: EncodingKey::from_secret(&derived),
        };
        forger.prove();
        forger
    }

    /// A forger whose tokens nobody takes would find nothing.
    fn prove(&self) {
        let access = self.good_access();
        let forged = self.access(&segment(&access, 0), &segment(&access, 1));
        let judged = sallyport::crypto::access_token::verify;
        judged(&self.ring, &self.issuer, &forged, now()).expect("an access token that is taken");
        let refresh = self.good_refresh();
        let forged = self.refresh(&segment(&refresh, 0), &segment(&refresh, 1));
        let judged = self.refresh_keys.verify(&self.issuer.issuer, &forged, now());
        judged.expect("a refresh token that is taken");
    }

    /// Any header and any claims, signed by the key of access tokens. A header with the name
    /// `KID` gets the key's.
    pub fn access(&self, header: &str, claims: &str) -> String {
        let header = header.replace("KID", &self.kid);
        signed(&header, claims, &self.access_key, Algorithm::ES256)
    }

    /// The same by the key of refresh tokens.
    pub fn refresh(&self, header: &str, claims: &str) -> String {
        let header = header.replace("KID", &self.refresh_kid());
        signed(&header, claims, &self.refresh_key, Algorithm::HS256)
    }

    /// The name of the key of refresh tokens.
    pub fn refresh_kid(&self) -> String {
        let header: Value = serde_json::from_str(&segment(&self.good_refresh(), 0)).expect("JSON");
        header["kid"].as_str().expect("a name").to_owned()
    }

    fn good_access(&self) -> String {
        let RefreshToken { user_id, session_id, id, issued_at, .. } = facts();
        let token = AccessToken {
            user_id,
            session_id,
            id,
            issued_at,
            expires_at: issued_at + Duration::from_secs(900),
            auth_time: issued_at,
            methods: Methods::of(&[Method::Password]),
            assurance: Assurance::SingleFactor,
            factor_time: None,
            role: Role::Admin,
            external_id: None,
        };
        sign(&self.ring, &self.issuer, &token).expect("a token")
    }

    fn good_refresh(&self) -> String {
        self.refresh_keys.sign(&self.issuer.issuer, &facts()).expect("a token")
    }
}

fn facts() -> RefreshToken {
    RefreshToken {
        user_id: UserId::parse("0199b4a8-2000-7000-8000-000000000001").expect("an id"),
        session_id: SessionId::parse("0199b4a8-2000-7000-8000-000000000002").expect("an id"),
        id: TokenId::parse("0199b4a8-2000-7000-8000-000000000003").expect("an id"),
        issued_at: now(),
        expires_at: now() + Duration::from_secs(604_800),
    }
}

fn signed(header: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm);
    format!("{message}.{}", signature.expect("a signature"))
}

fn segment(token: &str, at: usize) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(at).expect("a segment"));
    String::from_utf8(bytes.expect("base64url")).expect("UTF-8")
}

/// What every token of ours says, as far as both kinds agree; judged without the service's code.
pub struct Said {
    header: Value,
    claims: Value,
}

impl Said {
    /// `None` where one of the two is no object, or a name may stand in it twice: that is for the
    /// service to refuse, and this reader would not see it.
    pub fn read(header: &str, claims: &str) -> Option<Self> {
        let once = |text: &str, names: &[&str]| {
            !text.contains('\\')
                && names.iter().all(|name| text.matches(&format!("\"{name}\"")).count() <= 1)
        };
        let names = [
            "iss",
            "aud",
            "sub",
            "client_id",
            "sid",
            "jti",
            "iat",
            "exp",
            "auth_time",
            "amr",
            "acr",
            "factor_time",
            "token_type",
            "role",
            "scope",
        ];
        if !once(header, &["alg", "kid", "typ"]) || !once(claims, &names) {
            return None;
        }
        let object = |text| serde_json::from_str(text).ok().filter(Value::is_object);
        Some(Self { header: object(header)?, claims: object(claims)? })
    }

    /// Whether the header is the one that this service writes.
    pub fn header_is(&self, algorithm: &str, kid: &str, typ: &str) -> bool {
        let said = self.header["typ"].as_str().map(str::to_ascii_lowercase);
        let said = said.as_deref().map(|said| said.strip_prefix("application/").unwrap_or(said));
        self.header["alg"] == algorithm
            && self.header["kid"] == kid
            && said == Some(typ)
            && self.header.get("crit").is_none()
    }

    /// Whether a claim is this text.
    pub fn claim_is(&self, name: &str, value: &str) -> bool {
        self.claims[name] == value
    }

    /// Whether a claim is not there, or null.
    pub fn claim_is_nothing(&self, name: &str) -> bool {
        self.claims[name].is_null()
    }

    /// Whether the audience is this text, or has it among its texts.
    pub fn audience_has(&self, audience: &str) -> bool {
        match &self.claims["aud"] {
            Value::Array(several) => {
                several.iter().all(Value::is_string) && several.iter().any(|one| one == audience)
            }
            one => one == audience,
        }
    }

    /// A claim that is a moment, in seconds.
    pub fn moment(&self, name: &str) -> Option<i64> {
        self.claims[name].as_i64().filter(|seconds| *seconds >= 0)
    }

    /// Whether the ids are three UUIDs in their one spelling, and nothing limits the token further.
    pub fn is_plain(&self) -> bool {
        let id = |name: &str| self.claims[name].as_str().and_then(UserId::parse).is_some();
        id("sub")
            && id("sid")
            && id("jti")
            && self.claims.get("cnf").is_none()
            && self.claims.get("nbf").is_none()
    }
}
