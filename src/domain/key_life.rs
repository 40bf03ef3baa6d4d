//! The life of a signing key: published, signing, verifying, gone.
//!
//! Rule: one key signs at any time. A key stops at the moment at which its successor begins, and is
//! needed until the last token that it can have signed is dead.

use std::time::Duration;

use super::words;
use crate::clock::Timestamp;

words! {
    /// How a signing key stands.
    SigningKeyState {
        /// It is published and does not sign yet.
        Next = "NEXT",
        /// It signs.
        Active = "ACTIVE",
        /// It signs no more; tokens that it signed may be alive.
        Retiring = "RETIRING",
        /// No token that it signed is accepted.
        Retired = "RETIRED",
    }
}

/// The moments of a signing key's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLife {
    /// From when on it signs.
    pub activates_at: Timestamp,
    /// When its successor signs in its place, once there is one.
    pub stops_at: Option<Timestamp>,
    /// The longest that a token can be alive after this key signed it, the leeway included, on any
    /// process that ever signed with it.
    pub token_lifetime: Duration,
    /// Whether its private part is gone: it was removed in an emergency, or retired long ago.
    pub is_destroyed: bool,
}

impl KeyLife {
    /// How it stands at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> SigningKeyState {
        if self.is_destroyed || self.retire_safe_at().is_some_and(|at| at <= now) {
            SigningKeyState::Retired
        } else if self.stops_at.is_some_and(|at| at <= now) {
            SigningKeyState::Retiring
        } else if self.activates_at > now {
            SigningKeyState::Next
        } else {
            SigningKeyState::Active
        }
    }

    /// When the last token that it signed is dead, once it is known when it stops.
    #[must_use]
    pub fn retire_safe_at(&self) -> Option<Timestamp> {
        self.stops_at.map(|at| at + self.token_lifetime)
    }

    /// Whether it signs at `now` or later.
    #[must_use]
    pub fn has_yet_to_sign(&self, now: Timestamp) -> bool {
        matches!(self.state(now), SigningKeyState::Next | SigningKeyState::Active)
    }

    /// The moments at which its state changes.
    pub fn turns(&self) -> impl Iterator<Item = Timestamp> {
        [Some(self.activates_at), self.stops_at, self.retire_safe_at()].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    fn life() -> KeyLife {
        KeyLife {
            activates_at: at(10),
            stops_at: Some(at(20)),
            token_lifetime: Duration::from_secs(5),
            is_destroyed: false,
        }
    }

    #[test]
    fn each_state_begins_at_its_moment() {
        let states = [(9, "NEXT"), (10, "ACTIVE"), (19, "ACTIVE"), (20, "RETIRING")];
        for (second, state) in states.into_iter().chain([(24, "RETIRING"), (25, "RETIRED")]) {
            assert_eq!(life().state(at(second)).as_str(), state, "{second}");
        }
        assert_eq!(life().turns().collect::<Vec<_>>(), [at(10), at(20), at(25)]);
    }

    #[test]
    fn a_key_without_a_successor_signs_on() {
        let life = KeyLife { stops_at: None, ..life() };
        assert_eq!(life.state(at(1_000_000)), SigningKeyState::Active);
        assert_eq!(life.retire_safe_at(), None);
    }

    #[test]
    fn a_key_that_was_removed_is_retired_whatever_the_clock_says() {
        let life = KeyLife { is_destroyed: true, ..life() };
        assert!(
            [0, 15, 22].iter().all(|&second| life.state(at(second)) == SigningKeyState::Retired)
        );
        assert!(!life.has_yet_to_sign(at(15)));
    }
}
