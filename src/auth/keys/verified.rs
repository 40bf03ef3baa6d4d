//! The access tokens whose signatures were verified a moment ago. To verify one costs more than all
//! else that a guarded query needs.
//!
//! Rule: remembered is what a token says and that a key of this ring signed it; never that its
//! session lives or that it has not run out, which is judged each time. What is remembered belongs to
//! one ring and goes with it, so a key that is removed takes along all that it vouched for.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;

use crate::clock::Timestamp;
use crate::crypto::access_token::AccessToken;
use crate::crypto::digest::sha256;

/// The most tokens that are remembered, at about 200 bytes each.
const MOST: usize = 50_000;

/// What the tokens with these digests say.
pub(super) struct Verified(Mutex<LruCache<[u8; 32], AccessToken>>);

/// Whose tokens they are is nobody's business.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified(…)")
    }
}

impl Default for Verified {
    fn default() -> Self {
        // Bounded below: a cache that is told its bound takes the room for it at once.
        Self(Mutex::new(LruCache::unbounded()))
    }
}

impl Verified {
    /// What this token says, as it was remembered or else as `verify` finds, which is then
    /// remembered. A clock that was set back makes a token one of the future: `verify` has to see it.
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
            while tokens.len() > MOST {
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
    fn asks(verified: &Verified, text: &str, at: Timestamp) -> bool {
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
        let verified = Verified::default();
        assert!(asks(&verified, "a", now()));
        assert!(!asks(&verified, "a", now()));
        assert!(asks(&verified, "b", now()));
    }

    #[test]
    fn a_token_that_has_run_out_is_forgotten() {
        let verified = Verified::default();
        let end = token().expires_at + LEEWAY;
        assert!(asks(&verified, "a", now()));
        assert!(!asks(&verified, "a", end - Duration::from_micros(1)));
        assert!(asks(&verified, "a", end));
        assert_eq!(verified.0.lock().unwrap().len(), 0);
        assert!(asks(&verified, "a", end));
    }

    #[test]
    fn a_token_of_the_future_is_verified_again() {
        let verified = Verified::default();
        assert!(asks(&verified, "a", now()));
        assert!(asks(&verified, "a", now() - Duration::from_secs(3)));
    }

    #[test]
    fn what_is_refused_is_not_remembered() {
        let verified = Verified::default();
        let refused = verified.or_verify("a", now(), LEEWAY, || Err("no"));
        assert_eq!(refused, Err("no"));
        assert!(asks(&verified, "a", now()));
    }

    #[test]
    fn the_tokens_used_longest_ago_make_room() {
        let verified = Verified::default();
        for number in 0..=MOST {
            asks(&verified, &number.to_string(), now());
        }
        assert_eq!(verified.0.lock().unwrap().len(), MOST);
        assert!(asks(&verified, "0", now()));
        assert!(!asks(&verified, &MOST.to_string(), now()));
    }
}
