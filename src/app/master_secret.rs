//! Loading of the master secret; with SQLite the first start creates it.
//!
//! A new secret is completely on the disk, readable for its owner only, before a key is sealed with it. If
//! two processes start at once, one creates it and both use it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use super::start_error::StartError;
use crate::config::SecretSource;
use crate::crypto::secret::{MasterSecret, MasterSecrets};
use crate::entropy::{Entropy, random};
use crate::store::BackupError;

/// Creates the secret only for a database without keys: a new one opens no existing key, and would hide
/// that the old one is lost.
pub(super) fn load(
    source: &SecretSource,
    has_keys: bool,
    entropy: &dyn Entropy,
) -> Result<MasterSecrets, StartError> {
    if let SecretSource::CreatedFile(path) = source {
        if !has_keys {
            create(path, entropy).map_err(|error| StartError::MakeSecret(path.clone(), error))?;
        } else if !may_exist(path) {
            return Err(StartError::LostSecret(path.clone()));
        }
    }
    Ok(MasterSecrets::parse(&text(source)?)?)
}

/// May hold two secrets, the current one and its predecessor.
fn text(source: &SecretSource) -> Result<Zeroizing<String>, StartError> {
    match source {
        SecretSource::Given(secret) => Ok(secret.0.clone()),
        SecretSource::File(path) | SecretSource::CreatedFile(path) => read(path),
        SecretSource::Missing => Err(StartError::NoSecret),
    }
}

/// Copies the secret to a new file, readable for its owner only.
pub(super) fn copy(source: &SecretSource, to: &Path) -> Result<(), StartError> {
    let text = text(source)?;
    let of_file = |error| BackupError::of_file(to, error);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let mut file = file.map_err(of_file)?;
    let copied = file
        .write_all(text.trim_end().as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.sync_all());
    Ok(copied.map_err(|error| {
        // Half a file would be in the way of the next try.
        let _ = fs::remove_file(to);
        of_file(error)
    })?)
}

fn may_exist(path: &Path) -> bool {
    // If the check fails, so will reading, with a better message.
    path.try_exists().unwrap_or(true)
}

fn read(path: &Path) -> Result<Zeroizing<String>, StartError> {
    let failed = |error| StartError::ReadSecret(path.to_owned(), error);
    fs::read_to_string(path).map(Zeroizing::new).map_err(failed)
}

/// Creates the file if it does not exist. It is written under another name and then hard-linked to its
/// own, which fails if another process was faster: no process ever reads half a secret.
fn create(path: &Path, entropy: &dyn Entropy) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let suffix = u64::from_be_bytes(random(entropy));
    let draft = path.with_added_extension(format!("{suffix:016x}"));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let created = file
        .write_all(MasterSecret::generate(entropy).as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.sync_all())
        .and_then(|()| match fs::hard_link(&draft, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        });
    fs::remove_file(&draft)?;
    created?;
    // The directory entry must survive a power cut, as the keys sealed with the secret do.
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn it_is_created_once_and_readable_for_its_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db.secret");
        let source = SecretSource::CreatedFile(path.clone());
        load(&source, false, &SystemEntropy).unwrap();
        let first = fs::read_to_string(&path).unwrap();
        load(&source, false, &SystemEntropy).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), first);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn processes_that_start_at_once_use_the_same_secret() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let start = || {
            create(&path, &SystemEntropy).unwrap();
            fs::read_to_string(&path).unwrap()
        };
        let read: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(start)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(read.iter().all(|secret| secret.len() == 44 && *secret == read[0]));
    }

    #[test]
    fn a_file_that_must_exist_is_not_created() {
        let directory = tempfile::tempdir().unwrap();
        let source = SecretSource::File(directory.path().join("secret"));
        let error = load(&source, false, &SystemEntropy).unwrap_err();
        assert!(matches!(error, StartError::ReadSecret(..)));
    }

    #[test]
    fn a_secret_that_sealed_keys_is_not_created_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db.secret");
        let source = SecretSource::CreatedFile(path.clone());
        let error = load(&source, true, &SystemEntropy).unwrap_err();
        assert!(matches!(error, StartError::LostSecret(lost) if lost == path));
        assert!(!path.exists());
    }

    #[test]
    fn a_weak_secret_is_refused_without_being_repeated() {
        let source = SecretSource::Given("hunter2".parse().unwrap());
        let error = load(&source, false, &SystemEntropy).unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }
}
