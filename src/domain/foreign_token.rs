//! Refresh tokens of another system, and the decision about one: each is exchanged for a session once.
//!
//! The decision is a pure function of what the token says and what the database knows of it. The exchange itself
//! is decided by the conditional write of the store.

use super::external_account::{ExternalId, ForeignTokenId};
use super::id::{SessionId, UserId};
use crate::clock::Timestamp;

/// MD5 of the text of a password hash, which `CHECK_REVOKE_TOKEN` of SimpleJWT puts into tokens. It is compared
/// only, and allows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordFingerprint(pub [u8; 16]);

impl PasswordFingerprint {
    /// Parses 32 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_sound = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok();
        number.filter(|_| is_sound).map(|number| Self(number.to_be_bytes()))
    }
}

/// A refresh token of another system whose signature was verified, and that has not expired. Times are whole
/// seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignToken {
    pub id: ForeignTokenId,
    /// The user there; versions before 5.5.1 of SimpleJWT write a number as a number.
    pub external_id: ExternalId,
    /// `None` in versions of SimpleJWT before 5.0.
    pub issued_at: Option<Timestamp>,
    pub expires_at: Timestamp,
    /// Of the user's password when the token was issued, where the system writes it.
    pub password: Option<PasswordFingerprint>,
}

/// What the import said of a token, and what became of it here.
#[derive(Clone, Debug)]
pub struct ForeignTokenRecord {
    /// `None` where the import names only its end.
    pub external_id: Option<ExternalId>,
    pub created_at: Option<Timestamp>,
    pub blacklisted_at: Option<Timestamp>,
    /// The session that it was exchanged for, and when.
    pub exchange: Option<(SessionId, Timestamp)>,
}

/// The account that a token is of.
#[derive(Clone, Debug)]
pub struct ForeignTokenOwner {
    pub user: UserId,
    pub is_active: bool,
    /// Of the last import.
    pub password: Option<PasswordFingerprint>,
    /// When all sessions of the user were last ended.
    pub ended_at: Option<Timestamp>,
}

/// Which tokens are exchanged.
#[derive(Clone, Copy, Debug, Default)]
pub struct ForeignTokenTerms {
    /// Only tokens that the import names, so that the key of the other system alone makes no session.
    pub must_be_outstanding: bool,
    /// Only tokens from before the other system stopped issuing them.
    pub issued_before: Option<Timestamp>,
}

/// Decision about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignTokenDecision {
    Exchange,
    /// It was exchanged for this session.
    Exchanged(SessionId, Timestamp),
    /// Blacklisted there, or all sessions of the user were ended since it was issued.
    Ended,
    /// Nobody's, or not one that is exchanged.
    Invalid,
}

impl ForeignToken {
    /// Decides about the token of this account.
    #[must_use]
    pub fn decide(
        &self,
        owner: &ForeignTokenOwner,
        record: Option<&ForeignTokenRecord>,
        terms: ForeignTokenTerms,
    ) -> ForeignTokenDecision {
        let is_outstanding = record.is_some_and(|record| record.external_id.is_some());
        if record.is_some_and(|record| self.is_of_another(record))
            || terms.must_be_outstanding && !is_outstanding
        {
            return ForeignTokenDecision::Invalid;
        }
        if record.is_some_and(|record| record.blacklisted_at.is_some()) {
            return ForeignTokenDecision::Ended;
        }
        if let Some((session, at)) = record.and_then(|record| record.exchange) {
            return ForeignTokenDecision::Exchanged(session, at);
        }
        // Without a time that the other system wrote down, whoever has the key could make a token of any age.
        let Some(issued_at) = self.known_issue(record) else {
            return ForeignTokenDecision::Invalid;
        };
        if terms.issued_before.is_some_and(|moment| issued_at > moment) {
            return ForeignTokenDecision::Invalid;
        }
        let is_over = owner.ended_at.is_some_and(|ended_at| issued_at <= ended_at);
        let has_other_password = self.password.is_some() && self.password != owner.password;
        if !owner.is_active || is_over || has_other_password {
            return ForeignTokenDecision::Ended;
        }
        ForeignTokenDecision::Exchange
    }

    /// Whether the other system issued a token of this id to another user.
    #[must_use]
    pub fn is_of_another(&self, record: &ForeignTokenRecord) -> bool {
        record.external_id.as_ref().is_some_and(|id| *id != self.external_id)
    }

