//! Backups of a SQLite database while the server runs.
//!
//! A backup gets its final name once it is complete and on disk, never replaces a file, and is
//! readable only by its owner from the first byte.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sqlx::Connection;

use crate::store::backend::database::Database;
use crate::store::backend::metered;
use crate::store::error::Error;

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("sallyport backup supports SQLite only; use pg_dump for PostgreSQL")]
    Postgres,
    #[error("the file {} already exists; choose another file name", .0.display())]
    Exists(PathBuf),
    /// The temporary file of another backup exists.
    #[error(
        "{} already exists: another backup is running or was interrupted; delete the file if none \
         is running",
        .0.display()
    )]
    Interrupted(PathBuf),
    #[error("cannot create {}: {}; choose a directory where this user can write", .0.display(), .1)]
    File(PathBuf, #[source] io::Error),
    #[error("cannot copy the database to {}: {}", .0.display(), .1)]
    Copy(PathBuf, #[source] Error),
}

impl BackupError {
    /// The reason why `file` could not be created.
    #[must_use]
    pub fn of_file(file: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists(file.to_owned()),
            _ => Self::File(file.to_owned(), error),
        }
    }
}

impl Database {
    pub(in crate::store) async fn back_up(&self, file: &Path) -> Result<(), BackupError> {
        let Self::Sqlite(sqlite) = self else { return Err(BackupError::Postgres) };
        let failed = |error| BackupError::of_file(file, error);
        if file.try_exists().map_err(failed)? {
            return Err(BackupError::Exists(file.to_owned()));
        }
        let partial = file.with_added_extension("part");
        let not_text = || failed(io::ErrorKind::InvalidFilename.into());
        let name = partial.to_str().ok_or_else(not_text)?;
        // Created here for its mode: `VACUUM INTO` accepts an empty file and keeps the mode.
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial).map_err(
            |error| match error.kind() {
                io::ErrorKind::AlreadyExists => BackupError::Interrupted(partial.clone()),
                _ => failed(error),
            },
        )?;
        let copied = async {
            let mut connection = sqlite.connect().await?;
            let copied = metered::query("VACUUM INTO $1").bind(name).execute(&mut connection).await;
            connection.close().await?;
            copied?;
            Ok(())
        };
        let copied = copied.await.map_err(|error| BackupError::Copy(file.to_owned(), error));
        let copied = copied.and_then(|()| publish(&partial, file).map_err(failed));
        // After success this is the second name of the backup, otherwise an incomplete file.
        let _ = fs::remove_file(&partial);
        copied
    }
}

/// Gives a complete file its final name, unless a file of that name exists.
fn publish(partial: &Path, name: &Path) -> io::Result<()> {
    File::open(partial)?.sync_all()?;
    match fs::hard_link(partial, name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        Err(_) if name.try_exists()? => return Err(io::ErrorKind::AlreadyExists.into()),
        // Some file systems have no hard links.
        Err(_) => fs::rename(partial, name)?,
        Ok(()) => {}
    }
    let directory = name.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}
