//! Flags about tokens: claims, signature, lifetimes.

use std::time::Duration;

use clap::Args;

use super::values::{Lifetime, Switch, Window};
use crate::crypto::access_token::Issuer;
use crate::crypto::algorithm::SigningAlgorithm;

/// Default window in which a refresh can be repeated.
const RETRY_WINDOW: Duration = Duration::from_secs(10);

/// Flags about tokens.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Tokens")]
pub struct TokenArguments {
    /// Public URL of this service, in the claim `iss`
    #[arg(
        long,
        env = "SALLYPORT_ISSUER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8000",
        value_parser = issuer
    )]
    pub(super) issuer: String,

    /// Audience of access tokens, in the claim `aud`
    #[arg(
        long,
        env = "SALLYPORT_AUDIENCE",
        value_name = "NAME",
        default_value = "sallyport",
        value_parser = name
    )]
    pub(super) audience: String,

    /// Value of the claim `client_id`, which RFC 9068 requires
    #[arg(
        long,
        env = "SALLYPORT_CLIENT_ID",
        value_name = "NAME",
        default_value = "sallyport",
        value_parser = name
    )]
    pub(super) client_id: String,

    /// Signature algorithm of access tokens: `ES256`, `EdDSA` or `RS256`; a change rotates the signing
    /// key [default: ES256, or the algorithm of the existing keys]
    #[arg(
        long,
        env = "SALLYPORT_ALGORITHM",
        value_name = "NAME",
        value_parser = algorithm
    )]
    pub(super) algorithm: Option<SigningAlgorithm>,

    /// Lifetime of access tokens
    #[arg(
        long,
        env = "SALLYPORT_ACCESS_TOKEN_LIFETIME",
        value_name = "TIME",
        default_value = "15m"
    )]
    pub(super) access_token_lifetime: Lifetime,

    /// Lifetime of refresh tokens; each rotation starts a new lifetime
    #[arg(
        long,
        env = "SALLYPORT_REFRESH_TOKEN_LIFETIME",
        value_name = "TIME",
        default_value = "7d"
    )]
    pub(super) refresh_token_lifetime: Lifetime,

    /// Replace the refresh token by a new one at each refresh (rotation)
    #[arg(
        long,
        env = "SALLYPORT_ROTATE_REFRESH_TOKENS",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true"
    )]
    pub(super) rotate_refresh_tokens: Switch,

    /// Time after a rotation in which the previous refresh token still returns the same new token, for
    /// clients that retry; at most 60s, 0 disables retries [default: 10s, or half of a shorter
    /// --access-token-lifetime]
    #[arg(long, env = "SALLYPORT_REFRESH_RETRY_WINDOW", value_name = "TIME")]
    pub(super) refresh_retry_window: Option<Window>,

    /// Tolerated difference between clocks, at most 60s
    #[arg(long, env = "SALLYPORT_LEEWAY", value_name = "TIME", default_value = "2s")]
    pub(super) leeway: Window,
}

impl TokenArguments {
    /// Half of a short lifetime, so that the default contradicts no other flag.
    pub(super) fn retry_window(&self) -> Duration {
        let default = RETRY_WINDOW.min(self.access_token_lifetime.0 / 2);
        self.refresh_retry_window.map_or(default, |window| window.0)
    }
}

impl From<TokenArguments> for Issuer {
    fn from(arguments: TokenArguments) -> Self {
        let TokenArguments { issuer, audience, client_id, leeway, .. } = arguments;
        Self { issuer, audience, client_id, leeway: leeway.0 }
    }
}

/// An http or https URL. Tokens contain it unchanged.
fn issuer(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_url = host.is_some_and(|host| {
        !host.is_empty()
            && !host.starts_with('/')
            && host.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\".contains(&byte))
    });
    if !is_url {
        return Err("expected an http or https URL such as https://auth.example.com".to_owned());
    }
    if text.ends_with('/') {
        return Err("expected a URL without a slash at the end".to_owned());
    }
    Ok(text.to_owned())
}

/// An audience or a client ID.
fn name(text: &str) -> Result<String, String> {
    let sound = !text.is_empty() && text.len() <= 200 && !text.chars().any(char::is_control);
    if sound {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 200 characters, without control characters".to_owned())
    }
}

pub(crate) fn algorithm(text: &str) -> Result<SigningAlgorithm, String> {
    let found = SigningAlgorithm::parse(text);
    found.ok_or_else(|| "expected ES256, EdDSA or RS256".to_owned())
}
