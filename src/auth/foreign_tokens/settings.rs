//! Settings of the operator: whose tokens are accepted, and how long.

use std::time::Duration;

use super::verified::VerifiedForeignToken;
use crate::clock::Timestamp;
use crate::crypto::TokenError;
use crate::crypto::foreign_token::ForeignTokens;
use crate::domain::external_account::Source;
use crate::domain::foreign_token::ForeignTokenTerms;

/// Acceptance of the refresh tokens of one other system.
#[derive(Clone, Debug)]
pub struct ForeignTokenSettings {
    pub source: Source,
    pub tokens: ForeignTokens,
    pub terms: ForeignTokenTerms,
    /// From when on no token is accepted any more.
    pub until: Option<Timestamp>,
    /// How long after its exchange a token that comes again is only stale: front ends of systems that do not
    /// rotate share one token among tabs and servers.
    pub grace: Duration,
}

impl ForeignTokenSettings {
    /// Whether tokens are accepted at this time.
    #[must_use]
    pub fn accepts_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Verifies a token. `None` for a text that is not a token of another system, and once none is accepted.
    pub(in crate::auth) fn verify(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Option<Result<VerifiedForeignToken, TokenError>> {
        if !self.accepts_at(now) {
            return None;
        }
        let verified = self.tokens.verify(token, now)?;
        Some(
            verified.map(|token| VerifiedForeignToken::new(self.source.clone(), token, self.terms)),
        )
    }

    /// Whether the other system issued this token, of whatever type and age.
    pub(in crate::auth) fn has_issued(&self, token: &str, now: Timestamp) -> bool {
        self.accepts_at(now) && self.tokens.has_signed(token)
    }
}
