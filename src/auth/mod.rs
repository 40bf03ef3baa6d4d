//! Authentication and authority: every rule about who is logged in and who may do what.
//!
//! One struct for each capability, each with only the state that it uses; [`Auth`] holds them all. A use
//! case takes its input and its caller, decides, and does what it has decided in one operation of the store.
//!
//! - [`Keys`]: signing keys, rotated while the service runs.
//! - [`Guard`]: access tokens of requests, checked in memory. Who may pass: [`Requirement`].
//! - [`Passwords`]: verification, limits on guessing, hashing. Makes proofs, and opens no session.
//! - [`Emails`]: mails of accounts, composed and queued; the outbox for administrators.
//! - [`proof`]: what can open a session, and the policy about it. Another way in would be a variant there.
//! - `factors`: second factors that clients show, and those to be added. Makes proofs, too.
//! - `foreign_tokens`: refresh tokens of another system, exchanged for sessions. Makes proofs, too.
//! - [`Sessions`]: opened by a proof (login, registration), refreshed, logged out, ended.
//! - [`Accounts`]: registered, created, changed. What needs an [`Admin`] cannot be called without one.
//! - [`Enrollments`]: second factors of accounts, added and removed.
//! - [`Reads`]: lists, counts and objects, narrowed to what a [`Reader`] may see.
//! - [`ImportedSettings`]: settings of the site that accounts were imported from.
//! - [`Imports`]: accounts and refresh tokens of other systems, and the way back.
//! - [`System`]: readiness, metrics, purge.
//!
//! Imports point one way, from the last of these to the first.

mod accounts;
mod assembly;
mod authority;
mod bucket_locks;
mod caller;
mod challenges;
mod client_disconnect;
mod emails;
mod enrollment;
mod error;
mod factors;
mod foreign_tokens;
mod guard;
mod imported_settings;
mod imports;
mod input_field;
mod keys;
mod passwords;
mod policy;
mod proof;
mod reads;
mod sessions;
mod system;
mod transport;
mod user_cache;
mod user_error;

pub use accounts::{
    Accounts, EmailProofInput, Register, RequestEmail, ResetPassword, UserChanges, VerifyEmail,
};
pub use assembly::Parts;
pub use authority::{Admin, Reader, Requirement};
pub use caller::{Caller, Viewer};
pub use challenges::{Challenges, LoginChallenge};
pub use client_disconnect::ClientConnection;
pub use emails::{Email, EmailSettings, Emails};
pub use enrollment::{ConfirmTotp, Enrolled, Enrollments, RecoveryCodes, RegisterPasskey};
pub use error::{Denial, Error, UnauthenticatedReason};
pub use factors::{BegunPasskey, BegunTotp, FactorProof};
pub use foreign_tokens::ForeignTokenSettings;
pub use guard::Guard;
pub use imported_settings::ImportedSettings;
pub use imports::{
    ExportLine, ImportError, ImportInput, ImportPhase, ImportProgress, ImportSummary, Imports,
    StagedImport, UserCounts,
};
pub use input_field::Field;
pub use keys::{KeyError, KeyRotation, Keys, PUBLIC_KEYS_MAX_AGE, SigningKey};
pub use passwords::{HashingLoad, NewAccount, Passwords};
pub use policy::Policy;
pub use reads::Reads;
pub use sessions::{
    ContinueLogin, Continued, EndStream, Followed, FreshProofInput, LinkLogin, LoggedOut, Login,
    LoginOutcome, LogoutScope, PasskeyLogin, Refresh, SessionEnded, SessionEnds, Sessions,
    SignedIn, StepProof, TokenPair, TokenRefusal, TokenStatus, TokenType,
};
pub use system::{Check, System};
pub use transport::{CookieChange, CookieSlot, Cookies, TokenTransport, Untrusted};
pub use user_error::{UserError, UserErrorCode};

use std::sync::Arc;

/// All use cases, by capability.
pub struct Auth {
    pub guard: Arc<Guard>,
    pub passwords: Arc<Passwords>,
    pub sessions: Arc<Sessions>,
    pub ends: Arc<SessionEnds>,
    pub accounts: Accounts,
    pub enrollments: Enrollments,
    pub emails: Arc<Emails>,
    pub keys: Arc<Keys>,
    pub reads: Reads,
    pub imported: ImportedSettings,
    pub imports: Imports,
    pub system: System,
}
