//! The rule that an administrator stays active.

use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};

/// The error for a change that would leave no active administrator.
pub(super) fn last_administrator(field: Field) -> UserError {
    const MESSAGE: &str =
        "This is the last active administrator. Create or activate another one first.";
    UserError::new(UserErrorCode::Forbidden, field, MESSAGE)
}
