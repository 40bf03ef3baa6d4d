//! Warnings about files that other users of this machine can read or change.
//!
//! The service creates its files for their owner alone. A user who can read the database has the hashes of
//! all passwords, one who can write it is an administrator, and one who has the secret signs tokens.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf, absolute};

use super::foreign_tokens;
use crate::config::{Config, SecretSource};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Database,
    /// The master secret, the SMTP password, a key that signs another system's tokens, or a configuration file
    /// with a secret.
    Secret,
    /// A configuration file without secrets.
    Settings,
}

/// One sentence for each file or directory that other users can access, with the remedy.
pub(super) fn permission_warnings(config: &Config) -> Vec<String> {
    let mut files = Vec::new();
    if let Some(path) = config.database.path() {
        files.push((path.to_owned(), Kind::Database));
        for ending in ["-wal", "-shm"] {
            let mut name = OsString::from(path);
            name.push(ending);
            files.push((PathBuf::from(name), Kind::Database));
        }
    }
    if let SecretSource::File(path) | SecretSource::CreatedFile(path) = &config.secret {
        files.push((path.clone(), Kind::Secret));
    }
    if let Some(path) = config.email.smtp.as_ref().and_then(|smtp| smtp.password_file.as_ref()) {
        files.push((path.clone(), Kind::Secret));
    }
    // A file that cannot be read is reported as an error.
    if let Ok(Some(file)) = foreign_tokens::file(config)
        && file.algorithm.has_secret()
    {
        files.extend(file.key_files.into_iter().map(|path| (path, Kind::Secret)));
    }
    if let Some(file) = &config.config_file {
        let kind = if file.has_secrets { Kind::Secret } else { Kind::Settings };
        files.push((file.path.clone(), kind));
    }
    let of_files = files.iter().filter_map(|(path, kind)| of_file(path, *kind));
    let directories = directories(files.iter().map(|(path, _)| path.as_path()));
    let of_directories = directories.into_iter().filter_map(of_directory);
    of_files.chain(of_directories).collect()
}

/// The directories of the files, each one once, as it is first written.
fn directories<'a>(files: impl Iterator<Item = &'a Path>) -> Vec<&'a Path> {
    let mut found = BTreeMap::new();
    for directory in files.filter_map(Path::parent) {
        // A path without a directory is relative to the working directory.
        let is_working_directory = directory.as_os_str().is_empty();
        let directory = if is_working_directory { Path::new(".") } else { directory };
        let place = absolute(directory).unwrap_or_else(|_| directory.to_owned());
        found.entry(place).or_insert(directory);
    }
    found.into_values().collect()
}

/// `None` for a file that does not exist, too.
fn of_file(path: &Path, kind: Kind) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    let (mode, path) = (metadata.mode(), path.display());
    // Only the owner can change the mode, so a wrong owner is reported first.
    let owner = of_owner(metadata.uid(), &path.to_string());
    if owner.is_some() {
        return owner;
    }
    let access = if mode & 0o002 != 0 {
        "Other users can write"
    } else if mode & 0o004 != 0 && kind != Kind::Settings {
        "Other users can read"
    } else if mode & 0o020 != 0 {
        "Its group can write"
    } else if kind == Kind::Secret && mode & 0o040 != 0 && metadata.uid() == own_uid() {
        // A secret of another owner (root, in a container) is readable for this process by its group.
        "Its group can read"
    } else {
        return None;
    };
    Some(format!("{access} {path}. Run `chmod 600 {path}` to prevent this."))
}

fn of_directory(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    // In a sticky directory users cannot replace files of others.
    if metadata.mode() & 0o002 != 0 && metadata.mode() & 0o1000 == 0 {
        let path = path.display();
        return Some(format!(
            "Other users can write to the directory {path} and replace its files. Run `chmod o-w {path}` \
             to prevent this."
        ));
    }
    of_owner(metadata.uid(), &path.display().to_string())
}

/// The owner can change a file whatever its mode is, as root can.
fn of_owner(owner: u32, path: &str) -> Option<String> {
    (owner != own_uid() && owner != 0).then(|| {
        format!(
            "{path} belongs to another user ({owner}), who can read and change it. Change its owner \
             with chown."
        )
    })
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        fs::write(&path, "").unwrap();
        for (mode, kind, expected) in [
            (0o600, Kind::Database, None),
            (0o640, Kind::Database, None),
            (0o644, Kind::Database, Some("Other users can read")),
            (0o666, Kind::Database, Some("Other users can write")),
            (0o602, Kind::Database, Some("Other users can write")),
            (0o660, Kind::Database, Some("Its group can write")),
            (0o600, Kind::Secret, None),
            (0o640, Kind::Secret, Some("Its group can read")),
            (0o604, Kind::Secret, Some("Other users can read")),
            (0o644, Kind::Settings, None),
            (0o646, Kind::Settings, Some("Other users can write")),
            (0o664, Kind::Settings, Some("Its group can write")),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let said = of_file(&path, kind);
            match expected {
                None => assert_eq!(said, None, "{mode:o}"),
                Some(expected) => assert!(said.unwrap().starts_with(expected), "{mode:o}"),
            }
        }
        assert_eq!(of_file(&directory.path().join("b.db"), Kind::Secret), None);
    }

    #[test]
    fn a_directory_in_which_others_can_write_is_reported_unless_it_is_sticky() {
        let directory = tempfile::tempdir().unwrap();
        for (mode, told) in [(0o700, false), (0o755, false), (0o777, true), (0o1777, false)] {
            fs::set_permissions(directory.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(of_directory(directory.path()).is_some(), told, "{mode:o}");
        }
    }

    #[test]
    fn a_directory_is_reported_once_however_it_is_written() {
        let absolute = std::env::current_dir().unwrap().join("a.db-wal");
        let paths = [Path::new("a.db"), &absolute, Path::new("./b"), Path::new("etc/a")];
        let found = directories(paths.into_iter());
        assert_eq!(found, [Path::new("."), Path::new("etc")]);
    }

    #[test]
    fn a_file_of_another_user_is_reported() {
        assert_eq!(of_owner(own_uid(), "a.db"), None);
        assert_eq!(of_owner(0, "a.db"), None);
        let other = own_uid() + 1;
        let said = of_owner(other, "a.db").unwrap();
        assert!(said.starts_with(&format!("a.db belongs to another user ({other})")), "{said}");
    }
}
