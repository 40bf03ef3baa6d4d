//! What somebody who starts the service sees: where it is, and how to get in the first time.

use std::io::{self, Write};
use std::net::SocketAddr;

use zeroize::Zeroizing;

use super::{Components, StartError, restore_detection};
use crate::auth::{Admin, Error, NewAccount};
use crate::clock::Timestamp;
use crate::config::Secret;
use crate::crypto::secret::MasterSecret;
use crate::domain::filter::UserFilter;
use crate::domain::page::PageRequest;
use crate::domain::user::Role;
use crate::store::DatabaseUrl;

/// The first account's name.
const ADMIN: &str = "admin";

/// How many characters of random base64url make a password that nobody guesses.
const PASSWORD_CHARS: usize = 20;

/// The first administrator, made on an empty database.
pub(super) enum FirstAdmin {
    /// There are accounts.
    Exists,
    /// It has the password that the operator chose.
    Chosen,
    /// It has this password, which is told once.
    MadeUp(Zeroizing<String>),
}

/// Makes the first administrator where there is no account.
pub(super) async fn first_admin(
    core: &Components,
    database: &DatabaseUrl,
    chosen: Option<&Secret>,
) -> Result<FirstAdmin, StartError> {
    let anybody = PageRequest { after: None, before: None, size: 1, from_end: false };
    let users = core.store.users(&UserFilter::default(), &anybody).await;
    let users = users.map_err(|error| StartError::of_store(database, &error))?;
    if !users.items.is_empty() {
        return Ok(FirstAdmin::Exists);
    }
    let made_up = MasterSecret::generate(&*core.entropy);
    let made_up = Zeroizing::new(made_up.chars().take(PASSWORD_CHARS).collect::<String>());
    let password = chosen.map_or(&made_up, |secret| &secret.0);
    let account = NewAccount { username: ADMIN, password, email: None, role: Role::Admin };
    match core.auth.accounts.create_first(Admin::operator(), account).await {
        Ok(false) => Ok(FirstAdmin::Exists),
        Ok(true) if chosen.is_some() => Ok(FirstAdmin::Chosen),
        Ok(true) => Ok(FirstAdmin::MadeUp(made_up)),
        Err(Error::Refused(refusal)) => Err(StartError::AdminPassword(refusal.to_string())),
        Err(error) => Err(StartError::of_auth(database, error)),
    }
}

/// Prints the banner, at once: a reader may close after its first line. Where it cannot be printed
/// the service runs all the same, unless nobody would ever learn the first password.
pub(super) fn print(
    address: SocketAddr,
    metrics: Option<SocketAddr>,
    console: bool,
    database: &DatabaseUrl,
    admin: &FirstAdmin,
    missing: Option<Timestamp>,
) -> Result<(), StartError> {
    let missing = missing
        .map(|until| format!("  warning   {}\n", restore_detection::warning(until)))
        .unwrap_or_default();
    let console =
        if console { format!("  console   http://{address}/console\n") } else { String::new() };
    let metrics = metrics
        .map(|address| format!("  metrics   http://{address}/metrics\n"))
        .unwrap_or_default();
    let log_in = match admin {
        FirstAdmin::Exists => Zeroizing::new(String::new()),
        FirstAdmin::Chosen => {
            Zeroizing::new(format!("  log in    {ADMIN}, with SALLYPORT_ADMIN_PASSWORD\n"))
        }
        FirstAdmin::MadeUp(password) => Zeroizing::new(format!(
            "  log in    {ADMIN}, with the password {}  (it is shown this once)\n",
            **password
        )),
    };
    let text = Zeroizing::new(format!(
        "Sallyport serves http://{address}/graphql\n{console}  database  {database}\n{metrics}{missing}{}",
        *log_in
    ));
    let mut stdout = io::stdout().lock();
    let printed = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    match (printed, admin) {
        (Err(error), FirstAdmin::MadeUp(_)) => Err(StartError::Banner(error)),
        _ => Ok(()),
    }
}
