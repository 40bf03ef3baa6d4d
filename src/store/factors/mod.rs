//! Second factors of accounts.
//!
//! The account's row in `second_factors` has a mark that each change replaces. Whoever decides by the factors
//! that an account had a moment ago (a login, a challenge, a trusted device) names the mark, and the
//! transaction that acts on it compares the mark under the account's lock.

pub(in crate::store) mod data_key;
pub(in crate::store) mod enroll;
pub(in crate::store) mod mark;
pub(in crate::store) mod passkeys;
pub(in crate::store) mod remove;
pub(in crate::store) mod spent;
pub(in crate::store) mod state;
pub(in crate::store) mod strip;
pub(in crate::store) mod trusted_devices;
pub(in crate::store) mod use_factor;
pub(in crate::store) mod ways_in;
