//! Challenges of clients: answered by a code or a link, and turned into proofs.
//!
//! Makes the proof [`VerifiedChallenge`] and spends nothing: the challenge is spent in the transaction of what
//! it leads to.

mod answer;
mod login_challenge;
mod state;

pub(super) use answer::{
    Answer, ChallengeAnswer, EmailProof, VerifiedChallenge, challenge_expired, spend_step,
    wrong_code,
};
pub use login_challenge::LoginChallenge;
pub use state::Challenges;
