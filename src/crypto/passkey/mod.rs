//! Passkeys: the service's side of the two ceremonies of WebAuthn (Level 3), without state.
//!
//! [`RelyingParty`] makes the options of a ceremony for browsers and verifies their responses. Between the two
//! the caller keeps the [`PasskeyChallenge`], and a [`Passkey`](crate::domain::passkey::Passkey) is a row. Every
//! ceremony requires that the authenticator verifies the user, and that browsers can find the passkey without
//! its ID.
//!
//! The library `passki` parses, compares and verifies (WebAuthn, sections 7.1 and 7.2). Written here are the
//! checks that it leaves to its callers, and those that it makes in another order. Its own options are not
//! used, because it offers other algorithms and draws the challenge itself.
//!
//! Left to the caller:
//! - A challenge is accepted once, also after a failed try, and only for the ceremony and the account that it
//!   was made for. The signature counter does not replace that: it stays 0 for synchronized passkeys.
//! - A new passkey's ID is unique over all accounts.
//! - The counter is written by compare-and-swap, since two logins can overtake each other.

mod challenge;
mod cose_key;
mod domain_name;
mod login;
mod options;
mod origin;
mod refusal;
mod registration;
mod relying_party;
mod response;

pub use challenge::PasskeyChallenge;
pub use cose_key::algorithm_of_key;
pub use domain_name::{DomainName, DomainNameError};
pub use login::ExpectedUser;
pub use options::{CEREMONY_TIMEOUT, PasskeyAccount};
pub use origin::{PasskeyOrigin, PasskeyOriginError};
pub use refusal::PasskeyRefusal;
pub use relying_party::{RelyingParty, RelyingPartyError};
pub use response::credential_id;
#[cfg(test)]
mod cose_key_tests;
#[cfg(test)]
mod login_tests;
#[cfg(test)]
mod options_tests;
#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
mod registration_tests;
#[cfg(test)]
mod test_fixtures;
#[cfg(test)]
mod vector_tests;
