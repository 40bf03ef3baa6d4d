//! Cache of access tokens whose signatures were verified: verifying one costs more than all the rest of a
//! guarded query.
//!
//! An entry says what the token contains and that a key of this ring signed it; never that its session
//! lives or that it has not expired, which is checked each time. The entries belong to one ring and are
//! dropped with it, so a removed key takes along the tokens that it signed.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;

use crate::clock::Timestamp;
use crate::crypto::access_token::AccessToken;
use crate::crypto::digest::sha256;

/// Most tokens, at about 200 bytes each.
const MAX_ENTRIES: usize = 50_000;

/// Contents of the tokens with these digests.
pub(super) struct VerifiedCache(Mutex<LruCache<[u8; 32], AccessToken>>);

/// Redacted: the contents name users.
impl fmt::Debug for VerifiedCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifiedCache(…)")
    }
}

impl Default for VerifiedCache {
    fn default() -> Self {
        // Bounded below: a cache that is told its bound takes the room for it at once.
        Self(Mutex::new(LruCache::unbounded()))
    }
}

impl VerifiedCache {
    /// The contents of this token, from the cache or else by `verify`. After the clock was set back a token
    /// may be from the future: `verify` has to see it again.
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
        let remembered = {
            let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match tokens.get(&digest) {
                Some(token) if is_alive(token) => Some(token.clone()),
                Some(_) => {
                    tokens.pop(&digest);
                    None
                }
                None => None,
            }
        };
        if let Some(token) = remembered {
            return Ok(token);
        }
        let token = verify()?;
        if is_alive(&token) {
            let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            tokens.put(digest, token.clone());
            while tokens.len() > MAX_ENTRIES {
                tokens.pop_lru();
            }
        }
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            role: Role::User,
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
        assert_eq!(verified.0.lock().unwrap().len(), 0);
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
        assert_eq!(verified.0.lock().unwrap().len(), MAX_ENTRIES);
        assert!(asks(&verified, "0", now()));
        assert!(!asks(&verified, &MAX_ENTRIES.to_string(), now()));
    }
}
