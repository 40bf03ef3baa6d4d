//! A copy of a SQLite database, made beside a running server.
//!
//! Rule: a copy has its name only once it is whole and on the disk, and replaces nothing. It is for its
//! owner's eyes only from its first byte.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sqlx::Connection;

use super::{Error, Pools, Store, counted};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It is a server's database, which has tools of its own.
    #[error("sallyport backup is for SQLite; use pg_dump for PostgreSQL")]
    Postgres,
    /// There is a file of that name.
    #[error("{} is there already; give the name of a file that is not", .0.display())]
    Exists(PathBuf),
    /// There is what another copy is written to.
    #[error(
        "{} is there: another backup is writing it, or one was interrupted; delete it where none runs",
        .0.display()
    )]
    Interrupted(PathBuf),
    /// The file cannot be made.
    #[error("cannot make {}: {}; give a file where this user can write", .0.display(), .1)]
    File(PathBuf, #[source] io::Error),
    /// The database cannot be read, or the file not be filled.
    #[error("cannot copy the database to {}: {}", .0.display(), .1)]
    Copy(PathBuf, #[source] Error),
}

impl BackupError {
    /// A file that could not be made.
    #[must_use]
    pub fn of_file(file: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists(file.to_owned()),
            _ => Self::File(file.to_owned(), error),
        }
    }
}

impl Store {
    /// Copies the database as it is at one moment into a file that is not there yet. Nobody waits for
    /// it: in its write-ahead log SQLite keeps what is written meanwhile.
    ///
    /// # Errors
    /// See [`BackupError`].
    pub async fn back_up(&self, file: &Path) -> Result<(), BackupError> {
        let Pools::Sqlite(sqlite) = self.pools() else { return Err(BackupError::Postgres) };
        let failed = |error| BackupError::of_file(file, error);
        if file.try_exists().map_err(failed)? {
            return Err(BackupError::Exists(file.to_owned()));
        }
        let draft = file.with_added_extension("part");
        let not_text = || failed(io::ErrorKind::InvalidFilename.into());
        let name = draft.to_str().ok_or_else(not_text)?;
        // SQLite fills an empty file, and leaves its mode.
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(
            |error| match error.kind() {
                io::ErrorKind::AlreadyExists => BackupError::Interrupted(draft.clone()),
                _ => failed(error),
            },
        )?;
        let copied = async {
            let mut connection = sqlite.connect().await?;
            let copied = counted::query("VACUUM INTO $1").bind(name).execute(&mut connection).await;
            connection.close().await?;
            copied?;
            Ok(())
        };
        let copied = copied.await.map_err(|error| BackupError::Copy(file.to_owned(), error));
        let copied = copied.and_then(|()| publish(&draft, file).map_err(failed));
        // Where it has its name by now, this was the other one.
        let _ = fs::remove_file(&draft);
        copied
    }
}

/// Gives a file that is whole another name, unless somebody has that.
fn publish(draft: &Path, name: &Path) -> io::Result<()> {
    File::open(draft)?.sync_all()?;
    match fs::hard_link(draft, name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        Err(_) if name.try_exists()? => return Err(io::ErrorKind::AlreadyExists.into()),
        // Some file systems have one name for a file.
        Err(_) => fs::rename(draft, name)?,
        Ok(()) => {}
    }
    let directory = name.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}
