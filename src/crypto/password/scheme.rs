//! Schemes of stored password hashes.

use crate::domain::words;

words! {
    /// Algorithm of a password hash, and with it the form of its text.
    PasswordScheme {
        /// Argon2 of this service. New hashes are Argon2id; a stored PHC string may have another variant.
        Argon2id = "ARGON2ID",
        /// Argon2 of another system.
        Argon2 = "ARGON2",
        Bcrypt = "BCRYPT",
        Pbkdf2 = "PBKDF2",
        Scrypt = "SCRYPT",
        /// Argon2id over an MD5 or SHA-1 digest of another system.
        WrappedDigest = "WRAPPED_DIGEST",
    }
}
