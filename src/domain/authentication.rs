//! What the user of a session has shown, and when.
//!
//! A session begins with what its login showed. Later proofs in it are added: methods are never removed, and
//! the assurance never sinks. A refresh changes nothing.

use super::assurance::Assurance;
use super::words::words;
use crate::clock::Timestamp;

words! {
    /// A way to show that one is the user: a value of the claim `amr` (RFC 8176, section 2).
    Method {
        Password = "pwd",
        /// A code or link of a mail, or a code of an authenticator app.
        OneTimeCode = "otp",
        /// A recovery code. Not a registered value.
        RecoveryCode = "rc",
        /// A passkey that does not leave its device.
        HardwareKey = "hwk",
        /// A passkey that is synchronized between devices.
        SoftwareKey = "swk",
        /// The user was present, and verified by the device.
        UserPresence = "user",
        /// More than one factor.
        MultiFactor = "mfa",
    }
}

/// A set of methods, one bit each: so that a statement can add to it whatever else is added at the same time.
/// Bits of a newer version are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Methods(i32);

impl Methods {
    #[must_use]
    pub fn of(methods: &[Method]) -> Self {
        Self(methods.iter().fold(0, |bits, method| bits | 1 << *method as i32))
    }

    #[must_use]
    pub fn from_bits(bits: i32) -> Self {
        Self(bits)
    }

    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub fn bits(self) -> i32 {
        self.0
    }

    /// The methods that this version knows, each once.
    pub fn iter(self) -> impl Iterator<Item = Method> {
        let has = move |method: &Method| self.0 & (1 << *method as i32) != 0;
        Method::ALL.iter().copied().filter(has)
    }

    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

/// What was shown in a session so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// Time of the last proof: the claim `auth_time`.
    pub at: Timestamp,
    /// The claim `amr`.
    pub methods: Methods,
    /// The claim `acr`.
    pub assurance: Assurance,
    /// Time of the last second factor, whatever it was.
    pub second_factor_at: Option<Timestamp>,
    /// Time of the last second factor that was no recovery code.
    pub strong_factor_at: Option<Timestamp>,
}

impl Authentication {
    /// One factor, by these methods.
    #[must_use]
    pub fn single(methods: Methods, at: Timestamp) -> Self {
        let assurance = Assurance::SingleFactor;
        Self { at, methods, assurance, second_factor_at: None, strong_factor_at: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_has_a_bit_and_unknown_bits_are_kept() {
        let all = Methods::of(Method::ALL);
        assert_eq!(all.iter().collect::<Vec<_>>(), Method::ALL);
        let newer = Methods::from_bits(1 << 30).and(Methods::of(&[Method::Password]));
        assert_eq!(newer.iter().collect::<Vec<_>>(), [Method::Password]);
        assert_eq!(newer.bits(), 1 << 30 | 1);
    }
}
