//! Input fields that an error can be about.
//!
//! Use cases know nothing of GraphQL paths or command-line options: the schema maps a field to its path in
//! the mutation's arguments.

/// A field of a use case's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The input as a whole.
    Input,
    Algorithm,
    AttemptId,
    /// None: the caller's own account.
    Caller,
    ChallengeToken,
    /// The code that confirms a new factor.
    Code,
    /// The response of a passkey.
    Credential,
    CurrentPassword,
    Email,
    EmailVerified,
    Filter,
    Locale,
    /// The new name of a session.
    Name,
    NewPassword,
    Note,
    PasskeyId,
    Password,
    /// The proof that the caller is the user.
    Proof,
    RefreshToken,
    Role,
    SessionId,
    SessionName,
    Transport,
    TrustedDeviceId,
    UserId,
    Username,
}
