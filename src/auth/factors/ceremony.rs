//! Ceremonies of passkeys that wait for the browser's response.
//!
//! A ceremony is in no row: the client keeps it, sealed, in its token. So a page that is merely open leaves
//! nothing. Its challenge is accepted once, also after a failed try: the token is used up before the response
//! is judged. The ceremony of a second step has no token of its own: it is of the login's challenge.

use uuid::Uuid;
use zeroize::Zeroizing;

use super::pending_enrollment::{EnrolledIn, read_mark, write_mark};
use crate::clock::Timestamp;
use crate::crypto::CryptoError;
use crate::crypto::digest::sha256;
use crate::crypto::passkey::PasskeyChallenge;
use crate::crypto::secret::MasterSecrets;
use crate::domain::id::{SessionId, UserId};
use crate::domain::passkey::UserHandle;
use crate::entropy::Entropy;
use crate::store::{FactorsMark, SpendToken};

/// Binds the sealed token to its purpose.
const PURPOSE: &str = "passkey ceremony v1";

/// What a ceremony is for.
#[derive(Debug)]
pub(in crate::auth) enum Ceremony {
    /// By any passkey of the service.
    Login,
    Reauthentication {
        user: UserId,
        session: SessionId,
    },
    Registration {
        user: UserId,
        enrolled_in: EnrolledIn,
        /// The mark of the factors that the account had.
        factors: Option<FactorsMark>,
        handle: UserHandle,
    },
}

/// A ceremony that was begun.
#[derive(Debug)]
pub(in crate::auth) struct PendingCeremony {
    pub ceremony: Ceremony,
    pub challenge: PasskeyChallenge,
    pub expires_at: Timestamp,
}

impl PendingCeremony {
    /// The token, for the client. Its content: challenge, expiry in microseconds, what it is for.
    pub(super) fn seal(
        &self,
        secrets: &MasterSecrets,
        entropy: &dyn Entropy,
    ) -> Result<String, CryptoError> {
        let mut content = Zeroizing::new(Vec::with_capacity(200));
        content.extend(self.challenge.as_bytes());
        content.extend(self.expires_at.as_micros().to_be_bytes());
        match &self.ceremony {
            Ceremony::Login => content.push(0),
            Ceremony::Reauthentication { user, session } => {
                content.push(1);
                content.extend(user.as_uuid().as_bytes());
                content.extend(session.as_uuid().as_bytes());
            }
            Ceremony::Registration { user, enrolled_in, factors, handle } => {
                content.push(2);
                content.extend(user.as_uuid().as_bytes());
                enrolled_in.write(&mut content);
                write_mark(*factors, &mut content);
                content.extend(handle.as_bytes());
            }
        }
        secrets.seal_token(PURPOSE, &content, entropy)
    }

    /// The ceremony of a token that has not expired, and the order to use the token up.
    pub(super) fn open(
        token: &str,
        secrets: &MasterSecrets,
        now: Timestamp,
    ) -> Option<(Self, SpendToken)> {
        let content = secrets.open_token(PURPOSE, token)?;
        let (challenge, rest) = content.split_first_chunk()?;
        let (expires_at, rest) = rest.split_first_chunk()?;
        let (&[kind], rest) = rest.split_first_chunk()?;
        let expires_at = Timestamp::from_micros(i64::from_be_bytes(*expires_at));
        let ceremony = match kind {
            0 => Ceremony::Login,
            1 => {
                let (user, rest) = rest.split_first_chunk()?;
                let (session, _) = rest.split_first_chunk()?;
                Ceremony::Reauthentication {
                    user: UserId::from_uuid(Uuid::from_bytes(*user)),
                    session: SessionId::from_uuid(Uuid::from_bytes(*session)),
                }
            }
            2 => {
                let (user, rest) = rest.split_first_chunk()?;
                let (enrolled_in, rest) = EnrolledIn::read(rest)?;
                let (factors, handle) = read_mark(rest)?;
                let user = UserId::from_uuid(Uuid::from_bytes(*user));
                let handle = UserHandle::parse(handle.to_vec())?;
                Ceremony::Registration { user, enrolled_in, factors, handle }
            }
            _ => return None,
        };
        let challenge = PasskeyChallenge::from_bytes(*challenge);
        let spend = SpendToken { digest: sha256(token.as_bytes()), expires_at };
        (now < expires_at).then_some((Self { ceremony, challenge, expires_at }, spend))
    }
}

/// The WebAuthn challenge of the next attempt at a second step. Each attempt has its own, so a response that
/// failed is of no use for the next one. Only the client that has the token of the login can know it before.
pub(in crate::auth) fn step_challenge(token: &str, attempts_left: i32) -> PasskeyChallenge {
    let text = format!("passkey of a second step\n{token}\n{attempts_left}");
    PasskeyChallenge::from_bytes(sha256(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_ceremony_comes_back_from_its_token_until_it_expires() {
        let entropy = SeededEntropy::new(1);
        let secrets = MasterSecrets::parse("0123456789abcdefghijklmnopqrstuv").unwrap();
        let now = Timestamp::from_seconds(100);
        let (user, session) = (UserId::new(now, &entropy), SessionId::new(now, &entropy));
        let registration = Ceremony::Registration {
            user,
            enrolled_in: EnrolledIn::Session(session),
            factors: Some(FactorsMark([3; 16])),
            handle: UserHandle::generate(&entropy),
        };
        let reauthentication = Ceremony::Reauthentication { user, session };
        for ceremony in [Ceremony::Login, reauthentication, registration] {
            let expires_at = Timestamp::from_seconds(200);
            let challenge = PasskeyChallenge::generate(&entropy);
            let pending = PendingCeremony { ceremony, challenge, expires_at };
            let token = pending.seal(&secrets, &entropy).unwrap();
            assert!(token.len() < 300, "{}", token.len());
            let (opened, spend) = PendingCeremony::open(&token, &secrets, now).unwrap();
            assert_eq!(format!("{:?}", opened.ceremony), format!("{:?}", pending.ceremony));
            assert_eq!(opened.challenge.as_bytes(), pending.challenge.as_bytes());
            assert_eq!(spend.expires_at, expires_at);
            assert!(PendingCeremony::open(&token, &secrets, expires_at).is_none());
        }
    }

    #[test]
    fn each_attempt_of_a_second_step_has_its_own_challenge() {
        let of = |token: &str, left: i32| *step_challenge(token, left).as_bytes();
        assert_eq!(of("a", 5), of("a", 5));
        assert!(of("a", 5) != of("a", 4) && of("a", 5) != of("b", 5));
    }
}
