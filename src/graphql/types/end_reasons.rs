//! Reasons why a session ended, and why a refresh token is refused: the second set contains the first.

use async_graphql::Enum;

/// Reason why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::session::EndReason")]
pub enum EndReason {
    /// The user logged out of the session.
    Logout,
    /// The user logged out of several sessions at once.
    LogoutAll,
    /// An administrator ended the session, or an operator on the command line.
    Admin,
    /// The user changed the password, or an administrator set it.
    PasswordChanged,
    /// A replaced refresh token was used again after the retry window (10 seconds by default): a
    /// copy of the token may have been stolen.
    RefreshReused,
    /// An administrator or the command line deactivated the account.
    UserDeactivated,
    /// A newer session exceeded the limit of sessions per user.
    SessionLimit,
    /// The user deleted the account, or an administrator or the command line did.
    AccountDeleted,
    /// The user set a new password by a code or link from an e-mail.
    PasswordReset,
    /// An e-mail address was verified for the first time, in another browser than the account was
    /// registered in or the change was requested in: the session may belong to a person who does not own
    /// the address.
    EmailVerified,
    /// The user took back a change of the e-mail address.
    EmailChangeReverted,
    /// An administrator removed the second factors of the account.
    FactorsReset,
    /// Unknown: written by a newer version of Sallyport.
    Unknown,
}

/// Reason why a refresh token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum BlacklistReason {
    /// A refresh replaced the token by the next one.
    Rotated,
    /// The user logged out of the session.
    Logout,
    /// The user logged out of several sessions at once.
    LogoutAll,
    /// An administrator ended the session, or an operator on the command line.
    Admin,
    /// The user changed the password, or an administrator set it.
    PasswordChanged,
    /// A replaced refresh token was used again after the retry window (10 seconds by default): a
    /// copy of the token may have been stolen.
    RefreshReused,
    /// An administrator or the command line deactivated the account.
    UserDeactivated,
    /// A newer session exceeded the limit of sessions per user.
    SessionLimit,
    /// The user deleted the account, or an administrator or the command line did.
    AccountDeleted,
    /// The user set a new password by a code or link from an e-mail.
    PasswordReset,
    /// An e-mail address was verified for the first time, in another browser than the account was
    /// registered in or the change was requested in.
    EmailVerified,
    /// The user took back a change of the e-mail address.
    EmailChangeReverted,
    /// An administrator removed the second factors of the account.
    FactorsReset,
    /// Unknown: written by a newer version of Sallyport.
    Unknown,
}

// The schema has one enum where the domain has `Rotated` or a reason of the end of the session.
impl From<crate::domain::blacklist::BlacklistReason> for BlacklistReason {
    fn from(reason: crate::domain::blacklist::BlacklistReason) -> Self {
        use crate::domain::session::EndReason;
        match reason {
            crate::domain::blacklist::BlacklistReason::Rotated => Self::Rotated,
            crate::domain::blacklist::BlacklistReason::Ended(reason) => match reason {
                EndReason::Logout => Self::Logout,
                EndReason::LogoutAll => Self::LogoutAll,
                EndReason::Admin => Self::Admin,
                EndReason::PasswordChanged => Self::PasswordChanged,
                EndReason::RefreshReused => Self::RefreshReused,
                EndReason::UserDeactivated => Self::UserDeactivated,
                EndReason::SessionLimit => Self::SessionLimit,
                EndReason::AccountDeleted => Self::AccountDeleted,
                EndReason::PasswordReset => Self::PasswordReset,
                EndReason::EmailVerified => Self::EmailVerified,
                EndReason::EmailChangeReverted => Self::EmailChangeReverted,
                EndReason::FactorsReset => Self::FactorsReset,
                EndReason::Unknown => Self::Unknown,
            },
        }
    }
}

impl From<BlacklistReason> for crate::domain::blacklist::BlacklistReason {
    fn from(reason: BlacklistReason) -> Self {
        use crate::domain::session::EndReason;
        let end = match reason {
            BlacklistReason::Rotated => return Self::Rotated,
            BlacklistReason::Logout => EndReason::Logout,
            BlacklistReason::LogoutAll => EndReason::LogoutAll,
            BlacklistReason::Admin => EndReason::Admin,
            BlacklistReason::PasswordChanged => EndReason::PasswordChanged,
            BlacklistReason::RefreshReused => EndReason::RefreshReused,
            BlacklistReason::UserDeactivated => EndReason::UserDeactivated,
            BlacklistReason::SessionLimit => EndReason::SessionLimit,
            BlacklistReason::AccountDeleted => EndReason::AccountDeleted,
            BlacklistReason::PasswordReset => EndReason::PasswordReset,
            BlacklistReason::EmailVerified => EndReason::EmailVerified,
            BlacklistReason::EmailChangeReverted => EndReason::EmailChangeReverted,
            BlacklistReason::FactorsReset => EndReason::FactorsReset,
            BlacklistReason::Unknown => EndReason::Unknown,
        };
        Self::Ended(end)
    }
}
