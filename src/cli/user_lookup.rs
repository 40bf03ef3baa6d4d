//! Lookup of the user that a command names.

use anyhow::{Context, Result};

use crate::app::Components;
use crate::auth::Admin;
use crate::domain::user::User;

/// By username or e-mail address.
pub(super) async fn find(components: &Components, name: &str) -> Result<User> {
    let found = components.auth.reads.user_named(Admin::operator(), name).await?;
    found.with_context(|| format!("user {name:?} does not exist; see sallyport user list"))
}
