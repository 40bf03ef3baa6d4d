//! Accounts: registered or created, their passwords changed, activated and deactivated.

mod activate;
mod change_password;
mod create;
mod register;
mod set_password;
mod state;

pub use register::Register;
pub use state::Accounts;
