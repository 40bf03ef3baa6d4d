//! Composition of the service from its settings, and the operations of the program.

mod background;
mod backup;
mod banner;
mod check;
mod check_email;
mod check_foreign_tokens;
mod check_report;
mod components;
mod database_error_text;
mod email;
mod exported_refresh_keys;
mod file_limit;
mod file_permissions;
mod first_admin;
mod foreign_tokens;
mod master_secret;
mod recovery;
mod restore_detection;
mod serve;
mod shutdown;
mod start_error;
mod trusted_documents;

pub use backup::back_up;
pub use check::check;
pub use check_report::CheckReport;
pub use components::{
    ClockAndEntropy, Components, connect, open, open_for_emails, open_for_keys, open_without_keys,
};
pub use database_error_text::reason;
pub use email::{EmailSetupError, TestMailError, send_test_mail};
pub use exported_refresh_keys::export_refresh_keys;
pub use recovery::Recovery;
pub use serve::serve;
pub use start_error::StartError;
