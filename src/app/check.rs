//! Checks of `sallyport check`: what a start would find.
//!
//! They read the database and the secret, and create and change nothing.

use std::path::Path;
use std::time::Duration;

use super::components::open_keys;
use super::file_limit::files_for;
use super::file_permissions::permission_warnings;
use super::master_secret;
use super::restore_detection::{self, RestoreDetector};
use super::start_error::StartError;
use crate::clock::{Clock, REPORTED_DRIFT, Stopwatch, SystemClock};
use crate::config::{Config, SecretSource};
use crate::entropy::SystemEntropy;
use crate::store::{Error, SessionDefault, Store, StoredKey};

/// Results of all checks, in sentences.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// Errors that keep the service from starting.
    pub wrong: Vec<String>,
    /// Settings that work and are risky.
    pub risky: Vec<String>,
    /// Checks that passed.
    pub fine: Vec<String>,
}

pub async fn check(config: &Config) -> CheckReport {
    let mut report = CheckReport::default();
    check_file_limit(config.server.max_connections, &mut report);
    report.risky.extend(permission_warnings(config));
    let checked = match config.database.path() {
        Some(path) if !path.exists() => check_absent_database(config, path, &mut report),
        _ => check_database(config, &mut report).await,
    };
    if let Err(error) = checked {
        report.wrong.push(error.to_string());
    }
    report
}

/// Each connection is an open file, and the system may allow fewer.
fn check_file_limit(connections: usize, report: &mut CheckReport) {
    let wanted = files_for(connections);
    if let Ok((_, most)) = rlimit::Resource::NOFILE.get()
        && most < wanted
    {
        report.risky.push(format!(
            "the system allows {most} open files, fewer than --max-connections {connections} takes: \
             raise its limit (ulimit -n), or lower the flag"
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
        report.wrong.push(format!(
            "there is no directory {}; make it, or check --database-url",
            directory.display()
        ));
    } else {
        report.fine.push(format!("{} will be made by the first start", path.display()));
    }
    check_secret(config)
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
        report.risky.push(format!(
            "this machine's clock is {} s off the database's: the service goes by the database's, \
             and whoever checks its tokens elsewhere goes by another; set the clocks",
            drift.as_secs()
        ));
    } else {
        report.fine.push("this machine's clock agrees with the database's".to_owned());
    }
    Ok(())
}

fn check_session_default(default: &SessionDefault, report: &mut CheckReport) {
    let SessionDefault { name, value } = default;
    if default.forbids_writes() {
        report.wrong.push(format!(
            "the database has {name} = {value}, so nothing can be written: take it back for the \
             database (ALTER DATABASE … RESET {name}) or the role"
        ));
    } else {
        report.fine.push(format!(
            "the database has {name} = {value}; the service sets its own for its transactions"
        ));
    }
}

async fn check_database(config: &Config, report: &mut CheckReport) -> Result<(), StartError> {
    let database = &config.database;
    let of_store = |error| StartError::of_store(database, &error);
    let store = match Store::connect_with(database, &config.connections).await {
        Ok(store) => store,
        Err(error) => {
            report.wrong.push(of_store(error).to_string());
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
        report.fine.push(format!("{database} is reached; the next start brings it up to date"));
        return check_secret(config);
    }
    report.fine.push(format!("{database} is reached and up to date"));
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
        report.fine.push("the first start makes the signing key".to_owned());
    } else {
        let (_, keys) = open_keys(config, store, &SystemEntropy).await?;
        let unknown = |key: &&StoredKey| key.algorithm.known().is_none() && !key.life.is_destroyed;
        let unknown: Vec<&str> =
            keys.iter().filter(unknown).map(|key| key.algorithm.as_str()).collect();
        if unknown.is_empty() {
            report.fine.push("the secret opens the signing keys".to_owned());
        } else {
            report.risky.push(format!(
                "this version does not know the algorithm of a signing key ({}), and neither accepts \
                 the key's tokens nor signs while that key signs; run the version that made it",
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
        report.risky.push(restore_detection::warning(until));
    }
    if !store.has_users().await? {
        report.fine.push("the first start makes the account admin".to_owned());
    }
    Ok(())
}
