//! Accounts: registered or created, changed, exported, deactivated and deleted.

mod activate;
mod change_email;
mod change_locale;
mod change_password;
mod change_username;
mod create;
mod delete;
mod export;
mod last_administrator;
mod register;
mod request_by_name;
mod request_verification;
mod reset_password;
mod set_password;
mod state;
mod unlock;
mod update_user;
mod verify_email;

pub use register::Register;
pub use request_by_name::RequestEmail;
pub use reset_password::{EmailProofInput, ResetPassword};
pub use state::Accounts;
pub use update_user::UserChanges;
pub use verify_email::VerifyEmail;
