//! A refresh token of another system whose signature and claims were verified.

use crate::clock::Timestamp;
use crate::crypto::digest::sha256;
use crate::domain::authentication::{Authentication, Method, Methods};
use crate::domain::external_account::Source;
use crate::domain::foreign_token::{
    ForeignToken, ForeignTokenDecision, ForeignTokenRecord, ForeignTokenTerms,
};
use crate::domain::id::UserId;
use crate::domain::throttle::Bucket;
use crate::store::{ExchangeToken, Grounds, KnownForeignToken};

/// Made only by the settings, after the signature was verified.
#[derive(Clone, Debug)]
pub(in crate::auth) struct VerifiedForeignToken {
    source: Source,
    token: ForeignToken,
    terms: ForeignTokenTerms,
}

/// A verified token of a known account that may be exchanged, made only by
/// [`VerifiedForeignToken::into_proof`].
#[derive(Clone, Debug)]
pub(in crate::auth) struct ForeignTokenProof {
    verified: VerifiedForeignToken,
    user: UserId,
    issued_at: Timestamp,
    /// Whether the client goes on with the token instead of the session's.
    stays: bool,
}

impl VerifiedForeignToken {
    pub(super) fn new(source: Source, token: ForeignToken, terms: ForeignTokenTerms) -> Self {
        Self { source, token, terms }
    }

    pub(in crate::auth) fn source(&self) -> &Source {
        &self.source
    }

    pub(in crate::auth) fn token(&self) -> &ForeignToken {
        &self.token
    }

    /// The lock of the token in this process.
    pub(in crate::auth) fn lock(&self) -> Bucket {
        let text = format!("{} {}", self.source.as_str(), self.token.id.as_str());
        let mut bucket = [0; 16];
        bucket.copy_from_slice(&sha256(text.as_bytes())[..16]);
        Bucket(bucket)
    }

    pub(in crate::auth) fn decide(&self, known: &KnownForeignToken) -> ForeignTokenDecision {
        self.token.decide(&known.owner, known.record.as_ref(), self.terms)
    }

    /// The proof of a token that is to be exchanged. `None` where nobody wrote down when it was issued.
    pub(in crate::auth) fn into_proof(
        self,
        known: &KnownForeignToken,
        stays: bool,
    ) -> Option<ForeignTokenProof> {
        let record: Option<&ForeignTokenRecord> = known.record.as_ref();
        let issued_at = self.token.known_issue(record)?;
        Some(ForeignTokenProof { user: known.owner.user, issued_at, stays, verified: self })
    }
}

impl ForeignTokenProof {
    pub(in crate::auth) fn user_id(&self) -> UserId {
        self.user
    }

    /// Conditions that the store checks again when it opens the session.
    pub(in crate::auth) fn grounds(&self, at: Timestamp) -> Grounds {
        let VerifiedForeignToken { source, token, terms } = self.verified.clone();
        Grounds::ForeignToken(Box::new(ExchangeToken { source, token, terms, at }))
    }

    /// What the old login showed: a password, when the token was issued.
    pub(in crate::auth) fn shown(&self) -> Authentication {
        Authentication::single(Methods::of(&[Method::Password]), self.issued_at)
    }

    /// Until when the client goes on with the token, where it does.
    pub(in crate::auth) fn stays_until(&self) -> Option<Timestamp> {
        self.stays.then_some(self.verified.token.expires_at)
    }
}
