//! Enums of the schema. Each has the name and the values of an enum of the domain or of `auth`.

use async_graphql::Enum;

/// Permissions of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::user::Role")]
pub enum Role {
    /// Access to the user's own account and sessions.
    User,
    /// Access to all accounts, sessions, audit events and signing keys.
    Admin,
    /// Unknown: written by a newer version of Sallyport. The permissions are those of `USER`.
    Unknown,
}

/// Strength of the proofs that the user of a session has given: the claim `acr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::assurance::Assurance")]
pub enum Assurance {
    /// One factor, such as the password.
    SingleFactor,
    /// Two factors, such as the password and a code from an authenticator app.
    MultiFactor,
    /// A factor that works on the pages of this application only: a passkey.
    PhishingResistant,
}

/// State of a session. Only sessions in the state `ACTIVE` can be refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::session::SessionState")]
pub enum SessionState {
    /// The session can be refreshed.
    Active,
    /// The outstanding refresh token has expired.
    Expired,
    /// The session was ended; `Session.endReason` says why.
    Ended,
}

/// Type of a client's device, as its user agent says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::origin::DeviceType")]
pub enum DeviceType {
    /// Desktop or laptop computer.
    Desktop,
    /// Mobile phone.
    Mobile,
    /// Tablet computer.
    Tablet,
    /// Crawler, script or library that identifies itself in its user agent.
    Bot,
    /// Unknown: the client sent no user agent, or one that names no type of device.
    Unknown,
}

/// Sessions that a logout ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::auth::LogoutScope")]
pub enum LogoutScope {
    /// The session of the token that is sent.
    Current,
    /// All other sessions of the same user.
    Others,
    /// All sessions of the user.
    All,
}

/// Type of a token: access token or refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::auth::TokenType")]
pub enum TokenType {
    /// Access token, sent with each request that requires a logged-in user.
    Access,
    /// Refresh token, exchanged for the next pair of tokens.
    Refresh,
}

/// Reason why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::auth::TokenRefusal")]
pub enum TokenRefusal {
    /// The text is not a token.
    Malformed,
    /// The token was not issued by this service, or it was changed.
    Invalid,
    /// The token has expired.
    Expired,
    /// The token is neither an access token nor a refresh token.
    WrongType,
    /// A refresh replaced the token by the next one. Only the user of the token and administrators
    /// see this reason.
    Rotated,
    /// The session of the token has ended.
    SessionEnded,
    /// The token was issued by the system that accounts were imported from.
    Foreign,
}

/// Stage in the life of a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::key_life::SigningKeyState")]
pub enum SigningKeyState {
    /// The key is published and does not sign yet.
    Next,
    /// The key signs new access tokens.
    Active,
    /// The key has stopped signing; access tokens that it signed may still be valid.
    Retiring,
    /// The key has stopped signing, and no access token that it signed is accepted.
    Retired,
}

/// Code of an expected failure of a mutation. Clients decide by the code, not by the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::auth::UserErrorCode")]
pub enum UserErrorCode {
    /// A value of the input is invalid. Correct the value that `path` names; `message` says how.
    InvalidInput,
    /// The new password is too short, too long or too easy to guess. Ask the user for another one;
    /// `message` says why.
    WeakPassword,
    /// The name or the password is wrong, or the account is deactivated; in `changePassword`, the
    /// current password is wrong. Ask the user to enter them again.
    InvalidCredentials,
    /// The proof that the caller is the user is wrong. Ask the user to enter it again.
    InvalidProof,
    /// The login needs another proof. Ask the user for one of the `steps` of `challenge`, and call
    /// `continueLogin`.
    SecondStepRequired,
    /// The code or link was used before, has expired, or the account has changed since. Request a new
    /// one.
    ChallengeExpired,
    /// The e-mail address of the account is not verified. Call `requestEmailVerification`.
    EmailNotVerified,
    /// The account has no e-mail address. Ask the user to add one.
    EmailNotConfigured,
    /// Another account has this username or one that looks like it. Ask the user for another
    /// username.
    UsernameTaken,
    /// Another account has this e-mail address. Ask the user for another address, or to log in.
    EmailTaken,
    /// Registration is closed: only administrators create accounts. Do not offer a registration
    /// form.
    RegistrationClosed,
    /// The refresh token is missing or invalid: it was not issued by this service, or it was
    /// changed. Log in again.
    RefreshTokenInvalid,
    /// The refresh token has expired. Log in again.
    RefreshTokenExpired,
    /// The refresh token was replaced a moment ago, e.g. by a refresh in another tab. The session
    /// is still active: use the tokens that the other refresh returned.
    RefreshTokenStale,
    /// The refresh token had been replaced and was used again after the retry window (10 seconds by
    /// default): a copy of the token may have been stolen, so the session has been ended. Log in
    /// again.
    RefreshTokenReused,
    /// The session has ended. Log in again.
    SessionEnded,
    /// Too many attempts. Wait for `retryAfterSeconds`, then try again.
    RateLimited,
    /// The service is overloaded. Wait for `retryAfterSeconds`, then try again.
    Overloaded,
    /// The object does not exist, or the caller may not see it. Reload the list that the ID is
    /// from.
    NotFound,
    /// The account needs a second factor, and has no other. Ask the user to add another one first.
    LastCredential,
    /// The caller may not do this. Do not repeat the request unchanged; `message` says what is
    /// missing.
    Forbidden,
}

