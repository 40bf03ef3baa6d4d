//! The configuration file: TOML with the flags' names as keys.
//!
//! A value is what would follow the flag on the command line: a string, an integer or a boolean, or an array
//! of them for a flag that can be repeated. An empty string counts as not set, as in the environment. A
//! relative path, also that of a `sqlite://` URL, is relative to the file's directory, so that every command
//! finds the same database wherever it is started. The whole file is checked at once, with the keys of other
//! commands, by the parsers of the flags.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf, absolute};

use clap::{Arg, Command};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};
use zeroize::Zeroizing;

use super::error::ConfigError;
use super::flag_value::check_value;
use super::keys::{Key, alternatives, keys, nearest};
use super::relative_path::resolved;

/// Far more than all settings; a larger file is another one.
const MAX_BYTES: usize = 1024 * 1024;

pub(super) struct ConfigFile {
    info: ConfigFileInfo,
    values: BTreeMap<String, FileValue>,
}

/// A configuration file without its values.
#[derive(Clone, Debug)]
pub struct ConfigFileInfo {
    pub path: PathBuf,
    pub has_secrets: bool,
}

/// The value of a key, as the flag's raw values.
pub(super) struct FileValue {
    pub line: usize,
    pub raw: Vec<OsString>,
}

/// An error at an offset of the text.
struct Problem {
    at: usize,
    message: String,
}

impl ConfigFile {
    /// `command`: the whole command line, whose flags are the keys.
    pub(super) fn read(path: &Path, command: &Command) -> Result<Self, ConfigError> {
        let shown = path.display();
        let text = read_text(path).map_err(|reason| {
            ConfigError(
                format!("cannot read the configuration file {shown}: {reason}; check --config or SALLYPORT_CONFIG")
                    .into(),
            )
        })?;
        let line = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        let refused = |problem: Problem| {
            let Problem { at, message } = problem;
            let place = format!("configuration file {shown}, line {}", line(at));
            ConfigError(format!("{place}: {message}").into())
        };
        // Not the whole text of the error: it quotes the line, which may hold a secret.
        let document = DeTable::parse(&text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            refused(Problem { at, message: error.message().to_owned() })
        })?;
        let keys = keys(command);
        // Absolute, as messages and `sallyport config` are read in other directories, too.
        let file = absolute(path).unwrap_or_else(|_| path.to_owned());
        let directory = file.parent().unwrap_or(&file);
        let found = read_tables(document.get_ref(), &keys, directory).map_err(refused)?;
        if let Some(problem) = exclusive(&found, command) {
            return Err(refused(problem));
        }
        let has_secrets = found.iter().any(Entry::holds_secret);
        let values = found.into_iter().map(|entry| {
            let value = FileValue { line: line(entry.at), raw: entry.raw };
            (entry.key.name.to_owned(), value)
        });
        let info = ConfigFileInfo { path: path.to_owned(), has_secrets };
        Ok(Self { info, values: values.collect() })
    }

    pub(super) fn info(&self) -> &ConfigFileInfo {
        &self.info
    }

    pub(super) fn get(&self, name: &str) -> Option<&FileValue> {
        self.values.get(name)
    }
}

/// Without the values: some are secrets.
impl fmt::Debug for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info.fmt(f)
    }
}

fn read_text(path: &Path) -> Result<Zeroizing<String>, String> {
    let mut bytes = Zeroizing::new(Vec::new());
    let file = File::open(path).map_err(|error| error.to_string())?;
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX) + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > MAX_BYTES {
        return Err("the file is larger than 1 MiB".to_owned());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| "the file is not UTF-8 text".to_owned())?;
    Ok(Zeroizing::new(text.to_owned()))
}

type Keys<'a> = BTreeMap<&'a str, Key<'a>>;

struct Entry<'k, 'a> {
    key: &'k Key<'a>,
    at: usize,
    raw: Vec<OsString>,
}

impl Entry<'_, '_> {
    fn holds_secret(&self) -> bool {
        match self.key.secret_url() {
            Some(kind) => {
                self.raw.iter().any(|raw| raw.to_str().is_none_or(|text| kind.has_secret(text)))
            }
            None => self.key.is_secret(),
        }
    }
}

