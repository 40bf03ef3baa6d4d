//! Strength of the proof that opened a session.

use super::words;

words! {
    /// Certainty that the session belongs to its user, weakest first.
    Assurance {
        SingleFactor = "SINGLE_FACTOR",
        MultiFactor = "MULTI_FACTOR",
        /// A factor that cannot be used on a page of somebody else, such as a passkey.
        PhishingResistant = "PHISHING_RESISTANT",
    }
}

impl Assurance {
    #[must_use]
    pub fn is_at_least(self, required: Self) -> bool {
        self as u8 >= required as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_strength_is_enough_for_itself_and_for_the_weaker_ones() {
        for (n, strength) in Assurance::ALL.iter().enumerate() {
            let enough = Assurance::ALL.iter().filter(|required| strength.is_at_least(**required));
            assert_eq!(enough.count(), n + 1);
        }
    }
}
