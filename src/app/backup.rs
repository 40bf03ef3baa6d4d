//! Backup of a SQLite database and, optionally, its secret.

use std::fs;
use std::path::Path;

use super::components::open_keys;
use super::master_secret;
use super::start_error::StartError;
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::store::Store;

/// Copies the database to `file` and the secret to `secret`. Migrates nothing, so that a newer version can
/// back up a database before it migrates it.
pub async fn back_up(
    config: &Config,
    file: &Path,
    secret: Option<&Path>,
) -> Result<(), StartError> {
    let of_store = |error| StartError::of_store(&config.database, &error);
    let store = Store::connect_with(&config.database, &config.connections).await;
    let store = store.map_err(of_store)?;
    if let Some(path) = secret {
        check_secret(config, &store).await?;
        master_secret::copy(&config.secret, path)?;
    }
    let copied = store.back_up(file).await;
    if let (Err(_), Some(path)) = (&copied, secret) {
        // A secret without its database is of no use, and would be in the way of the next try.
        let _ = fs::remove_file(path);
    }
    Ok(copied?)
}

/// A wrong secret would otherwise be noticed only when the backup is restored.
async fn check_secret(config: &Config, store: &Store) -> Result<(), StartError> {
    master_secret::load(&config.secret, true, &SystemEntropy)?;
    let missing = store.missing_migrations().await;
    let missing = missing.map_err(|error| StartError::of_migration(&config.database, &error))?;
    // A database of another version may store its keys in another form.
    if missing == 0 {
        open_keys(config, store, &SystemEntropy).await?;
    }
    Ok(())
}
