//! Cryptography: master secret, password hashes, signing keys, signed tokens, passkeys.
//!
//! Owns every key of the service and all use of the cryptographic libraries. The libraries sign, seal and
//! hash; the rules for accepting a token are written here, with `now` as an argument. `jsonwebtoken` checks
//! signatures only, because its own validation asks the system clock, allows a minute of leeway, and
//! overlooks `typ`, `crit` and a missing `aud`. A token chooses neither the algorithm nor the key that it
//! is verified with: its `kid` refers to a key of the service, and the key determines the algorithm.

pub mod access_token;
pub mod algorithm;
pub mod blind_index;
pub mod data_key;
pub mod digest;
pub mod encoding;
mod error;
pub mod foreign_key;
pub mod foreign_token;
mod hash_memory;
mod jws;
pub mod key_pair;
pub mod key_ring;
pub mod one_time_code;
pub mod passkey;
pub mod password;
mod public_key;
pub mod recovery_code;
pub mod refresh_token;
mod sealed_token;
mod sealing_key;
pub mod secret;
pub mod secret_token;
pub mod totp;

pub use error::{CryptoError, TokenError};

#[cfg(test)]
mod access_token_tests;
#[cfg(test)]
mod foreign_token_tests;
#[cfg(test)]
mod refresh_token_tests;
#[cfg(test)]
mod test_fixtures;
