//! Flags about tokens: claims, signature, lifetimes.

use std::time::Duration;

use clap::Args;

use super::values::{Lifetime, Switch, Window};
use crate::crypto::access_token::Issuer;
use crate::crypto::algorithm::SigningAlgorithm;

/// Window of a repeated refresh if none is given.
const RETRY_WINDOW: Duration = Duration::from_secs(10);

/// The flags about tokens.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Tokens")]
pub struct TokenArguments {
    /// The URL of this service as its clients know it: the claim `iss`
    #[arg(
        long,
        env = "SALLYPORT_ISSUER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8000",
        value_parser = issuer
    )]
    pub(super) issuer: String,

    /// Whom access tokens are for: the claim `aud`
    #[arg(
        long,
        env = "SALLYPORT_AUDIENCE",
        value_name = "NAME",
        default_value = "sallyport",
        value_parser = name
    )]
    pub(super) audience: String,

    /// The claim `client_id`, which RFC 9068 demands
    #[arg(
        long,
        env = "SALLYPORT_CLIENT_ID",
        value_name = "NAME",
        default_value = "sallyport",
        value_parser = name
    )]
    pub(super) client_id: String,

    /// How access tokens are signed: `ES256`, `EdDSA` or `RS256`; another than before rotates the keys
    /// [default: ES256, or what the keys there are sign with]
    #[arg(
        long,
        env = "SALLYPORT_ALGORITHM",
        value_name = "NAME",
        value_parser = algorithm
    )]
    pub(super) algorithm: Option<SigningAlgorithm>,

    /// How long an access token lives
    #[arg(
        long,
        env = "SALLYPORT_ACCESS_TOKEN_LIFETIME",
        value_name = "TIME",
        default_value = "15m"
    )]
    pub(super) access_token_lifetime: Lifetime,

    /// How long a refresh token lives; each rotation gives as much again
    #[arg(
        long,
        env = "SALLYPORT_REFRESH_TOKEN_LIFETIME",
        value_name = "TIME",
        default_value = "7d"
    )]
    pub(super) refresh_token_lifetime: Lifetime,

    /// Whether a refresh puts a new refresh token in the place of the old one
    #[arg(
        long,
        env = "SALLYPORT_ROTATE_REFRESH_TOKENS",
        value_enum,
        value_name = "true|false",
        hide_possible_values = true,
        default_value = "true"
    )]
    pub(super) rotate_refresh_tokens: Switch,

    /// How long the refresh token just rotated away still gets the same successor; 0 is never, 60s
    /// at most [default: 10s, or half of a shorter --access-token-lifetime]
    #[arg(long, env = "SALLYPORT_REFRESH_RETRY_WINDOW", value_name = "TIME")]
    pub(super) refresh_retry_window: Option<Window>,

    /// How far clocks may be apart, 60s at most
    #[arg(long, env = "SALLYPORT_LEEWAY", value_name = "TIME", default_value = "2s")]
    pub(super) leeway: Window,
}

impl TokenArguments {
    /// Half of a short lifetime, so that the default contradicts no lifetime that is given.
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

/// An http or https URL, which tokens carry letter by letter.
fn issuer(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_url = host.is_some_and(|host| {
        !host.is_empty()
            && !host.starts_with('/')
            && host.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\".contains(&byte))
    });
    if !is_url {
        return Err("an issuer is a URL like https://auth.example.com".to_owned());
    }
    if text.ends_with('/') {
        return Err("an issuer has no slash at its end".to_owned());
    }
    Ok(text.to_owned())
}

/// An audience or a client ID.
fn name(text: &str) -> Result<String, String> {
    let sound = !text.is_empty() && text.len() <= 200 && !text.chars().any(char::is_control);
    if sound { Ok(text.to_owned()) } else { Err("this has 1 to 200 characters".to_owned()) }
}

pub(crate) fn algorithm(text: &str) -> Result<SigningAlgorithm, String> {
    let found = SigningAlgorithm::parse(text);
    found.ok_or_else(|| "an algorithm is ES256, EdDSA or RS256".to_owned())
}
