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
use super::secret_url::SET;
use super::settings::Config;
use super::sources::Sources;
use crate::mail::LinkPage;

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
    let is_hidden = key.is_secret() && key.secret_url().is_none() && !values.is_empty();
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
    let page = |page| {
        let page = config.map(|config| config.email.settings.links.page(page).to_string());
        (page, Some("a page of app-url"))
    };
    let relying_party = config.and_then(|config| config.relying_party.as_ref());
    match name {
        "passkey-rp-id" => {
            let id = relying_party.map(|relying_party| relying_party.id().to_string());
            (id, Some("host of issuer; no passkeys if it is an IP address"))
        }
        "passkey-origins" => {
            let origin = relying_party.and_then(|relying_party| relying_party.origins().first());
            (origin.map(ToString::to_string), Some("origin of issuer"))
        }
        "email-from" => {
            let sender = config.map(|config| config.email.sender.to_string());
            (sender, Some("noreply at the host of issuer"))
        }
        "app-url" => (config.map(|config| config.issuer.issuer.clone()), Some("issuer")),
        "verify-url" => page(LinkPage::Verify),
        "reset-url" => page(LinkPage::Reset),
        "login-url" => page(LinkPage::Login),
        "revert-url" => page(LinkPage::Revert),
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
    match (key.secret_url(), key.is_secret()) {
        (Some(kind), _) => kind.redacted(value),
        (None, true) => SET.to_owned(),
        (None, false) => value.to_owned(),
    }
}
