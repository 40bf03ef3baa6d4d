//! Identifiers: `UUIDv7` (RFC 9562, section 5.7).
//!
//! They sort by the time of creation, so that "newest first" is the order of the primary key's index.

use std::fmt;

use uuid::Uuid;

use crate::clock::Timestamp;
use crate::entropy::{Entropy, random};

fn version_7(now: Timestamp, entropy: &dyn Entropy) -> Uuid {
    let millis = u64::try_from(now.as_micros() / 1_000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random(entropy)).into_uuid()
}

/// Time of creation in milliseconds: the first 48 bits.
fn millis(id: Uuid) -> u64 {
    u64::try_from(id.as_u128() >> 80).unwrap_or(u64::MAX)
}

/// Smallest id of this millisecond.
fn first_of(millis: u64) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id of the time and 74 random bits.
            #[must_use]
            pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(version_7(now, entropy))
            }

            /// Smallest id of the millisecond after this time.
            #[must_use]
            pub fn first_after(moment: Timestamp) -> Self {
                Self(first_of(u64::try_from(moment.as_micros() / 1_000 + 1).unwrap_or(0)))
            }

            /// Smallest id of the millisecond after the one of this id.
            #[must_use]
            pub fn first_behind(self) -> Self {
                Self(first_of(millis(self.0).saturating_add(1)))
            }

            /// This id or, if it is lower than `first`, an id with the same random bits that is not.
            #[must_use]
            pub fn raised_to(self, first: Self) -> Self {
                if self >= first {
                    return self;
                }
                let mut random = [0; 10];
                random.copy_from_slice(&self.0.as_bytes()[6..]);
                let raised = uuid::Builder::from_unix_timestamp_millis(millis(first.0), &random);
                Self(raised.into_uuid()).max(first)
            }

            /// Parses the hyphenated form in lower case. Other forms of the same UUID are refused, so that
            /// an id has one text form.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let uuid = Uuid::try_parse(text).ok()?;
                (text == uuid.hyphenated().encode_lower(&mut [0; 36])).then_some(Self(uuid))
            }

            /// Whether it was created in a later millisecond than another id.
            #[must_use]
            pub fn is_newer_than(self, other: Self) -> bool {
                millis(self.0) > millis(other.0)
            }

            #[must_use]
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            #[must_use]
            pub fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )+};
}

ids! {
    /// Id of a user, the claim `sub`.
    UserId;
    /// Id of a session, the claim `sid`.
    SessionId;
    /// Id of a token, the claim `jti`. For refresh tokens it is stored; the token itself never is.
    TokenId;
    /// Id of a challenge: a login, a change or a proof that waits for its next step.
    ChallengeId;
    /// Id of an e-mail, also the first part of its `Message-ID`.
    EmailId;
    /// Id of a passkey's row. Authenticators know another one.
    PasskeyId;
    /// Id of a device on which a login needs no second factor.
    TrustedDeviceId;
    /// Id of a signing key's row. Tokens refer to the key by its thumbprint.
    KeyId;
}

impl UserId {
    /// The nil UUID (RFC 9562, section 5.9), which no account has.
    pub const NOBODY: Self = Self(Uuid::nil());
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn ids_that_are_made_at_one_moment_differ() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let ids: HashSet<_> = (0..10_000).map(|_| TokenId::new(now, &SystemEntropy)).collect();
        assert_eq!(ids.len(), 10_000);
    }

    #[test]
    fn an_id_is_raised_only_where_it_is_lower_and_stays_unlike_others() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let [one, other] = [1, 2].map(|_| SessionId::new(now, &SystemEntropy));
        let first = one.first_behind();
        assert!(one < first && first == SessionId::first_after(now));
        assert_eq!(first.raised_to(one), first);
        let raised = [one, other].map(|id| id.raised_to(first));
        assert!(raised.iter().all(|id| *id > first && *id < first.first_behind()));
        assert_ne!(raised[0], raised[1]);
        assert_eq!(raised[0].as_uuid().get_version_num(), 7);
        let highest = SessionId::from_uuid(Uuid::max());
        assert!(one.raised_to(highest) >= highest);
    }
}