    /// When it was issued: the earlier of what it says itself and what the other system wrote down, since whoever
    /// has the key can make a token with any time.
    #[must_use]
    pub fn known_issue(&self, record: Option<&ForeignTokenRecord>) -> Option<Timestamp> {
        let created_at = record.and_then(|record| record.created_at);
        [self.issued_at, created_at].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    const ISSUED: i64 = 1_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn token() -> ForeignToken {
        ForeignToken {
            id: ForeignTokenId::parse("0f3c8a5a").unwrap(),
            external_id: ExternalId::parse("42").unwrap(),
            issued_at: Some(at(ISSUED)),
            expires_at: at(9_000),
            password: None,
        }
    }

    fn owner() -> ForeignTokenOwner {
        let user = UserId::new(at(1), &SeededEntropy::new(1));
        ForeignTokenOwner { user, is_active: true, password: None, ended_at: None }
    }

    fn record() -> ForeignTokenRecord {
        ForeignTokenRecord {
            external_id: ExternalId::parse("42").ok(),
            created_at: Some(at(ISSUED)),
            blacklisted_at: None,
            exchange: None,
        }
    }

    fn strict() -> ForeignTokenTerms {
        ForeignTokenTerms { must_be_outstanding: true, issued_before: Some(at(ISSUED)) }
    }

    #[test]
    fn a_token_that_the_import_names_is_exchanged_until_it_was() {
        use ForeignTokenDecision::{Ended, Exchange, Exchanged, Invalid};
        let (token, owner) = (token(), owner());
        let decide = |record: ForeignTokenRecord| token.decide(&owner, Some(&record), strict());
        assert_eq!(decide(record()), Exchange);
        let session = SessionId::new(at(1), &SeededEntropy::new(2));
        let exchanged = ForeignTokenRecord { exchange: Some((session, at(5))), ..record() };
        assert_eq!(decide(exchanged.clone()), Exchanged(session, at(5)));
        let blacklisted_at = Some(at(6));
        assert_eq!(decide(ForeignTokenRecord { blacklisted_at, ..exchanged }), Ended);
        assert_eq!(decide(ForeignTokenRecord { blacklisted_at, ..record() }), Ended);
        let external_id = ExternalId::parse("43").ok();
        assert_eq!(decide(ForeignTokenRecord { external_id, ..record() }), Invalid);
        assert_eq!(decide(ForeignTokenRecord { external_id: None, ..record() }), Invalid);
        assert_eq!(token.decide(&owner, None, strict()), Invalid);
        assert_eq!(token.decide(&owner, None, ForeignTokenTerms::default()), Exchange);
    }

    #[test]
    fn the_key_of_the_other_system_makes_no_session_after_the_cut_over() {
        let late = ForeignToken { issued_at: Some(at(ISSUED + 1)), ..token() };
        let terms = ForeignTokenTerms { must_be_outstanding: false, ..strict() };
        assert_eq!(late.decide(&owner(), None, terms), ForeignTokenDecision::Invalid);
        // A token that leaves its time out is as old as the other system says, or not exchanged.
        let timeless = ForeignToken { issued_at: None, ..token() };
        assert_eq!(timeless.decide(&owner(), None, terms), ForeignTokenDecision::Invalid);
        let decided = timeless.decide(&owner(), Some(&record()), terms);
        assert_eq!(decided, ForeignTokenDecision::Exchange);
        let created_at = Some(at(ISSUED + 1));
        let late = ForeignTokenRecord { created_at, ..record() };
        let decided = timeless.decide(&owner(), Some(&late), terms);
        assert_eq!(decided, ForeignTokenDecision::Invalid);
    }

    #[test]
    fn a_token_from_before_a_logout_everywhere_is_dead() {
        let decide = |owner: ForeignTokenOwner| token().decide(&owner, Some(&record()), strict());
        for ended_at in [ISSUED, ISSUED + 1] {
            let ended = ForeignTokenOwner { ended_at: Some(at(ended_at)), ..owner() };
            assert_eq!(decide(ended), ForeignTokenDecision::Ended);
        }
        let before = ForeignTokenOwner { ended_at: Some(at(ISSUED - 1)), ..owner() };
        assert_eq!(decide(before), ForeignTokenDecision::Exchange);
        let inactive = ForeignTokenOwner { is_active: false, ..owner() };
        assert_eq!(decide(inactive), ForeignTokenDecision::Ended);
        // Whoever has the key signs the same token again, with another time.
        let forged = ForeignToken { issued_at: Some(at(ISSUED + 9)), ..token() };
        let ended = ForeignTokenOwner { ended_at: Some(at(ISSUED + 5)), ..owner() };
        let decided = forged.decide(&ended, Some(&record()), ForeignTokenTerms::default());
        assert_eq!(decided, ForeignTokenDecision::Ended);
    }

    #[test]
    fn a_token_that_names_a_password_is_of_this_password() {
        let fingerprint = |text: &str| PasswordFingerprint::parse(text);
        let (one, other) = ("0F0E0D0C0B0A09080706050403020100", "1f0e0d0c0b0a09080706050403020100");
        assert!(fingerprint(one).is_some() && fingerprint(&one[1..]).is_none());
        assert_eq!(fingerprint("+F0E0D0C0B0A09080706050403020100"), None);
        let token = ForeignToken { password: fingerprint(one), ..token() };
        let decide = |password| {
            token.decide(&ForeignTokenOwner { password, ..owner() }, Some(&record()), strict())
        };
        assert_eq!(decide(fingerprint(&one.to_lowercase())), ForeignTokenDecision::Exchange);
        assert_eq!(decide(fingerprint(other)), ForeignTokenDecision::Ended);
        assert_eq!(decide(None), ForeignTokenDecision::Ended);
    }
}
