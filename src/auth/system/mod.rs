//! System: whether the service works, what it counts, and what it deletes.

mod purge;
mod readiness;
mod state;

pub use readiness::Check;
pub use state::System;