/// All values, or the first problem of the file.
fn read_tables<'k, 'a>(
    document: &DeTable<'_>,
    keys: &'k Keys<'a>,
    directory: &Path,
) -> Result<Vec<Entry<'k, 'a>>, Problem> {
    let tables: BTreeSet<&str> = keys.values().map(|key| key.table.as_str()).collect();
    let mut items = Vec::new();
    for (name, content) in document {
        let table = name.get_ref().as_ref();
        match content.get_ref() {
            DeValue::Table(entries) if tables.contains(table) => {
                items.extend(entries.iter().map(|(key, value)| (Some(table), key, value)));
            }
            _ => items.push((None, name, content)),
        }
    }
    // In the order of the text, so that the first problem is reported, and only its message is worded: the
    // search for a similar name takes time.
    items.sort_by_key(|(_, key, _)| key.span().start);
    let mut found = Vec::new();
    for (table, key, value) in items {
        if let Some(table) = table {
            found.extend(read_value(table, key, value, keys, directory)?);
        } else {
            let message = misplaced(key.get_ref(), value.get_ref(), keys, &tables);
            return Err(Problem { at: key.span().start, message });
        }
    }
    Ok(found)
}

/// The message about a top-level name that is no table of settings.
fn misplaced(
    name: &str,
    content: &DeValue<'_>,
    keys: &Keys<'_>,
    tables: &BTreeSet<&str>,
) -> String {
    let shown = name.escape_debug();
    if tables.contains(name) {
        return format!("{shown} is a table: write its keys below a line [{shown}]");
    }
    if let Some(key) = keys.get(name) {
        return format!("the key {shown} belongs to the table [{}]", key.table);
    }
    if matches!(content, DeValue::Table(_)) {
        if let Some(table) = nearest(name, tables.iter().copied()) {
            return format!("unknown table [{shown}]; did you mean [{table}]?");
        }
        let all: Vec<_> = tables.iter().map(|table| format!("[{table}]")).collect();
        return format!("unknown table [{shown}]; the tables are {}", all.join(", "));
    }
    unknown(name, keys)
}

fn unknown(name: &str, keys: &Keys<'_>) -> String {
    let known = nearest(name, keys.keys().copied()).and_then(|name| keys.get(name));
    let known = known.map(|key| format!("; did you mean {}?", key.path())).unwrap_or_default();
    format!("unknown key {}{known}", name.escape_debug())
}

/// `None` for an empty value.
fn read_value<'k, 'a>(
    table: &str,
    name: &Spanned<DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
    keys: &'k Keys<'a>,
    directory: &Path,
) -> Result<Option<Entry<'k, 'a>>, Problem> {
    let (at, name) = (name.span().start, name.get_ref().as_ref());
    let problem = |message| Problem { at, message };
    let key = keys.get(name).ok_or_else(|| problem(unknown(name, keys)))?;
    if key.table != table {
        let belongs = format!("belongs to the table [{}], not to [{table}]", key.table);
        return Err(problem(format!("the key {name} {belongs}")));
    }
    let wrong = |reason: &str| problem(format!("invalid value of {}: {reason}", key.path()));
    let texts = texts(value.get_ref(), key).ok_or_else(|| {
        let expected = match key {
            key if key.is_secret() => "a string",
            key if key.is_repeatable() => "a string or an array of strings",
            _ => "a string, an integer or a boolean",
        };
        wrong(&format!("must be {expected}, not {}", kind(value.get_ref())))
    })?;
    if texts.iter().all(String::is_empty) {
        return Ok(None);
    }
    let resolved = |text: &String| resolved(OsStr::new(text), key, directory);
    let raw: Vec<_> = texts.iter().map(resolved).collect();
    for raw in &raw {
        check_value(key.flag, raw).map_err(|reason| wrong(&reason))?;
    }
    Ok(Some(Entry { key, at, raw }))
}

/// `None` for a value of a wrong type.
fn texts(value: &DeValue<'_>, key: &Key<'_>) -> Option<Vec<String>> {
    match value {
        DeValue::Array(items) if key.is_repeatable() => {
            items.iter().map(|item| scalar(item.get_ref())).collect()
        }
        // An integer would lose zeros at its beginning.
        value if key.is_secret() && !matches!(value, DeValue::String(_)) => None,
        value => scalar(value).map(|text| vec![text]),
    }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.as_ref().to_owned()),
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            number.ok().map(|number| number.to_string())
        }
        DeValue::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(number)
            if i64::from_str_radix(number.as_str(), number.radix()).is_ok() =>
        {
            "an integer"
        }
        DeValue::Integer(_) => "an integer of more than 64 bits",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// Two keys of which only one may be given.
fn exclusive(found: &[Entry<'_, '_>], command: &Command) -> Option<Problem> {
    let entry = |flag: &Arg| {
        let name = flag.get_long();
        found.iter().find(|entry| Some(entry.key.name) == name)
    };
    alternatives(command).into_iter().find_map(|(flag, other)| {
        let (one, other) = (entry(flag)?, entry(other)?);
        let (one_path, other_path) = (one.key.path(), other.key.path());
        let message = format!("{one_path} and {other_path} exclude each other; remove one of them");
        Some(Problem { at: one.at.max(other.at), message })
    })
}
