//! Types of the schema.

mod audit_event;
mod blacklist_entry;
mod enums;
mod filters;
mod node;
mod session;
mod session_ended;
mod signing_key;
mod token_pair;
mod token_status;
mod user;

pub use audit_event::AuditEvent;
pub use blacklist_entry::BlacklistEntry;
pub use enums::{
    AuditKind, BlacklistReason, DeviceType, EndReason, LogoutScope, Role, SessionState,
    SigningKeyState, TokenRefusal, TokenTransport, TokenType, UserErrorCode,
};
pub use filters::{AuditFilter, BlacklistFilter, SessionFilter, UserFilter};
pub use node::Node;
pub use session::Session;
pub use session_ended::SessionEnded;
pub use signing_key::SigningKey;
pub use token_pair::TokenPair;
pub use token_status::TokenStatus;
pub use user::User;
