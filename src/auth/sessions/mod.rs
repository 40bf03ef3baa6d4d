//! Sessions: opened by a proof, refreshed, logged out, ended, and streamed as they end.
//!
//! [`Sessions::open`] is the one place where a session begins.

mod begin_step;
mod begin_verification;
mod continue_login;
mod deliver_tokens;
mod end;
mod end_floor_rows;
mod end_matching;
mod end_stream;
mod exchange;
mod foreign_logout;
mod foreign_status;
mod holder_status;
mod judge;
mod link_login;
mod login;
mod login_notice;
mod logout;
mod open;
mod own_sessions;
mod passkey_login;
mod reauthenticate;
mod refresh;
mod refresh_errors;
mod refresh_retry;
mod reuse;
mod same_browser;
mod second_step;
mod session_ends;
mod state;
mod token_issuer;
mod token_status;
mod trusted_device;

pub(super) use continue_login::shown;
pub use continue_login::{ContinueLogin, Continued, StepProof};
pub(super) use deliver_tokens::deliver_challenge;
pub(super) use end::end_by_admin;
pub use end_stream::{EndStream, Followed, SessionEnded};
pub use link_login::LinkLogin;
pub use login::Login;
pub use logout::{LoggedOut, LogoutScope};
pub use open::LoginOutcome;
pub(super) use open::{OpenFor, name_taken, parse_session_name};
pub use passkey_login::PasskeyLogin;
pub use reauthenticate::FreshProofInput;
pub(super) use reauthenticate::no_address;
pub use refresh::Refresh;
pub use session_ends::SessionEnds;
pub use state::Sessions;
pub(super) use token_issuer::TokenIssuer;
pub use token_issuer::{SignedIn, TokenPair};
pub use token_status::{TokenRefusal, TokenStatus, TokenType};
