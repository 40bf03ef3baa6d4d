//! Checks of settings that contradict each other.
//!
//! Contradictory settings are refused. Valid settings that are risky are reported by `sallyport check`.

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
        (policy.retry_window <= MAX_RETRY_WINDOW, "--refresh-retry-window must be at most 60s"),
        (
            // A copied refresh token must not be usable for longer than the access token that it yields.
            policy.retry_window < policy.access_token_lifetime,
            "--refresh-retry-window must be shorter than --access-token-lifetime",
        ),
        (
            // Otherwise every token expires before a replica must know that its session has ended.
            staleness <= policy.access_token_lifetime.max(MIN_STALENESS),
            "--revocation-staleness must not be longer than --access-token-lifetime",
        ),
        (leeway <= MAX_SKEW, "--leeway must be at most 60s"),
        (staleness >= MIN_STALENESS, "--revocation-staleness must be at least 2s"),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        Some((_, message)) => Err(ConfigError((*message).into())),
        None => Ok(()),
    }
}

/// Checks that both ports can be open at once. Port 0 selects a free port.
pub(super) fn check_addresses(
    listen: SocketAddr,
    metrics: Option<SocketAddr>,
) -> Result<(), ConfigError> {
    const MESSAGE: &str = "--metrics-listen and --listen must use different ports";
    let collides = metrics.is_some_and(|metrics| {
        let everywhere = listen.ip().is_unspecified() || metrics.ip().is_unspecified();
        listen.port() != 0
            && listen.port() == metrics.port()
            && (everywhere || listen.ip() == metrics.ip())
    });
    if collides { Err(ConfigError(MESSAGE.into())) } else { Ok(()) }
}
