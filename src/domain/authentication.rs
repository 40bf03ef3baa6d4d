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

    /// What the use of a passkey shows. The authenticator verified the user, by a PIN or a fingerprint: that
    /// and the key are two factors.
    #[must_use]
    pub fn of_passkey(is_backup_eligible: bool) -> Self {
        let key = if is_backup_eligible { Method::SoftwareKey } else { Method::HardwareKey };
        Self::of(&[key, Method::UserPresence, Method::MultiFactor])
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

    /// A passkey, by which alone a user logs in.
    #[must_use]
    pub fn by_passkey(is_backup_eligible: bool, at: Timestamp) -> Self {
        let passkey = FactorUsed::Passkey { is_backup_eligible };
        Self::with_factor(Methods::default(), passkey, at)
    }
}

/// A second factor that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorUsed {
    Totp,
    RecoveryCode,
    Passkey { is_backup_eligible: bool },
}

impl FactorUsed {
    fn methods(self) -> Methods {
        match self {
            Self::Totp => Methods::of(&[Method::OneTimeCode, Method::MultiFactor]),
            Self::RecoveryCode => Methods::of(&[Method::RecoveryCode, Method::MultiFactor]),
            Self::Passkey { is_backup_eligible } => Methods::of_passkey(is_backup_eligible),
        }
    }
}

impl Authentication {
    /// A second factor after a first one, which these methods showed.
    #[must_use]
    pub fn with_factor(first: Methods, factor: FactorUsed, at: Timestamp) -> Self {
        Self {
            at,
            methods: first.and(factor.methods()),
            assurance: match factor {
                FactorUsed::Passkey { .. } => Assurance::PhishingResistant,
                FactorUsed::Totp | FactorUsed::RecoveryCode => Assurance::MultiFactor,
            },
            second_factor_at: Some(at),
            strong_factor_at: (factor != FactorUsed::RecoveryCode).then_some(at),
        }
    }

    /// A factor that was added after a first one. That it was added shows less than that it is used: nobody
    /// attests a new passkey.
    #[must_use]
    pub fn with_new_factor(first: Methods, factor: FactorUsed, at: Timestamp) -> Self {
        let used = Self::with_factor(first, factor, at);
        Self { assurance: Assurance::MultiFactor, ..used }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_code_is_a_second_factor_but_no_strong_one() {
        let at = Timestamp::from_seconds(1);
        let password = Methods::of(&[Method::Password]);
        let words = |shown: Authentication| shown.methods.iter().map(Method::as_str).collect();
        let by_app = Authentication::with_factor(password, FactorUsed::Totp, at);
        let by_code = Authentication::with_factor(password, FactorUsed::RecoveryCode, at);
        let (app, code): (Vec<_>, Vec<_>) = (words(by_app), words(by_code));
        assert_eq!((app, code), (vec!["pwd", "otp", "mfa"], vec!["pwd", "rc", "mfa"]));
        assert_eq!((by_app.second_factor_at, by_app.strong_factor_at), (Some(at), Some(at)));
        assert_eq!((by_code.second_factor_at, by_code.strong_factor_at), (Some(at), None));
        assert_eq!(by_code.assurance, Assurance::MultiFactor);
    }

    #[test]
    fn each_method_has_a_bit_and_unknown_bits_are_kept() {
        let all = Methods::of(Method::ALL);
        assert_eq!(all.iter().collect::<Vec<_>>(), Method::ALL);
        let newer = Methods::from_bits(1 << 30).and(Methods::of(&[Method::Password]));
        assert_eq!(newer.iter().collect::<Vec<_>>(), [Method::Password]);
        assert_eq!(newer.bits(), 1 << 30 | 1);
    }

    #[test]
    fn a_passkey_is_two_factors_and_says_whether_it_may_leave_its_device() {
        for (is_backup_eligible, words) in
            [(true, ["swk", "user", "mfa"]), (false, ["hwk", "user", "mfa"])]
        {
            let at = Timestamp::from_seconds(1_800_000_000);
            let shown = Authentication::by_passkey(is_backup_eligible, at);
            assert_eq!(shown.methods.iter().map(Method::as_str).collect::<Vec<_>>(), words);
            assert_eq!(shown.assurance, Assurance::PhishingResistant);
            assert_eq!((shown.at, shown.second_factor_at), (at, Some(at)));
            assert_eq!(shown.strong_factor_at, Some(at));
        }
    }
}
