//! Types of the schema.
//!
//! Types that refer to each other are in two files. The first has the type, how it is loaded and its
//! connection. The second, `*_fields.rs`, has its fields, which refer to the other types.

mod audit_event;
mod audit_event_fields;
mod blacklist_entry;
mod blacklist_entry_fields;
mod email;
mod end_reasons;
mod enums;
mod filters;
mod import_status;
mod login_challenge;
mod node;
mod passkey;
mod second_factors;
mod session;
mod session_ended;
mod session_fields;
mod signing_key;
mod token_pair;
mod token_status;
mod trusted_device;
mod user;
mod user_fields;

pub use audit_event::{AuditEvent, AuditEventConnection};
pub use blacklist_entry::{BlacklistEntry, BlacklistEntryConnection};
pub use email::{Email, EmailConnection};
pub use end_reasons::{BlacklistReason, EndReason};
pub use enums::{
    Assurance, AuditKind, DeviceType, EmailState, LoginStep, LogoutScope, Role, SessionState,
    SigningKeyState, TokenRefusal, TokenTransport, TokenType, UserErrorCode,
};
pub use filters::{AuditFilter, BlacklistFilter, SessionFilter, UserFilter};
pub use import_status::ImportStatus;
pub use login_challenge::LoginChallenge;
pub use node::Node;
pub use passkey::Passkey;
pub use second_factors::SecondFactors;
pub use session::{Session, SessionConnection};
pub use session_ended::SessionEnded;
pub use signing_key::SigningKey;
pub use token_pair::TokenPair;
pub use token_status::TokenStatus;
pub use trusted_device::TrustedDevice;
pub use user::{User, UserConnection};
