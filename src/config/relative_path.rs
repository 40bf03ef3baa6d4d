//! Relative paths in values: paths of files, and those of `sqlite://` URLs.

use std::ffi::{OsStr, OsString};
use std::path::{Path, absolute};

use super::keys::Key;

/// Resolves a relative path against a directory. A value that has no path is returned unchanged.
pub(super) fn resolved(value: &OsStr, key: &Key<'_>, directory: &Path) -> OsString {
    if key.is_path() {
        return joined(directory, Path::new(value));
    }
    let text = value.to_str().filter(|_| key.is_database_url()).map(str::trim);
    let Some(path) = text.and_then(|text| text.strip_prefix("sqlite:")) else {
        return value.to_owned();
    };
    let path = path.strip_prefix("//").unwrap_or(path);
    // Left as it is for the parser, which refuses it.
    if path.is_empty() || path.starts_with([':', '?']) {
        return value.to_owned();
    }
    let mut url = OsString::from("sqlite://");
    url.push(joined(directory, Path::new(path)));
    url
}

/// Absolute, unless the path is empty or the working directory has been deleted.
fn joined(directory: &Path, path: &Path) -> OsString {
    let path = directory.join(path);
    absolute(&path).unwrap_or(path).into_os_string()
}

#[cfg(test)]
mod tests {
    use clap::{Arg, value_parser};

    use super::*;

    #[test]
    fn only_paths_and_database_urls_are_resolved() {
        let path = value_parser!(std::path::PathBuf);
        let flags = [
            Arg::new("secret-file").long("secret-file").value_parser(path),
            Arg::new("database-url").long("database-url"),
            Arg::new("audience").long("audience"),
        ]
        .map(|flag| flag.help_heading("Database"));
        for (flag, value, expected) in [
            (0, "a", "/etc/a"),
            (0, "./a", "/etc/a"),
            (0, "sqlite:a", "/etc/sqlite:a"),
            (0, "/a", "/a"),
            (1, "sqlite:a", "sqlite:///etc/a"),
            (1, " sqlite://a/b?mode=rwc\n", "sqlite:///etc/a/b?mode=rwc"),
            (1, "sqlite:///a", "sqlite:///a"),
            (1, "sqlite://?mode=rwc", "sqlite://?mode=rwc"),
            (1, "postgres://h/d", "postgres://h/d"),
            (2, "sqlite:a", "sqlite:a"),
        ] {
            let key = Key::of(&flags[flag]).unwrap();
            assert_eq!(resolved(value.as_ref(), &key, Path::new("/etc")), expected, "{value}");
        }
    }
}
