//! Flags about sessions: lifetime, number, revocation and retention.

use std::time::Duration;

use clap::Args;

use super::values::{Lifetime, Optional};

/// Default maximum age of the revocation list.
const STALENESS: Duration = Duration::from_secs(5);

/// Shortest maximum age of the revocation list: it is read every second.
pub(super) const MIN_STALENESS: Duration = Duration::from_secs(2);

/// The flags about sessions.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Sessions")]
pub struct SessionArguments {
    /// How long a session lives at most, however often it is refreshed
    #[arg(long, env = "SALLYPORT_SESSION_LIFETIME", value_name = "TIME", default_value = "off")]
    pub(super) session_lifetime: Optional<Duration>,

    /// How many live sessions a user may have, or off; the oldest end beyond it
    #[arg(
        long,
        env = "SALLYPORT_MAX_SESSIONS_PER_USER",
        value_name = "COUNT",
        default_value = "1000"
    )]
    pub(super) max_sessions_per_user: Optional<u32>,

    /// How old the view of sessions ended elsewhere may be before protected fields answer
    /// `SERVICE_UNAVAILABLE` [default: 5s, or a shorter --access-token-lifetime]
    #[arg(long, env = "SALLYPORT_REVOCATION_STALENESS", value_name = "TIME")]
    pub(super) revocation_staleness: Option<Lifetime>,

    #[command(flatten)]
    pub(super) retention: RetentionArguments,
}

impl SessionArguments {
    /// A short lifetime of access tokens lowers the default, so that it contradicts none that is given.
    pub(super) fn staleness(&self, access_token_lifetime: Duration) -> Duration {
        let default = STALENESS.min(access_token_lifetime).max(MIN_STALENESS);
        self.revocation_staleness.map_or(default, |staleness| staleness.0)
    }
}

/// How long what happened is remembered.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Sessions")]
pub struct RetentionArguments {
    /// How long audit events are kept
    #[arg(long, env = "SALLYPORT_AUDIT_RETENTION", value_name = "TIME", default_value = "90d")]
    audit_retention: Lifetime,

    /// How long addresses and user agents are kept: in audit events and blacklist entries, and in
    /// sessions since their last use
    #[arg(long, env = "SALLYPORT_METADATA_RETENTION", value_name = "TIME", default_value = "90d")]
    metadata_retention: Lifetime,
}

impl RetentionArguments {
    #[must_use]
    pub fn audit(&self) -> Duration {
        self.audit_retention.0
    }

    #[must_use]
    pub fn metadata(&self) -> Duration {
        self.metadata_retention.0
    }
}
