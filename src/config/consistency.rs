//! Checks of settings that contradict each other.
//!
//! Settings that cannot be meant are refused. Settings that work and are risky are reported by
//! `sallyport check`.

use std::net::SocketAddr;
use std::time::Duration;

use super::error::ConfigError;
use super::sessions::MIN_STALENESS;
use crate::auth::Policy;
use crate::clock::MAX_SKEW;

const MAX_RETRY_WINDOW: Duration = Duration::from_mins(1);

pub(super) fn check_lifetimes(
    policy: &Policy,
    leeway: Duration,
    staleness: Duration,
) -> Result<(), ConfigError> {
    let session = policy.session_lifetime.unwrap_or(Duration::MAX);
    let rules = [
        (
            policy.access_token_lifetime < policy.refresh_token_lifetime,
            "--access-token-lifetime must be shorter than --refresh-token-lifetime",
        ),
        (
            policy.access_token_lifetime <= session,
            "--session-lifetime must not be shorter than --access-token-lifetime",
        ),
        (policy.retry_window <= MAX_RETRY_WINDOW, "--refresh-retry-window is 60s at most"),
        (
            // A copied refresh token must not be usable for longer than the access token that it yields.
            policy.retry_window < policy.access_token_lifetime,
            "--refresh-retry-window must be shorter than --access-token-lifetime",
        ),
        (
            // Else every token expires before a replica must have heard that its session ended.
            staleness <= policy.access_token_lifetime.max(MIN_STALENESS),
            "--revocation-staleness must not be longer than --access-token-lifetime",
        ),
        (leeway <= MAX_SKEW, "--leeway is 60s at most"),
        (staleness >= MIN_STALENESS, "--revocation-staleness is 2s at least"),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        Some((_, message)) => Err(ConfigError((*message).into())),
        None => Ok(()),
    }
}

/// Checks that both ports can be open at once. Port 0 stands for a free one.
pub(super) fn check_addresses(
    listen: SocketAddr,
    metrics: Option<SocketAddr>,
) -> Result<(), ConfigError> {
    const MESSAGE: &str = "--metrics-listen must be another port than that of --listen";
    let collides = metrics.is_some_and(|metrics| {
        let everywhere = listen.ip().is_unspecified() || metrics.ip().is_unspecified();
        listen.port() != 0
            && listen.port() == metrics.port()
            && (everywhere || listen.ip() == metrics.ip())
    });
    if collides { Err(ConfigError(MESSAGE.into())) } else { Ok(()) }
}
