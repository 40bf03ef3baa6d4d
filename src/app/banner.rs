//! Banner on standard output: addresses, database, first login.

use std::io::{self, Write};
use std::net::SocketAddr;

use zeroize::Zeroizing;

use super::first_admin::{ADMIN, FirstAdmin};
use super::restore_detection;
use super::start_error::StartError;
use crate::clock::Timestamp;
use crate::store::DatabaseUrl;

/// Prints the banner in one write: a reader may close after its first line. If that fails the service
/// starts all the same, unless the generated password would be lost.
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
        FirstAdmin::Chosen => Zeroizing::new(format!(
            "  username  {ADMIN}\n  password  the configured password (accounts.admin-password or SALLYPORT_ADMIN_PASSWORD)\n"
        )),
        FirstAdmin::Generated(password) => Zeroizing::new(format!(
            "  username  {ADMIN}\n  password  {}  (shown only once)\n",
            **password
        )),
    };
    let text = Zeroizing::new(format!(
        "Sallyport is listening on http://{address}/graphql\n{console}  database  {database}\n{metrics}{missing}{}",
        *log_in
    ));
    let mut stdout = io::stdout().lock();
    let printed = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    match (printed, admin) {
        (Err(error), FirstAdmin::Generated(_)) => Err(StartError::Banner(error)),
        _ => Ok(()),
    }
}
