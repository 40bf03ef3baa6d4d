//! Life of a signing key: next, active, retiring, retired.
//!
//! One key signs at any time. A key stops signing when its successor starts, and verifies until the last
//! token that it can have signed has expired.

use std::time::Duration;

use super::words;
use crate::clock::Timestamp;

words! {
    SigningKeyState {
        /// Published, and does not sign yet.
        Next = "NEXT",
        /// Signs.
        Active = "ACTIVE",
        /// Does not sign any more; tokens that it signed may still be valid.
        Retiring = "RETIRING",
        /// No token that it signed is accepted.
        Retired = "RETIRED",
    }
}

/// Times at which a signing key changes its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLife {
    /// When it starts to sign.
    pub activates_at: Timestamp,
    /// When its successor starts to sign; `None` without a successor.
    pub stops_at: Option<Timestamp>,
    /// Longest lifetime of a token that any replica has signed with this key, with the leeway.
    pub token_lifetime: Duration,
    /// Whether the private key was deleted: in an emergency, or long after the key retired.
    pub is_destroyed: bool,
}

impl KeyLife {
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

    /// When the last token that it signed has expired; `None` without a successor.
    #[must_use]
    pub fn retire_safe_at(&self) -> Option<Timestamp> {
        self.stops_at.map(|at| at + self.token_lifetime)
    }

    /// Whether it signs at `now` or will sign later.
    #[must_use]
    pub fn has_yet_to_sign(&self, now: Timestamp) -> bool {
        matches!(self.state(now), SigningKeyState::Next | SigningKeyState::Active)
    }

    /// Times at which its state changes.
    pub fn state_changes(&self) -> impl Iterator<Item = Timestamp> {
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
        assert_eq!(life().state_changes().collect::<Vec<_>>(), [at(10), at(20), at(25)]);
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
