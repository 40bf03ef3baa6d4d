//! Identifiers: `UUIDv7` (RFC 9562, section 5.7), so that ids sort by the time they were made and
//! "newest first" is the order of an index that exists anyway.

use std::fmt;

use uuid::Uuid;

use crate::clock::Timestamp;
use crate::entropy::{Entropy, random};

fn version_7(now: Timestamp, entropy: &dyn Entropy) -> Uuid {
    let millis = u64::try_from(now.as_micros() / 1_000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random(entropy)).into_uuid()
}

/// The time that an id says: its first 48 bits.
fn millis(id: Uuid) -> u64 {
    u64::try_from(id.as_u128() >> 80).unwrap_or(u64::MAX)
}

/// The first id that could be made in this millisecond.
fn first_of(millis: u64) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, made of the time and of 74 random bits.
            #[must_use]
            pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(version_7(now, entropy))
            }

            /// The first id that could be made once this moment is over.
            #[must_use]
            pub fn first_after(moment: Timestamp) -> Self {
                Self(first_of(u64::try_from(moment.as_micros() / 1_000 + 1).unwrap_or(0)))
            }

            /// The first id that could be made in the millisecond behind this one's.
            #[must_use]
            pub fn first_behind(self) -> Self {
                Self(first_of(millis(self.0).saturating_add(1)))
            }

            /// This id or, where it is lower than `first`, one of the same random bits that is not.
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

            /// Reads the hyphenated form, lower case; any other spelling of the same id is refused,
            /// so that an id is one string everywhere.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let uuid = Uuid::try_parse(text).ok()?;
                (text == uuid.hyphenated().encode_lower(&mut [0; 36])).then_some(Self(uuid))
            }

            /// Whether it was made in a later millisecond than another one.
            #[must_use]
            pub fn is_newer_than(self, other: Self) -> bool {
                millis(self.0) > millis(other.0)
            }

            /// The id of a stored row.
            #[must_use]
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The id as a row holds it.
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
    /// A user; the claim `sub`.
    UserId;
    /// A session; the claim `sid`.
    SessionId;
    /// A token; the claim `jti`. A refresh token's is stored, the token itself never is.
    TokenId;
    /// A signing key's row. Tokens name the key by its thumbprint, not by this.
    KeyId;
}

impl UserId {
    /// The nil UUID (RFC 9562, section 5.9): no account has it.
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
