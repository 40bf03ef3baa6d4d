//! Errors of tokens and of the cryptographic libraries.

/// Reason for refusing a token. It is not more detailed, because the failed check helps only somebody who
/// forges a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a JWT in compact form, or longer than any token of this service.
    #[error("not a token")]
    Malformed,
    /// A wrong signature or a wrong claim.
    #[error("invalid token")]
    Invalid,
    /// Valid in every other respect, and expired.
    #[error("expired token")]
    Expired,
    /// A token of another type, such as a refresh token in place of an access token.
    #[error("token of another type")]
    WrongType,
}

/// Failure of a cryptographic library: a broken key, no memory, or no backend. It says nothing about a
/// password or a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cryptographic operation failed: {0}")]
pub struct CryptoError(pub(super) &'static str);
