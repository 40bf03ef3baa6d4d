//! Signing keys, which change while the service runs, in all processes alike.
//!
//! Invariant: no process signs with a key before every other can know it. A new key is published for
//! longer than verifiers may cache the public keys; then it signs, in all processes at the same moment;
//! the old one verifies until its last token has expired. In an emergency there is no time for that: the
//! new key signs at once, all others are removed, and a process that meets a token of an unknown key looks
//! whether that key was just made, before it refuses the token.

mod key_set;
mod load;
mod rotate;
mod signing_key;
mod state;
mod unknown_key_limit;
mod verified_cache;
mod verify_token;

pub(in crate::auth) use key_set::UsableKeys;
pub use rotate::KeyRotation;
pub use signing_key::SigningKey;
pub use state::{KeyError, Keys, PUBLIC_KEYS_MAX_AGE};
