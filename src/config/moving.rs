//! Flags about the move from another system.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::Window;
use crate::http::EndpointPath;

/// Flags about the move from another system.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Move")]
pub struct MoveArguments {
    /// Exchange refresh tokens of another system for sessions, as this TOML file says: `source`, `algorithm`,
    /// `key-file` and others (see `sallyport help move`)
    #[arg(long, env = "SALLYPORT_ACCEPT_FOREIGN_TOKENS", value_name = "FILE")]
    pub(super) accept_foreign_tokens: Option<PathBuf>,

    /// Path of REST endpoints that answer as SimpleJWT does, such as `/api/token`, for clients that know no
    /// GraphQL: `PATH/`, `PATH/refresh/`, `PATH/verify/` and `PATH/blacklist/`
    #[arg(long, env = "SALLYPORT_SIMPLEJWT_ENDPOINTS", value_name = "PATH")]
    pub(super) simplejwt_endpoints: Option<EndpointPath>,

    /// Time after its exchange in which another use of such a token is refused without ending its session
    #[arg(long, env = "SALLYPORT_FOREIGN_GRACE", value_name = "TIME", default_value = "10m")]
    pub(super) foreign_grace: Window,
}

/// The file of `--accept-foreign-tokens`, and the grace period.
#[derive(Clone, Debug)]
pub struct ForeignTokenSource {
    pub file: PathBuf,
    pub grace: Duration,
}

impl MoveArguments {
    pub(super) fn foreign_tokens(&self) -> Option<ForeignTokenSource> {
        let file = self.accept_foreign_tokens.clone()?;
        Some(ForeignTokenSource { file, grace: self.foreign_grace.0 })
    }
}
