//! Flags about clients of the system that was moved from.

use clap::Args;

use crate::http::EndpointPath;

/// Flags about clients of the system that was moved from.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Move")]
pub struct SimplejwtArguments {
    /// Path of REST endpoints that answer as SimpleJWT does, such as `/api/token`, for clients that know no
    /// GraphQL: `PATH/`, `PATH/refresh/`, `PATH/verify/` and `PATH/blacklist/`
    #[arg(long, env = "SALLYPORT_SIMPLEJWT_ENDPOINTS", value_name = "PATH")]
    pub(super) simplejwt_endpoints: Option<EndpointPath>,
}
