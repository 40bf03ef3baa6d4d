//! Decisions that contradict each other.
//!
//! Rule: refused is what cannot be meant. What works and is only worth a thought is said by
//! `sallyport check`.

use std::net::SocketAddr;
use std::time::Duration;

use super::ConfigError;
use crate::auth::Policy;
use crate::clock::MAX_SKEW;

/// The longest window of a retry.
const MINUTE: Duration = Duration::from_mins(1);

/// The shortest bound on the age of the view of ended sessions: it is read every second.
pub(super) const FRESHEST: Duration = Duration::from_secs(2);

/// Whether lifetimes fit together.
pub(super) fn check(
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
        (policy.retry_window <= MINUTE, "--refresh-retry-window is 60s at most"),
        (
            // Else whoever copies a token could use it for longer than the one it opens lasts.
            policy.retry_window < policy.access_token_lifetime,
            "--refresh-retry-window must be shorter than --access-token-lifetime",
        ),
        (
            // Else every token is dead before anybody must have heard that its session ended.
            staleness <= policy.access_token_lifetime.max(FRESHEST),
            "--revocation-staleness must not be longer than --access-token-lifetime",
        ),
        (leeway <= MAX_SKEW, "--leeway is 60s at most"),
        (staleness >= FRESHEST, "--revocation-staleness is 2s at least"),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        Some((_, message)) => Err(ConfigError((*message).into())),
        None => Ok(()),
    }
}

/// Whether both ports can be open at once. Port 0 is one that is free.
pub(super) fn check_places(
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
