//! Cache of verified access tokens: checking a signature costs more than the rest of a guarded query.
//!
//! An entry says that a key of this key ring signed the token, and what its claims are. It does not say
//! that the session is active or that the token has not expired; both are checked for each request. The
//! cache belongs to one key ring and is dropped with it, so a removed key takes along the tokens that it
//! signed.

use std::time::Duration;

use crate::bounded_cache::BoundedCache;
use crate::clock::Timestamp;
use crate::crypto::access_token::AccessToken;
use crate::crypto::digest::sha256;

/// About 10 MB when full, at 200 bytes an entry.
const MAX_ENTRIES: usize = 50_000;

/// Claims of verified tokens, by the SHA-256 of their text.
#[derive(Debug)]
pub(super) struct VerifiedCache(BoundedCache<[u8; 32], AccessToken>);

impl Default for VerifiedCache {
    fn default() -> Self {
        Self(BoundedCache::new(MAX_ENTRIES))
    }
}

impl VerifiedCache {
    /// The claims of this token from the cache, or else from `verify`, whose result is then cached.
    /// If the clock was set back, a cached token may be issued in the future; `verify` must refuse it.
    pub fn or_verify<E>(
        &self,
        token: &str,
        now: Timestamp,
        leeway: Duration,
        verify: impl FnOnce() -> Result<AccessToken, E>,
    ) -> Result<AccessToken, E> {
        let is_alive = |token: &AccessToken| {
            now < token.expires_at + leeway && token.issued_at <= now + leeway
        };
        let digest = sha256(token.as_bytes());
        if let Some(token) = self.0.get_if(&digest, is_alive) {
            return Ok(token);
        }
        let token = verify()?;
        if is_alive(&token) {
            self.0.insert(digest, token.clone());
        }
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::assurance::Assurance;
    use crate::domain::authentication::Methods;
    use crate::domain::id::{SessionId, TokenId, UserId};
    use crate::domain::user::Role;
    use crate::entropy::SeededEntropy;

    const LEEWAY: Duration = Duration::from_secs(2);

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }

    fn token() -> AccessToken {
        let entropy = SeededEntropy::new(1);
        AccessToken {
            user_id: UserId::new(now(), &entropy),
            session_id: SessionId::new(now(), &entropy),
            id: TokenId::new(now(), &entropy),
            issued_at: now(),
            expires_at: now() + Duration::from_mins(1),
            auth_time: now(),
            methods: Methods::default(),
            assurance: Assurance::SingleFactor,
            factor_time: None,
            role: Role::User,
            external_id: None,
        }
    }

    /// Whether the text had to be verified at this moment.
    fn asks(verified: &VerifiedCache, text: &str, at: Timestamp) -> bool {
        let mut asked = false;
        let found = verified.or_verify(text, at, LEEWAY, || {
            asked = true;
            Ok::<_, ()>(token())
        });
        assert_eq!(found, Ok(token()));
        asked
    }

    #[test]
    fn a_token_is_verified_once() {
        let verified = VerifiedCache::default();
        assert!(asks(&verified, "a", now()));
        assert!(!asks(&verified, "a", now()));
        assert!(asks(&verified, "b", now()));
    }

    #[test]
    fn a_token_that_has_run_out_is_forgotten() {
        let verified = VerifiedCache::default();
        let end = token().expires_at + LEEWAY;
        assert!(asks(&verified, "a", now()));
        assert!(!asks(&verified, "a", end - Duration::from_micros(1)));
        assert!(asks(&verified, "a", end));
        assert!(verified.0.is_empty());
        assert!(asks(&verified, "a", end));
    }

    #[test]
    fn a_token_of_the_future_is_verified_again() {
        let verified = VerifiedCache::default();
        assert!(asks(&verified, "a", now()));
        assert!(asks(&verified, "a", now() - Duration::from_secs(3)));
    }

    #[test]
    fn what_is_refused_is_not_remembered() {
        let verified = VerifiedCache::default();
        let refused = verified.or_verify("a", now(), LEEWAY, || Err("no"));
        assert_eq!(refused, Err("no"));
        assert!(asks(&verified, "a", now()));
    }

    #[test]
    fn the_tokens_used_longest_ago_make_room() {
        let verified = VerifiedCache::default();
        for number in 0..=MAX_ENTRIES {
            asks(&verified, &number.to_string(), now());
        }
        assert_eq!(verified.0.len(), MAX_ENTRIES);
        assert!(asks(&verified, "0", now()));
        assert!(!asks(&verified, &MAX_ENTRIES.to_string(), now()));
    }
}
