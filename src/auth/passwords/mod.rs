//! Passwords: verified, confirmed, and set for new accounts; with the limits on guessing them.
//!
//! Makes the proofs that open sessions ([`VerifiedPassword`], [`Registration`]) and cannot open one.

mod admission;
mod attempt_limits;
mod code_limits;
mod confirm;
mod dummy_hashes;
mod export_limit;
mod foreign_memory;
mod hashing_queue;
mod new_account;
mod new_password;
mod over_limit_queue;
mod refusal_cache;
mod refusal_delay;
mod replace;
mod state;
mod verify;
mod wrap;

pub(super) use attempt_limits::account_bucket;
pub(super) use code_limits::CodeGuess;
pub use hashing_queue::HashingLoad;
pub use new_account::NewAccount;
pub(super) use new_account::Registration;
pub(super) use replace::wrong_current_password;
pub use state::Passwords;
pub(super) use verify::VerifiedPassword;
