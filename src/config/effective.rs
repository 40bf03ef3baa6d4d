//! Settings in force, each with its value and its source, for `sallyport config`.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::keys::Key;
use super::relative_path::resolved;
use super::secret::SecretSource;
use super::settings::Config;
use super::sources::Sources;
use crate::store::DatabaseUrl;

/// A setting in force. Secrets are redacted.
pub struct EffectiveSetting {
    /// Table of the configuration file.
    pub table: String,
    /// Name of the flag and of the key.
    pub name: String,
    /// Empty if the setting is not set and has no default.
    pub values: Vec<String>,
    pub is_repeatable: bool,
    pub is_redacted: bool,
    pub source: SettingSource,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingSource {
    /// With an explanation if the default is derived.
    Default(Option<&'static str>),
    /// Line of the configuration file.
    File(usize),
    /// Name of the variable.
    Environment(String),
    CommandLine,
}

/// The settings of a command that was parsed, grouped by their tables, in the order of the help. Paths are
/// absolute, since the output can be read back in another directory.
///
/// `config`: `None` if the settings contradict each other; derived defaults have no value then.
#[must_use]
pub fn effective_settings(
    command: &Command,
    matches: &ArgMatches,
    sources: &Sources,
    config: Option<&Config>,
) -> Vec<EffectiveSetting> {
    let mut keys: Vec<Key<'_>> = command.get_arguments().filter_map(Key::of).collect();
    let tables: Vec<String> = keys.iter().map(|key| key.table.clone()).collect();
    keys.sort_by_key(|key| tables.iter().position(|table| *table == key.table));
    keys.iter().map(|key| setting(key, matches, sources, config)).collect()
}

fn setting(
    key: &Key<'_>,
    matches: &ArgMatches,
    sources: &Sources,
    config: Option<&Config>,
) -> EffectiveSetting {
    let id = key.flag.get_id().as_str();
    let raw = matches.get_raw(id).into_iter().flatten();
    let raw: Vec<String> = raw.map(|value| absolute(value, key)).collect();
    let (values, source) = match (matches.value_source(id), sources.value(key.flag)) {
        (Some(ValueSource::CommandLine), _) => (raw, SettingSource::CommandLine),
        (Some(ValueSource::EnvVariable), _) => {
            let name = key.flag.get_env().unwrap_or_default();
            (raw, SettingSource::Environment(name.to_string_lossy().into_owned()))
        }
        (Some(_), Some(value)) => (raw, SettingSource::File(value.line)),
        (Some(_), None) => (raw, SettingSource::Default(None)),
        (None, _) => {
            let (value, note) = derived(key.name, config);
            let value = value.map(|value| absolute(&OsString::from(value), key));
            (value.into_iter().collect(), SettingSource::Default(note))
        }
    };
    let shown: Vec<String> = values.iter().map(|value| shown(value, key)).collect();
    // A secret can be the very text that stands for it.
    let is_hidden = key.is_secret() && !key.is_database_url() && !values.is_empty();
    EffectiveSetting {
        table: key.table.clone(),
        name: key.name.to_owned(),
        is_redacted: is_hidden || shown != values,
        values: shown,
        is_repeatable: key.is_repeatable(),
        source,
    }
}

/// Defaults that depend on other settings or on the surroundings, and what they depend on.
fn derived(name: &str, config: Option<&Config>) -> (Option<String>, Option<&'static str>) {
    let duration = |duration: fn(&Config) -> Duration| {
        config.map(|config| humantime::format_duration(duration(config)).to_string())
    };
    match name {
        "algorithm" => (None, Some("ES256, or the algorithm of the existing keys")),
        "refresh-retry-window" => (
            duration(|config| config.policy.retry_window),
            Some("10s, or half of a shorter access-token-lifetime"),
        ),
        "revocation-staleness" => {
            let value = duration(|config| config.revocation_staleness);
            (value, Some("5s, or a shorter access-token-lifetime"))
        }
        "secret-file" => match config.map(|config| &config.secret) {
            Some(SecretSource::CreatedFile(path)) => {
                (Some(path.display().to_string()), Some("beside the SQLite database"))
            }
            _ => (None, None),
        },
        "log-format" => {
            let format = if std::io::stderr().is_terminal() { "pretty" } else { "json" };
            (Some(format.to_owned()), Some("pretty on a terminal, otherwise json"))
        }
        "trusted-proxy-header" => {
            (None, Some("x-forwarded-for, or forwarded if that header is absent"))
        }
        "admin-password" => (None, Some("generated if the database has no account")),
        _ => (None, None),
    }
}

/// The value with an absolute path, if it is or has a path.
fn absolute(value: &OsStr, key: &Key<'_>) -> String {
    resolved(value, key, Path::new("")).to_string_lossy().into_owned()
}

/// Decided by the flag alone: what another secret looks like does not make it public.
fn shown(value: &str, key: &Key<'_>) -> String {
    match (key.is_database_url(), key.is_secret()) {
        (true, _) => redacted(value),
        (false, true) => "(set)".to_owned(),
        (false, false) => value.to_owned(),
    }
}

/// A database URL without its password; a text that is none not at all.
fn redacted(text: &str) -> String {
    match text.parse::<DatabaseUrl>() {
        Ok(url) if url.has_password() => without_password(text),
        // With a wrong separator before it, a password is part of another parameter.
        Ok(_) if text.contains("password=") => "(set)".to_owned(),
        Ok(_) => text.to_owned(),
        Err(_) => "(set)".to_owned(),
    }
}

/// Takes the password out of a PostgreSQL URL that has been parsed: before the `@` or in the query.
fn without_password(url: &str) -> String {
    let (place, query) = url.split_once('?').unzip();
    let place = place.unwrap_or(url);
    let hidden = place.split_once("://").and_then(|(scheme, rest)| {
        let (user, host) = rest.rsplit_once('@')?;
        let (name, _) = user.split_once(':')?;
        Some(format!("{scheme}://{name}:***@{host}"))
    });
    let place = hidden.unwrap_or_else(|| place.to_owned());
    let Some(query) = query else { return place };
    let parameters = query.split('&').map(|pair| match pair.split_once('=') {
        Some(("password", _)) => "password=***",
        _ => pair,
    });
    format!("{place}?{}", parameters.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_url_is_shown_without_its_password() {
        for (url, shown) in [
            ("sqlite://a.db", "sqlite://a.db"),
            ("postgres://ada@h/d?sslmode=require", "postgres://ada@h/d?sslmode=require"),
            ("postgres://ada:s3cret@h:5433/d", "postgres://ada:***@h:5433/d"),
            ("postgres://ada:p@s3cret@h/d?a", "(set)"),
            ("postgres://ada:p@s3:cret@h/d", "postgres://ada:***@h/d"),
            (
                "jdbc:postgresql://h/d?user=ada&password=s3cret&ssl=true",
                "jdbc:postgresql://h/d?user=ada&password=***&ssl=true",
            ),
            ("postgres://a:s3cret@h/d?password=s3cret", "postgres://a:***@h/d?password=***"),
            ("postgres://h/d?user=ada;password=s3cret", "(set)"),
            ("s3cret", "(set)"),
        ] {
            assert_eq!(redacted(url), shown, "{url}");
        }
    }
}
