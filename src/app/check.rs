//! Checks of `sallyport check`: the errors of a start, found in advance.
//!
//! The checks read the database and the secret, and create and change nothing.

use std::path::Path;
use std::time::Duration;

use super::check_email::check_email;
use super::check_foreign_tokens::check_foreign_tokens;
use super::check_report::CheckReport;
use super::components::open_keys;
use super::file_limit::files_for;
use super::file_permissions::permission_warnings;
use super::first_admin::check_password;
use super::master_secret;
use super::restore_detection::{self, RestoreDetector};
use super::start_error::StartError;
use super::{foreign_tokens, trusted_documents};
use crate::clock::{Clock, REPORTED_DRIFT, Stopwatch, SystemClock};
use crate::config::{Config, SecretSource};
use crate::entropy::SystemEntropy;
use crate::store::{Error, SessionDefault, Store, StoredKey};

pub async fn check(config: &Config) -> CheckReport {
    let mut report = CheckReport::default();
    check_file_limit(config.server.max_connections, &mut report);
    report.warnings.extend(permission_warnings(config));
    if let Err(error) = trusted_documents::load(config) {
        report.errors.push(error.to_string());
    }
    if let Err(error) = foreign_tokens::load(config) {
        report.errors.push(error.to_string());
    }
    let checked = match config.database.path() {
        Some(path) if !path.exists() => check_absent_database(config, path, &mut report),
        _ => check_database(config, &mut report).await,
    };
    if let Err(error) = checked {
        report.errors.push(error.to_string());
    }
    check_email(config, &mut report).await;
    report
}

/// Each connection is an open file, and the system may allow fewer.
fn check_file_limit(connections: usize, report: &mut CheckReport) {
    let wanted = files_for(connections);
    if let Ok((_, most)) = rlimit::Resource::NOFILE.get()
        && most < wanted
    {
        report.warnings.push(format!(
            "The system allows {most} open files, fewer than --max-connections {connections} requires. \
             Raise the limit (ulimit -n), or lower --max-connections."
        ));
    }
}

fn check_absent_database(
    config: &Config,
    path: &Path,
    report: &mut CheckReport,
) -> Result<(), StartError> {
    // An empty parent is the directory that the program runs in.
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(directory) = directory.filter(|directory| !directory.is_dir()) {
        report.errors.push(format!(
            "The directory {} does not exist. Create it, or check --database-url.",
            directory.display()
        ));
    } else {
        report.passed.push(format!("The first start creates {}.", path.display()));
        check_first_admin(config, report);
    }
    check_secret(config)
}

/// For a database without accounts, in which the start creates the user admin.
fn check_first_admin(config: &Config, report: &mut CheckReport) {
    match check_password(config) {
        Ok(()) => report.passed.push("The first start creates the user admin.".to_owned()),
        Err(error) => report.errors.push(error.to_string()),
    }
}

/// Reads the secret, unless the first start will create it.
fn check_secret(config: &Config) -> Result<(), StartError> {
    match &config.secret {
        SecretSource::CreatedFile(path) if !path.exists() => Ok(()),
        source => master_secret::load(source, true, &SystemEntropy).map(|_| ()),
    }
}

/// Replicas use the database's clock, and resource servers their own.
async fn check_clock(store: &Store, report: &mut CheckReport) -> Result<(), Error> {
    let clock = SystemClock::new();
    let (asked, stopwatch) = (clock.machine(), Stopwatch::start());
    let Some(theirs) = store.now().await? else { return Ok(()) };
    // The database read its clock at some moment of the round trip: assume its middle.
    let uncertainty = stopwatch.elapsed() / 2;
    let ours = asked + uncertainty;
    let drift = Duration::from_micros(ours.as_micros().abs_diff(theirs.as_micros()));
    if drift > REPORTED_DRIFT + uncertainty {
        report.warnings.push(format!(
            "The clock of this machine differs from the clock of the database by {} s. The service uses \
             the database's clock, and other services that verify its tokens use their own. \
             Synchronize the clocks (NTP).",
            drift.as_secs()
        ));
    } else {
        report
            .passed
            .push("The clock of this machine agrees with the clock of the database.".to_owned());
    }
    Ok(())
}

fn check_session_default(default: &SessionDefault, report: &mut CheckReport) {
    let SessionDefault { name, value } = default;
    if default.forbids_writes() {
        report.errors.push(format!(
            "The database has {name} = {value}, so it refuses writes. Reset it for the database \
             (ALTER DATABASE … RESET {name}) or for the role."
        ));
    } else {
        report.passed.push(format!(
            "The database has {name} = {value}. The service overrides it in its transactions."
        ));
    }
}

async fn check_database(config: &Config, report: &mut CheckReport) -> Result<(), StartError> {
    let database = &config.database;
    let of_store = |error| StartError::of_store(database, &error);
    let store = match Store::connect_with(database, &config.connections).await {
        Ok(store) => store,
        Err(error) => {
            report.errors.push(of_store(error).to_string());
            return check_secret(config);
        }
    };
    check_clock(&store, report).await.map_err(of_store)?;
    for default in store.unusual_defaults().await.map_err(of_store)? {
        check_session_default(&default, report);
    }
    let missing = store.missing_migrations().await;
    let missing = missing.map_err(|error| StartError::of_migration(database, &error))?;
    if missing > 0 {
        report.passed.push(format!("{database} is reachable. The next start migrates it."));
        // An empty database has no tables yet.
        if !store.has_users().await.unwrap_or(false) {
            check_first_admin(config, report);
        }
        return check_secret(config);
    }
    report.passed.push(format!("{database} is reachable and up to date."));
    check_keys(config, &store, report).await?;
    check_contents(config, &store, report).await.map_err(of_store)
}

async fn check_keys(
    config: &Config,
    store: &Store,
    report: &mut CheckReport,
) -> Result<(), StartError> {
    let keys = store.signing_keys().await;
    let keys = keys.map_err(|error| StartError::of_store(&config.database, &error))?;
    if keys.is_empty() {
        check_secret(config)?;
        report.passed.push("The first start creates the signing key.".to_owned());
    } else {
        let (_, keys) = open_keys(config, store, &SystemEntropy).await?;
        let unknown = |key: &&StoredKey| key.algorithm.known().is_none() && !key.life.is_destroyed;
        let unknown: Vec<&str> =
            keys.iter().filter(unknown).map(|key| key.algorithm.as_str()).collect();
        if unknown.is_empty() {
            report.passed.push("The master secret decrypts the signing keys.".to_owned());
        } else {
            report.warnings.push(format!(
                "This version does not support the algorithm of a signing key ({}): it refuses tokens of \
                 that key, and issues no tokens while that key signs. Run the version that created it.",
                unknown.join(", ")
            ));
        }
    }
    Ok(())
}

/// Checks that the database is no older copy, and that it has an account.
async fn check_contents(
    config: &Config,
    store: &Store,
    report: &mut CheckReport,
) -> Result<(), Error> {
    let now = store.now().await?.unwrap_or_else(|| SystemClock::new().machine());
    if let Some(until) = RestoreDetector::new(config).missing_since(store, now).await? {
        report.warnings.push(restore_detection::warning(until));
    }
    if !store.has_users().await? {
        check_first_admin(config, report);
    }
    // Its errors are reported already.
    if let Ok(Some(settings)) = foreign_tokens::load(config) {
        check_foreign_tokens(&settings, store, now, report).await?;
    }
    Ok(())
}
