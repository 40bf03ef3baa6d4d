//! Sessions: opened by a proof, refreshed, logged out, ended, and streamed as they end.
//!
//! [`Sessions::open`] is the one place where a session begins.

mod deliver_tokens;
mod end;
mod end_floor_rows;
mod end_matching;
mod end_stream;
mod login;
mod logout;
mod open;
mod own_sessions;
mod reauthenticate;
mod refresh;
mod refresh_errors;
mod refresh_retry;
mod reuse;
mod session_ends;
mod state;
mod token_issuer;
mod token_status;
mod token_transport;

pub(super) use end::end_by_admin;
pub use end_stream::{EndStream, Followed, SessionEnded};
pub use login::Login;
pub use logout::{LoggedOut, LogoutScope};
pub(super) use open::{name_taken, parse_session_name};
pub use refresh::Refresh;
pub use session_ends::SessionEnds;
pub use state::Sessions;
pub(super) use token_issuer::TokenIssuer;
pub use token_issuer::{SignedIn, TokenPair};
pub use token_status::{TokenRefusal, TokenStatus, TokenType};
pub use token_transport::{CookieChange, RefreshCookie, TokenTransport, Untrusted};
