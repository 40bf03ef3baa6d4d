//! Second factors that clients show, and new ones: verified here, used up or added in the transaction of what
//! they lead to.
//!
//! Makes the proofs [`SecondStepProof`], [`PasskeyProof`] and [`EnrollmentProof`] and opens no session.

mod ceremony;
mod enroll_passkey;
mod enroll_totp;
mod enrollment_proof;
mod passkey_login;
mod pending_enrollment;
mod second_step;
mod state;
mod verify;
mod verify_passkey;

pub(super) use ceremony::{Ceremony, step_challenge};
pub use enroll_passkey::BegunPasskey;
pub use enroll_totp::BegunTotp;
pub(super) use enrollment_proof::EnrollmentProof;
pub(super) use passkey_login::{PasskeyProof, unknown_passkey};
pub(super) use pending_enrollment::EnrolledIn;
pub(super) use second_step::{SecondStepProof, StepAnswer};
pub use state::SecondFactors;
pub(super) use verify::Attempt;
pub use verify::FactorProof;
