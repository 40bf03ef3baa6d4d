//! Reasons for refusing a password hash of another system.

/// Reason for refusing a password hash of another system. The messages do not contain the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForeignHashError {
    /// Empty, or Django's mark of an account without a password: it begins with `!`.
    #[error("The account has no usable password.")]
    Unusable,
    #[error("The hash is of a hasher that Sallyport does not know.")]
    UnknownScheme,
    /// DES crypt: weak, and it cuts passwords at 8 bytes.
    #[error("The hash is DES crypt, which is not accepted.")]
    DesCrypt,
    #[error("The hash is not in the form of its hasher.")]
    Malformed,
    #[error("The parameters of the hash take too much time or memory.")]
    TooExpensive,
}
