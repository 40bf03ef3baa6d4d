//! SHA-256 digests.
//!
//! They have no salt and are fast, so they are for input that nobody can guess, or that is public.
//! Passwords are hashed by [`super::password`].

use aws_lc_rs::digest;
use md5::Digest;

use crate::domain::id::SessionId;
use crate::domain::session::AttemptHash;

#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    finish(digest::Context::new(&digest::SHA256), bytes)
}

/// Digest of an `attemptId` in one session. The 16 bytes of the session's id come first, so that the same
/// text sent for two sessions gives two digests.
#[must_use]
pub fn attempt_hash(session_id: SessionId, attempt_id: &str) -> AttemptHash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(session_id.as_uuid().as_bytes());
    AttemptHash(finish(context, attempt_id.as_bytes()))
}

/// Digest of a password hash of another system, as tokens of `SimpleJWT` contain it: MD5 of its text. It finds
/// out whether the hash was changed, and protects nothing.
#[must_use]
pub fn password_fingerprint(hash: &str) -> [u8; 16] {
    md5::Md5::digest(hash.as_bytes()).into()
}

fn finish(mut context: digest::Context, bytes: &[u8]) -> [u8; 32] {
    context.update(bytes);
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::crypto::encoding::base64url;
    use crate::entropy::SeededEntropy;

    #[test]
    fn sha256_is_the_standards_own() {
        let expected = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
        assert_eq!(base64url(sha256(b"abc")), expected);
    }

    #[test]
    fn an_attempt_is_bound_to_its_session() {
        let entropy = SeededEntropy::new(1);
        let id = || SessionId::new(Timestamp::from_seconds(1), &entropy);
        let (one, other) = (id(), id());
        assert_eq!(attempt_hash(one, "a"), attempt_hash(one, "a"));
        assert_ne!(attempt_hash(one, "a"), attempt_hash(one, "b"));
        assert_ne!(attempt_hash(one, "a"), attempt_hash(other, "a"));
    }
}
