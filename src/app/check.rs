//! What a start would find, found without making or changing anything.

use std::path::Path;
use std::time::Duration;

use super::file_permissions::exposures;
use super::restore_detection::{self, LastSeen};
use super::{StartError, open_keys};
use crate::clock::{Clock, Stopwatch, SystemClock};
use crate::config::{Config, SecretSource};
use crate::domain::filter::UserFilter;
use crate::domain::page::PageRequest;
use crate::entropy::SystemEntropy;
use crate::store::{Error, SessionDefault, Store};

/// How far clocks may be apart: as far as tokens leave room for, where nothing else is said.
const DRIFT: Duration = Duration::from_secs(2);

/// What was found, in sentences.
#[derive(Debug, Default)]
pub struct Examination {
    /// What keeps the service from starting.
    pub wrong: Vec<String>,
    /// What works and is still worth a thought.
    pub risky: Vec<String>,
    /// What is as it should be.
    pub fine: Vec<String>,
}

/// Looks at the database and the secret.
pub async fn examine(config: &Config) -> Examination {
    let mut found = Examination::default();
    look_at_room(config.server.max_connections, &mut found);
    found.risky.extend(exposures(config));
    let looked = match config.database.path() {
        Some(path) if !path.exists() => absent(config, path, &mut found),
        _ => present(config, &mut found).await,
    };
    if let Err(error) = looked {
        found.wrong.push(error.to_string());
    }
    found
}

/// Each connection is an open file, and the system may allow fewer.
fn look_at_room(connections: usize, found: &mut Examination) {
    let wanted = super::files_for(connections);
    if let Ok((_, most)) = rlimit::Resource::NOFILE.get()
        && most < wanted
    {
        found.risky.push(format!(
            "the system allows {most} open files, fewer than --max-connections {connections} takes: \
             raise its limit (ulimit -n), or lower the flag"
        ));
    }
}

/// There is no database yet.
fn absent(config: &Config, path: &Path, found: &mut Examination) -> Result<(), StartError> {
    // An empty parent is the directory that the program runs in.
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(directory) = directory.filter(|directory| !directory.is_dir()) {
        found.wrong.push(format!(
            "there is no directory {}; make it, or check --database-url",
            directory.display()
        ));
    } else {
        found.fine.push(format!("{} will be made by the first start", path.display()));
    }
    look_at_secret(config)
}

/// A secret that is not to be made must be there.
fn look_at_secret(config: &Config) -> Result<(), StartError> {
    match &config.secret {
        SecretSource::CreatedFile(path) if !path.exists() => Ok(()),
        source => super::master_secret::load(source, true, &SystemEntropy).map(|_| ()),
    }
}

/// Replicas go by the database's clock, and resource servers by their own.
async fn look_at_clock(store: &Store, found: &mut Examination) -> Result<(), Error> {
    let clock = SystemClock::new();
    let (ours, began) = (clock.machine(), Stopwatch::start());
    let Some(theirs) = store.now().await? else { return Ok(()) };
    let (ours, unsure) = (ours + began.elapsed() / 2, began.elapsed() / 2);
    let drift = Duration::from_micros(ours.as_micros().abs_diff(theirs.as_micros()));
    if drift > DRIFT + unsure {
        found.risky.push(format!(
            "this machine's clock is {} s off the database's: the service goes by the database's, \
             and whoever checks its tokens elsewhere goes by another; set the clocks",
            drift.as_secs()
        ));
    } else {
        found.fine.push("this machine's clock agrees with the database's".to_owned());
    }
    Ok(())
}

/// Reports unusual session defaults of the database.
fn look_at_default(default: &SessionDefault, found: &mut Examination) {
    let SessionDefault { name, value } = default;
    if default.forbids_writes() {
        found.wrong.push(format!(
            "the database has {name} = {value}, so nothing can be written: take it back for the \
             database (ALTER DATABASE … RESET {name}) or the role"
        ));
    } else {
        found.fine.push(format!(
            "the database has {name} = {value}; the service sets its own for its transactions"
        ));
    }
}

/// There is a database.
async fn present(config: &Config, found: &mut Examination) -> Result<(), StartError> {
    let database = &config.database;
    let store = Store::connect_with(database, &config.connections).await;
    let store = match store.map_err(|error| StartError::of_store(database, &error)) {
        Ok(store) => store,
        Err(error) => {
            found.wrong.push(error.to_string());
            return look_at_secret(config);
        }
    };
    look_at_clock(&store, found).await.map_err(|error| StartError::of_store(database, &error))?;
    let defaults = store.unusual_defaults().await;
    for default in defaults.map_err(|error| StartError::of_store(database, &error))? {
        look_at_default(&default, found);
    }
    let missing = store.missing_migrations().await;
    let missing = missing.map_err(|error| StartError::of_migration(database, &error))?;
    if missing > 0 {
        found.fine.push(format!("{database} is reached; the next start brings it up to date"));
        return look_at_secret(config);
    }
    found.fine.push(format!("{database} is reached and up to date"));
    let of_store = |error| StartError::of_store(database, &error);
    let keys = store.signing_keys().await.map_err(of_store)?;
    if keys.is_empty() {
        look_at_secret(config)?;
        found.fine.push("the first start makes the signing key".to_owned());
    } else {
        open_keys(config, &store, &SystemEntropy).await?;
        found.fine.push("the secret opens the signing keys".to_owned());
    }
    let now = store.now().await.map_err(of_store)?.unwrap_or_else(|| SystemClock::new().machine());
    if let Some(until) = LastSeen::of(config).missing(&store, now).await.map_err(of_store)? {
        found.risky.push(restore_detection::warning(until));
    }
    let anybody = PageRequest { after: None, before: None, size: 1, from_end: false };
    let users = store.users(&UserFilter::default(), &anybody).await.map_err(of_store)?;
    if users.items.is_empty() {
        found.fine.push("the first start makes the account admin".to_owned());
    }
    Ok(())
}
