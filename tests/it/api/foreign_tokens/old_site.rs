//! A Django site that was moved here: its key, its tokens, and the rows that its import left.

use std::path::PathBuf;
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use sallyport::clock::{Clock, SystemClock};
use sallyport::domain::user::Role;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::service::Service;
use crate::databases::{Database, Raw};

pub const SECRET: &str = "django-insecure-0123456789abcdefghijklmnopqrstuv";

/// The file of `--accept-foreign-tokens`, with these lines besides the key.
pub struct OldSite {
    directory: TempDir,
    /// Seconds since the epoch when the test began.
    pub began: i64,
}

impl OldSite {
    pub fn new(more: &str) -> Self {
        let directory = TempDir::new().unwrap();
        std::fs::write(directory.path().join("django.key"), SECRET).unwrap();
        let file = format!("key-file = \"django.key\"\n{more}");
        std::fs::write(directory.path().join("django.toml"), file).unwrap();
        Self { directory, began: SystemClock::new().now().as_seconds() }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("django.toml")
    }

    pub fn flags(&self) -> String {
        format!("--accept-foreign-tokens {}", self.path().display())
    }

    /// A service with an imported account `ada`, which is 42 there.
    pub async fn service(&self, database: &Database, flags: &str) -> Service {
        let service = Service::start(database, &format!("{} {flags}", self.flags())).await;
        service.make("ada", Role::User).await;
        imported(database, "ada", "42").await;
        service
    }

    /// The claims of a token that was issued an hour ago and lasts for a day.
    pub fn claims(&self, jti: &str) -> Value {
        json!({
            "token_type": "refresh", "jti": jti, "user_id": "42",
            "iat": self.began - 3_600, "exp": self.began + 86_400,
        })
    }

    /// A token that the import named.
    pub async fn outstanding(&self, database: &Database, jti: &str) -> String {
        let mut raw = database.raw().await;
        raw.execute(format!(
            "INSERT INTO foreign_tokens (source, jti, external_id, created_at, expires_at) \
             VALUES ('django', '{jti}', '42', {}, {})",
            (self.began - 3_600) * 1_000_000,
            (self.began + 86_400) * 1_000_000,
        ))
        .await;
        sign(&self.claims(jti))
    }
}

pub fn sign(claims: &Value) -> String {
    sign_with(claims, SECRET, Algorithm::HS256)
}

pub fn sign_with(claims: &Value, secret: &str, algorithm: Algorithm) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap()
}

fn bytes(raw: &Raw, hex: &str) -> String {
    match raw {
        Raw::Sqlite(_) => format!("X'{hex}'"),
        Raw::Postgres(_) => format!("decode('{hex}', 'hex')"),
    }
}

/// Makes an account an imported one.
pub async fn imported(database: &Database, username: &str, external_id: &str) {
    let mut raw = database.raw().await;
    let digest = bytes(&raw, "00");
    raw.execute(
        "INSERT INTO import_sources (source, imported_at, settings) VALUES ('django', 0, '{}') \
         ON CONFLICT DO NOTHING",
    )
    .await;
    raw.execute(format!(
        "UPDATE users SET external_id = '{external_id}' WHERE username = '{username}'"
    ))
    .await;
    raw.execute(format!(
        "INSERT INTO external_accounts (source, external_id, user_id, imported, written, imported_at) \
         SELECT 'django', '{external_id}', id, {digest}, {digest}, 0 FROM users \
         WHERE username = '{username}'"
    ))
    .await;
}

/// Sets the fingerprint of the account's password in the other system.
pub async fn fingerprint(database: &Database, hex: &str) {
    let mut raw = database.raw().await;
    let bytes = bytes(&raw, hex);
    raw.execute(format!("UPDATE external_accounts SET password_fingerprint = {bytes}")).await;
}

pub async fn blacklist(database: &Database, jti: &str) {
    let sql = format!("UPDATE foreign_tokens SET blacklisted_at = 1 WHERE jti = '{jti}'");
    database.raw().await.execute(sql).await;
}

/// The claims of an access token, unverified.
pub fn claims_of(token: &str) -> Value {
    use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

pub const MINUTE: Duration = Duration::from_mins(1);
