//! First administrator, created on an empty database.

use zeroize::Zeroizing;

use super::components::Components;
use super::start_error::StartError;
use crate::auth::{Admin, Error, NewAccount};
use crate::config::{Config, Secret};
use crate::crypto::secret::MasterSecret;
use crate::domain::password::Password;
use crate::domain::user::{Names, Role};
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

/// Checks the configured password by the rules that [`first_admin`] applies to it.
pub(super) fn check_password(config: &Config) -> Result<(), StartError> {
    let Some(secret) = &config.admin_password else { return Ok(()) };
    let invalid = |reason: String| StartError::AdminPassword(reason);
    let names = Names::parse(ADMIN, None).map_err(|error| invalid(error.to_string()))?;
    let password = Password::parse(&secret.0, config.policy.password_min_length, &names);
    password.map(drop).map_err(|weak| invalid(weak.to_string()))
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
    let account =
        NewAccount { username: ADMIN, password, email: None, role: Role::Admin, locale: None };
    match components.auth.accounts.create_first(Admin::operator(), account).await {
        Ok(false) => Ok(FirstAdmin::Exists),
        Ok(true) if chosen.is_some() => Ok(FirstAdmin::Chosen),
        Ok(true) => Ok(FirstAdmin::Generated(generated)),
        Err(Error::Refused(refusal)) => Err(StartError::AdminPassword(refusal.to_string())),
        Err(error) => Err(StartError::of_auth(database, error)),
    }
}
