//! Accounts: registered or created, changed, exported, deactivated and deleted.

mod activate;
mod change_locale;
mod change_password;
mod change_username;
mod create;
mod delete;
mod export;
mod last_administrator;
mod register;
mod set_password;
mod state;
mod unlock;
mod update_user;

pub use register::Register;
pub use state::Accounts;
pub use update_user::UserChanges;
