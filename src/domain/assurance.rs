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
    /// The claim `acr`.
    #[must_use]
    pub fn acr(self) -> &'static str {
        match self {
            Self::SingleFactor => "urn:sallyport:single-factor",
            Self::MultiFactor => "urn:sallyport:multi-factor",
            Self::PhishingResistant => "urn:sallyport:phishing-resistant",
        }
    }

    /// The assurance of a claim; the weakest for one that this version does not know, or that is missing.
    #[must_use]
    pub fn of_acr(acr: Option<&str>) -> Self {
        let known = Self::ALL.iter().find(|assurance| Some(assurance.acr()) == acr);
        known.copied().unwrap_or(Self::SingleFactor)
    }

    /// Number in a row; a greater one is stronger.
    #[must_use]
    pub fn rank(self) -> i16 {
        self as i16 + 1
    }

    /// The assurance of a row: the weakest where there is none, the strongest for one of a newer version.
    #[must_use]
    pub fn of_rank(rank: Option<i16>) -> Self {
        match rank {
            None | Some(..=1) => Self::SingleFactor,
            Some(2) => Self::MultiFactor,
            Some(_) => Self::PhishingResistant,
        }
    }

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

    #[test]
    fn each_strength_comes_back_from_its_row_and_its_claim() {
        for strength in Assurance::ALL.iter().copied() {
            assert_eq!(Assurance::of_rank(Some(strength.rank())), strength);
            assert_eq!(Assurance::of_acr(Some(strength.acr())), strength);
        }
        assert_eq!(Assurance::of_acr(Some("urn:sallyport:newer")), Assurance::SingleFactor);
        assert_eq!(Assurance::of_acr(None), Assurance::SingleFactor);
        assert_eq!(Assurance::of_rank(Some(9)), Assurance::PhishingResistant);
    }
}
