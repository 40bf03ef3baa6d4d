//! A copy of a SQLite database, with its secret where that is wanted.

use std::fs;
use std::path::Path;

use super::{StartError, secret};
use crate::config::Config;
use crate::store::{BackupError, Store};

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
        secret::copy(&config.secret, path)?;
    }
    let copied = store.back_up(file).await;
    if let (Err(_), Some(path)) = (&copied, secret) {
        // Made a moment ago: beside no copy it is of no use.
        let _ = fs::remove_file(path);
    }
    copied.map_err(|error| match error {
        BackupError::Store(error) => of_store(error),
        error => error.into(),
    })
}
