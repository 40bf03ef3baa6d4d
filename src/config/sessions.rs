//! Flags about sessions: lifetime, number, revocation and retention.

use std::time::Duration;

use clap::Args;

use super::values::{Lifetime, Optional};

/// Default maximum age of the revocation list.
const STALENESS: Duration = Duration::from_secs(5);

/// Lower bound of the maximum age of the revocation list, which is read every second.
pub(super) const MIN_STALENESS: Duration = Duration::from_secs(2);

/// Flags about sessions.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Sessions")]
pub struct SessionArguments {
    /// Maximum lifetime of a session from login, regardless of refreshes, or off
    #[arg(long, env = "SALLYPORT_SESSION_LIFETIME", value_name = "TIME", default_value = "off")]
    pub(super) session_lifetime: Optional<Duration>,

    /// Maximum number of active sessions per user, or off; beyond the limit the oldest sessions end
    #[arg(
        long,
        env = "SALLYPORT_MAX_SESSIONS_PER_USER",
        value_name = "COUNT",
        default_value = "1000"
    )]
    pub(super) max_sessions_per_user: Optional<u32>,

    /// Maximum age of a replica's list of ended sessions, at least 2s; while the list is older,
    /// protected fields return `SERVICE_UNAVAILABLE` [default: 5s, or a shorter --access-token-lifetime]
    #[arg(long, env = "SALLYPORT_REVOCATION_STALENESS", value_name = "TIME")]
    pub(super) revocation_staleness: Option<Lifetime>,

    #[command(flatten)]
    pub(super) retention: RetentionArguments,
}

impl SessionArguments {
    /// A short lifetime of access tokens lowers the default, so that the default contradicts no other flag.
    pub(super) fn staleness(&self, access_token_lifetime: Duration) -> Duration {
        let default = STALENESS.min(access_token_lifetime).max(MIN_STALENESS);
        self.revocation_staleness.map_or(default, |staleness| staleness.0)
    }
}

/// Flags about retention.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Sessions")]
pub struct RetentionArguments {
    /// Retention period of audit events
    #[arg(long, env = "SALLYPORT_AUDIT_RETENTION", value_name = "TIME", default_value = "90d")]
    audit_retention: Lifetime,

    /// Retention period of IP addresses and user agents: in audit events and blacklist entries, and in
    /// sessions from their last use
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
