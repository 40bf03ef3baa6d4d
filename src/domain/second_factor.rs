//! Second factors: their kinds, and who has to show one.

use super::user::Role;
use super::words::words;

words! {
    /// Kind of a second factor. Recovery codes are not one: they replace a factor that was lost.
    FactorKind {
        /// Codes of an authenticator app (TOTP).
        AuthenticatorApp = "authenticator app",
        Passkey = "passkey",
    }
}

/// The operator's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactorPolicy {
    /// Nobody is asked for one, and none can be added. Those that exist are kept.
    Off,
    /// Whoever has one.
    Optional,
    /// Whoever has one, and all administrators.
    Admins,
    /// Everybody.
    Required,
}

impl SecondFactorPolicy {
    /// Whether second factors are asked for and can be added.
    #[must_use]
    pub fn is_on(self) -> bool {
        self != Self::Off
    }

    /// Whether an account of this role must have one. A role that this version does not know may be one of
    /// power.
    #[must_use]
    pub fn requires(self, role: Role) -> bool {
        match self {
            Self::Off | Self::Optional => false,
            Self::Admins => role != Role::User,
            Self::Required => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_requires_a_factor_of_whom_it_says() {
        for (policy, user, admin) in [
            (SecondFactorPolicy::Off, false, false),
            (SecondFactorPolicy::Optional, false, false),
            (SecondFactorPolicy::Admins, false, true),
            (SecondFactorPolicy::Required, true, true),
        ] {
            assert_eq!(policy.requires(Role::User), user, "{policy:?}");
            assert_eq!(policy.requires(Role::Admin), admin, "{policy:?}");
            assert_eq!(policy.requires(Role::Unknown), admin, "{policy:?}");
        }
    }
}
