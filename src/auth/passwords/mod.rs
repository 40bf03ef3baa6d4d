//! Passwords: verified, confirmed, and set for new accounts; with the limits on guessing them.
//!
//! Makes the proofs that open sessions ([`VerifiedPassword`], [`Registration`]) and cannot open one.

mod admission;
mod attempt_limits;
mod doubtful_attempts;
mod dummy_hashes;
mod hashing_queue;
mod new_password;
mod refusal_cache;
mod refusal_delay;
mod registration;
mod replace;
mod state;
mod verify;

pub use hashing_queue::HashingLoad;
pub use registration::NewAccount;
pub(super) use registration::Registration;
pub(super) use replace::wrong_current_password;
pub use state::Passwords;
pub(super) use verify::VerifiedPassword;