/// Proof that a challenge accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::challenge::LoginStep")]
pub enum LoginStep {
    /// Password of the user.
    Password,
    /// Code of six digits from an authenticator app.
    Totp,
    /// Passkey, by the options in `passkeyOptions`.
    Passkey,
    /// Recovery code, which can be used once.
    RecoveryCode,
    /// Code of eight digits from an e-mail.
    EmailCode,
    /// The user has to add a second factor: call `beginTotp` or
    /// `beginPasskeyRegistration` with the token of the challenge.
    EnrollFactor,
}

/// State of an e-mail in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::mail::EmailState")]
pub enum EmailState {
    /// The e-mail waits for its next attempt.
    Pending,
    /// The e-mail is kept to be read here, because the service has no SMTP server.
    Kept,
    /// The mail server refused the e-mail, or all attempts failed.
    Failed,
    /// Unknown: written by a newer version of Sallyport.
    Unknown,
}

/// Transport by which a client receives its refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::auth::TokenTransport")]
pub enum TokenTransport {
    /// Field `TokenPair.refreshToken` of the response.
    Body,
    /// `HttpOnly` cookie, which scripts cannot read; `TokenPair.refreshToken` is null. The request
    /// must be a POST with the header `x-sallyport-csrf` (any value), from a page of this service
    /// or of an origin that the operator allows; otherwise the error is FORBIDDEN.
    Cookie,
}

/// Kind of an audit event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::audit::AuditKind")]
pub enum AuditKind {
    /// A user registered an account.
    Registered,
    /// A user logged in.
    LoginSucceeded,
    /// A login failed: the name or the password was wrong, or the account was deactivated. Also
    /// recorded for a wrong current password in `changePassword`.
    LoginFailed,
    /// A first step of a login was right, and another step is needed.
    LoginChallenged,
    /// A client repeated a refresh whose response it had not received, and received the same
    /// refresh token again.
    RefreshRetried,
    /// A replaced refresh token was used again after the retry window (10 seconds by default); its
    /// session was ended.
    RefreshReused,
    /// A session was ended; `AuditEvent.detail` has the reason.
    SessionEnded,
    /// A user changed the password, or an administrator set it.
    PasswordChanged,
    /// An administrator or the command line created an account.
    UserCreated,
    /// An administrator or the command line deactivated an account.
    UserDeactivated,
    /// An administrator or the command line activated an account again.
    UserActivated,
    /// An administrator or the command line corrected an account; `AuditEvent.detail` names the
    /// change.
    UserUpdated,
    /// An administrator or the command line reset the counters of failed attempts on an account.
    UserUnlocked,
    /// A user changed the username.
    UsernameChanged,
    /// A user exported the data of the account.
    AccountExported,
    /// A user deleted the account, or an administrator or the command line did.
    AccountDeleted,
    /// A user verified the e-mail address.
    EmailVerified,
    /// A user changed the e-mail address, or took a change back.
    EmailChanged,
    /// A user set a new password by a code or link from an e-mail.
    PasswordReset,
    /// A logged-in user proved again to be the user; `AuditEvent.detail` names the proof.
    Reauthenticated,
    /// A wrong proof was given in a session, e.g. in `reauthenticate`; `AuditEvent.detail` names
    /// the proof.
    ProofFailed,
    /// A second factor was added; `AuditEvent.detail` names it.
    FactorAdded,
    /// A second factor was removed; `AuditEvent.detail` names it.
    FactorRemoved,
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// A device was trusted, on which a login needs no second factor.
    DeviceTrusted,
    /// Accounts were imported from another system, or changed by an import.
    UsersImported,
    /// A refresh token of another system was exchanged for a session.
    TokenExchanged,
    /// A new signing key was added.
    KeyRotated,
    /// Failed attempts reached a rate limit; `AuditEvent.detail` names the limit.
    RateLimited,
    /// Unknown: written by a newer version of Sallyport.
    Unknown,
}
