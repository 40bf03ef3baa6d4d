//! Tokens of enrollments that wait for their confirmation.
//!
//! The secret of an authenticator app that nobody has confirmed is in no row: the client keeps it, sealed, in
//! its token. So an enrollment that is never finished leaves nothing. A token leads to one factor: it is spent in
//! the transaction that adds the factor.

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::crypto::CryptoError;
use crate::crypto::digest::sha256;
use crate::crypto::secret::MasterSecrets;
use crate::crypto::totp::TotpSecret;
use crate::domain::id::{ChallengeId, SessionId, UserId};
use crate::entropy::Entropy;
use crate::redacted::redacted_debug;
use crate::store::{FactorsMark, SpendToken};

/// Binds the sealed token to its purpose.
const PURPOSE: &str = "pending totp v1";

/// Where an enrollment began, and has to be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth) enum EnrolledIn {
    Session(SessionId),
    /// A login that waits for it, whose token was in the cookie or not.
    Login {
        challenge: ChallengeId,
        by_cookie: bool,
    },
}

impl EnrolledIn {
    /// 17 bytes.
    pub(super) fn write(self, content: &mut Vec<u8>) {
        let (place, id) = match self {
            Self::Session(session) => (0, session.as_uuid()),
            Self::Login { challenge, by_cookie } => (1 + u8::from(by_cookie), challenge.as_uuid()),
        };
        content.push(place);
        content.extend(id.as_bytes());
    }

    /// Also returns the bytes after it.
    pub(super) fn read(content: &[u8]) -> Option<(Self, &[u8])> {
        let (&[place], rest) = content.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk()?;
        let id = Uuid::from_bytes(*id);
        let place = match place {
            0 => Self::Session(SessionId::from_uuid(id)),
            1 | 2 => Self::Login { challenge: ChallengeId::from_uuid(id), by_cookie: place == 2 },
            _ => return None,
        };
        Some((place, rest))
    }
}

/// 17 bytes.
pub(super) fn write_mark(mark: Option<FactorsMark>, content: &mut Vec<u8>) {
    content.push(u8::from(mark.is_some()));
    content.extend(mark.map_or([0; 16], |mark| mark.0));
}

/// Also returns the bytes after it.
pub(super) fn read_mark(content: &[u8]) -> Option<(Option<FactorsMark>, &[u8])> {
    let (&[has_mark], rest) = content.split_first_chunk()?;
    let (mark, rest) = rest.split_first_chunk()?;
    Some(((has_mark == 1).then_some(FactorsMark(*mark)), rest))
}

/// An authenticator app that is not confirmed yet.
pub(in crate::auth) struct PendingTotp {
    pub user: UserId,
    pub enrolled_in: EnrolledIn,
    pub secret: TotpSecret,
    /// The mark of the factors that the account had.
    pub factors: Option<FactorsMark>,
    pub expires_at: Timestamp,
}

redacted_debug!(PendingTotp);

impl PendingTotp {
    /// The token, for the client. Its content: user, place of the enrollment and its ID, mark, expiry in
    /// microseconds, secret.
    pub(super) fn seal(
        &self,
        secrets: &MasterSecrets,
        entropy: &dyn Entropy,
    ) -> Result<String, CryptoError> {
        let mut content = Zeroizing::new(Vec::with_capacity(100));
        content.extend(self.user.as_uuid().as_bytes());
        self.enrolled_in.write(&mut content);
        write_mark(self.factors, &mut content);
        content.extend(self.expires_at.as_micros().to_be_bytes());
        content.extend(self.secret.as_bytes());
        secrets.seal_token(PURPOSE, &content, entropy)
    }

    /// The enrollment of a token that has not expired, and the order to spend it.
    pub(super) fn open(
        token: &str,
        secrets: &MasterSecrets,
        now: Timestamp,
    ) -> Option<(Self, SpendToken)> {
        let content = secrets.open_token(PURPOSE, token)?;
        let (user, rest) = content.split_first_chunk()?;
        let (enrolled_in, rest) = EnrolledIn::read(rest)?;
        let (factors, rest) = read_mark(rest)?;
        let (expires_at, secret) = rest.split_first_chunk()?;
        let expires_at = Timestamp::from_micros(i64::from_be_bytes(*expires_at));
        let pending = Self {
            user: UserId::from_uuid(Uuid::from_bytes(*user)),
            enrolled_in,
            secret: TotpSecret::from_bytes(secret)?,
            factors,
            expires_at,
        };
        let spend = SpendToken { digest: sha256(token.as_bytes()), expires_at };
        (now < expires_at).then_some((pending, spend))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    const SECRET: &str = "0123456789abcdefghijklmnopqrstuv";

    #[test]
    fn a_token_is_good_until_it_expires_and_only_unchanged() {
        let entropy = SeededEntropy::new(1);
        let (secrets, now) = (MasterSecrets::parse(SECRET).unwrap(), Timestamp::from_seconds(100));
        let pending = PendingTotp {
            user: UserId::new(now, &entropy),
            enrolled_in: EnrolledIn::Session(SessionId::new(now, &entropy)),
            secret: TotpSecret::generate(&entropy),
            factors: Some(FactorsMark([7; 16])),
            expires_at: Timestamp::from_seconds(200),
        };
        let token = pending.seal(&secrets, &entropy).unwrap();
        let (opened, spend) = PendingTotp::open(&token, &secrets, now).unwrap();
        assert_eq!((opened.user, opened.enrolled_in), (pending.user, pending.enrolled_in));
        assert_eq!(opened.secret.as_bytes(), pending.secret.as_bytes());
        assert_eq!((opened.factors, spend.expires_at), (pending.factors, pending.expires_at));
        assert!(PendingTotp::open(&token, &secrets, pending.expires_at).is_none());
        for changed in [format!("{token}A"), token.to_lowercase(), token[1..].to_owned()] {
            assert!(PendingTotp::open(&changed, &secrets, now).is_none(), "{changed}");
        }
        let others = MasterSecrets::parse("ZYXWVUTSRQPONMLKJIHGFEDCBA987654").unwrap();
        assert!(PendingTotp::open(&token, &others, now).is_none());
    }
}
