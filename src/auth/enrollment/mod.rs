//! Second factors of accounts: added, removed, renewed, and reset by administrators.
//!
//! Invariant: to add a factor is as guarded as the strongest way in: by a login or a
//! proof of the last five minutes, and by a second factor of that time where the account has one. A recovery
//! code, which may be a piece of paper in a drawer, never changes factors.

mod add;
mod begin_totp;
mod change;
mod change_passkey;
mod confirm_totp;
mod permission;
mod recovery_codes;
mod register_passkey;
mod remove_totp;
mod remove_trusted_device;
mod renew_recovery_codes;
mod reset_factors;
mod state;

pub use add::Enrolled;
pub use confirm_totp::ConfirmTotp;
pub use recovery_codes::RecoveryCodes;
pub use register_passkey::RegisterPasskey;
pub use state::Enrollments;
