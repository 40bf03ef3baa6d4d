//! What is written down about logins, for the account's owner and for administrators.

use super::words;

words! {
    /// What happened.
    AuditKind {
        /// Somebody registered.
        Registered = "REGISTERED",
        /// Somebody logged in.
        LoginSucceeded = "LOGIN_SUCCEEDED",
        /// Somebody tried to, with a name that exists.
        LoginFailed = "LOGIN_FAILED",
        /// A refresh was answered a second time.
        RefreshRetried = "REFRESH_RETRIED",
        /// A token rotated away long before was used again; its session was ended.
        RefreshReused = "REFRESH_REUSED",
        /// A session was ended, for whatever reason.
        SessionEnded = "SESSION_ENDED",
        /// A password was changed or set.
        PasswordChanged = "PASSWORD_CHANGED",
        /// An administrator or the command line made an account.
        UserCreated = "USER_CREATED",
        /// An account was deactivated.
        UserDeactivated = "USER_DEACTIVATED",
        /// An account was activated again.
        UserActivated = "USER_ACTIVATED",
        /// A signing key was added.
        KeyRotated = "KEY_ROTATED",
        /// Guessing was slowed down.
        RateLimited = "RATE_LIMITED",
    }
}
