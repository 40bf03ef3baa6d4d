//! First administrator, created on an empty database.

use zeroize::Zeroizing;

use super::components::Components;
use super::start_error::StartError;
use crate::auth::{Admin, Error, NewAccount};
use crate::config::Secret;
use crate::crypto::secret::MasterSecret;
use crate::domain::user::Role;
use crate::store::DatabaseUrl;

pub(super) const ADMIN: &str = "admin";

/// Of base64url, so 120 random bits.
const PASSWORD_CHARS: usize = 20;

pub(super) enum FirstAdmin {
    /// The database has accounts.
    Exists,
    /// Created with the password of the operator.
    Chosen,
    /// Created with this password, which is printed once.
    Generated(Zeroizing<String>),
}

/// Creates an administrator if the database has no account.
pub(super) async fn first_admin(
    components: &Components,
    database: &DatabaseUrl,
    chosen: Option<&Secret>,
) -> Result<FirstAdmin, StartError> {
    let has_users = components.auth.reads.has_users(Admin::operator()).await;
    if has_users.map_err(|error| StartError::of_auth(database, error))? {
        return Ok(FirstAdmin::Exists);
    }
    let generated = MasterSecret::generate(&*components.entropy);
    let generated = Zeroizing::new(generated.chars().take(PASSWORD_CHARS).collect::<String>());
    let password = chosen.map_or(&generated, |secret| &secret.0);
    let account = NewAccount { username: ADMIN, password, email: None, role: Role::Admin };
    match components.auth.accounts.create_first(Admin::operator(), account).await {
        Ok(false) => Ok(FirstAdmin::Exists),
        Ok(true) if chosen.is_some() => Ok(FirstAdmin::Chosen),
        Ok(true) => Ok(FirstAdmin::Generated(generated)),
        Err(Error::Refused(refusal)) => Err(StartError::AdminPassword(refusal.to_string())),
        Err(error) => Err(StartError::of_auth(database, error)),
    }
}
