//! System: readiness, metrics and purge of the service.

mod purge;
mod readiness;
mod state;

pub use readiness::Check;
pub use state::System;
