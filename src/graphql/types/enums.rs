//! Enums of the schema. Each has the name and the values of an enum of the domain or of `auth`.

use async_graphql::Enum;

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::user::Role")]
pub enum Role {
    /// One's own account and sessions.
    User,
    /// Everything.
    Admin,
    /// Unknown: written by a newer version of Sallyport.
    Unknown,
}

/// How a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::session::SessionState")]
pub enum SessionState {
    /// It can be refreshed.
    Active,
    /// Its outstanding refresh token ran out.
    Expired,
    /// Somebody or something ended it.
    Ended,
}

/// The kind of a client's device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::origin::DeviceType")]
pub enum DeviceType {
    /// A desktop or laptop computer.
    Desktop,
    /// A phone.
    Mobile,
    /// A tablet.
    Tablet,
    /// A program that says it is one.
    Bot,
    /// Not told.
    Unknown,
}

/// What ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::session::EndReason")]
pub enum EndReason {
    /// Its user logged it out.
    Logout,
    /// Its user logged out of several sessions at once.
    LogoutAll,
    /// An administrator ended it.
    Admin,
    /// The password was changed.
    PasswordChanged,
    /// A refresh token that was rotated away long before was used again.
    RefreshReused,
    /// The account was deactivated.
    UserDeactivated,
    /// A newer session took its place under the limit of sessions a user.
    SessionLimit,
    /// Unknown: written by a newer version of Sallyport.
    Unknown,
}

/// Why a refresh token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum BlacklistReason {
    /// A refresh put another token in its place.
    Rotated,
    /// The session was logged out.
    Logout,
    /// Its user logged out of several sessions at once.
    LogoutAll,
    /// An administrator ended it.
    Admin,
    /// The password was changed.
    PasswordChanged,
    /// A refresh token that was rotated away long before was used again.
    RefreshReused,
    /// The account was deactivated.
    UserDeactivated,
    /// A newer session took its place under the limit of sessions a user.
    SessionLimit,
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
            BlacklistReason::Unknown => EndReason::Unknown,
        };
        Self::Ended(end)
    }
}

/// Which sessions a logout ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::auth::LogoutScope")]
pub enum LogoutScope {
    /// The one whose token is presented.
    Current,
    /// All of the user's but that one.
    Others,
    /// All of the user's.
    All,
}

/// The two kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::auth::TokenType")]
pub enum TokenType {
    /// It opens the API.
    Access,
    /// It opens the next pair.
    Refresh,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::auth::TokenRefusal")]
pub enum TokenRefusal {
    /// It is no token.
    Malformed,
    /// It is not one of ours.
    Invalid,
    /// It has run out.
    Expired,
    /// It is for something else.
    WrongType,
    /// A refresh put another in its place. Told to its user and to administrators.
    Rotated,
    /// Its session has ended.
    SessionEnded,
}

/// How a signing key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::key_life::SigningKeyState")]
pub enum SigningKeyState {
    /// It is published and does not sign yet.
    Next,
    /// It signs.
    Active,
    /// It signs no more; tokens it signed may be alive.
    Retiring,
    /// No token that it signed is alive.
    Retired,
}

/// What an expected failure is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::auth::UserErrorCode")]
pub enum UserErrorCode {
    /// A text or a value is not what it should be.
    InvalidInput,
    /// The new password is too short, too long or too easy to guess.
    WeakPassword,
    /// No active account has this name and this password.
    InvalidCredentials,
    /// Another account has the username, or one that looks like it.
    UsernameTaken,
    /// Another account has the e-mail address.
    EmailTaken,
    /// Accounts are made by administrators here.
    RegistrationClosed,
    /// The refresh token is not one of ours.
    RefreshTokenInvalid,
    /// The refresh token has run out: log in.
    RefreshTokenExpired,
    /// Another tab refreshed a moment ago: use the tokens it got. Nobody is logged out.
    RefreshTokenStale,
    /// The refresh token was used long ago; its session has been ended.
    RefreshTokenReused,
    /// The session has ended: log in.
    SessionEnded,
    /// Too many attempts: wait.
    RateLimited,
    /// Too much to do: wait.
    Overloaded,
    /// There is no such thing, as far as the caller may know.
    NotFound,
    /// The caller may not do this.
    Forbidden,
}

/// How a client is given its refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::auth::TokenTransport")]
pub enum TokenTransport {
    /// In the answer.
    Body,
    /// In a cookie that scripts cannot read.
    Cookie,
}

/// What is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::audit::AuditKind")]
pub enum AuditKind {
    /// Somebody registered.
    Registered,
    /// Somebody logged in.
    LoginSucceeded,
    /// Somebody did not know the password, or the name.
    LoginFailed,
    /// A refresh was answered a second time.
    RefreshRetried,
    /// A token rotated away long before was used again; its session was ended.
    RefreshReused,
    /// A session was ended, for whatever reason.
    SessionEnded,
    /// A password was changed or set.
    PasswordChanged,
    /// An administrator or the command line made an account.
    UserCreated,
    /// An account was deactivated.
    UserDeactivated,
    /// An account was activated again.
    UserActivated,
    /// A signing key was added.
    KeyRotated,
    /// Guessing was slowed down.
    RateLimited,
    /// Unknown: written by a newer version of Sallyport.
    Unknown,
}
