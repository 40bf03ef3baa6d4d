//! A copy of a SQLite database, with its secret where that is wanted.

use std::fs;
use std::path::Path;

use super::{StartError, master_secret, open_keys};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::store::Store;

/// Copies the database into `file`, and the secret into `secret`. It migrates nothing, so that a newer
/// version can copy a database before it changes it.
///
/// # Errors
/// See [`StartError`].
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
        // Made a moment ago: beside no copy it is of no use.
        let _ = fs::remove_file(path);
    }
    Ok(copied?)
}

/// A copy of a secret that opens nothing would be found out on the day of the restore.
async fn check_secret(config: &Config, store: &Store) -> Result<(), StartError> {
    master_secret::load(&config.secret, true, &SystemEntropy)?;
    let missing = store.missing_migrations().await;
    let missing = missing.map_err(|error| StartError::of_migration(&config.database, &error))?;
    // How keys are kept in a database that another version made is not known.
    if missing == 0 {
        open_keys(config, store, &SystemEntropy).await?;
    }
    Ok(())
}
