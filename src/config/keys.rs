//! Keys of the configuration file: the names of the flags, in tables named as the headings of the help.
//!
//! Both are derived from the command line's definition, so that the file can never differ from it.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, Command, ValueHint};

use super::secret_url::SecretUrl;

/// A flag that can be set in the configuration file.
pub(super) struct Key<'a> {
    pub table: String,
    pub name: &'a str,
    pub flag: &'a Arg,
}

impl<'a> Key<'a> {
    /// `None` for a flag without a heading: it belongs to one command, such as `--json`.
    pub(super) fn of(flag: &'a Arg) -> Option<Self> {
        let table = flag.get_help_heading()?.to_lowercase().replace(' ', "-");
        Some(Self { table, name: flag.get_long()?, flag })
    }

    /// Dotted, as TOML allows to write it.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.table, self.name)
    }

    pub(super) fn is_secret(&self) -> bool {
        self.flag.is_hide_env_values_set()
    }

    /// The kind of its URL, which is secret only in part.
    pub(super) fn secret_url(&self) -> Option<SecretUrl> {
        SecretUrl::of_flag(self.name)
    }

    /// A `sqlite://` URL has a path.
    pub(super) fn is_database_url(&self) -> bool {
        self.secret_url() == Some(SecretUrl::Database)
    }

    pub(super) fn is_repeatable(&self) -> bool {
        matches!(self.flag.get_action(), ArgAction::Append)
    }

    pub(super) fn is_path(&self) -> bool {
        matches!(self.flag.get_value_hint(), ValueHint::AnyPath)
    }
}

/// The keys of a command and all its subcommands, by their names.
pub(super) fn keys(command: &Command) -> BTreeMap<&str, Key<'_>> {
    let mut found: BTreeMap<&str, Key<'_>> = BTreeMap::new();
    for command in command.get_subcommands() {
        found.extend(keys(command));
    }
    found.extend(command.get_arguments().filter_map(Key::of).map(|key| (key.name, key)));
    found
}

/// Pairs of flags of which only one may be given.
pub(super) fn alternatives(command: &Command) -> Vec<(&Arg, &Arg)> {
    let flags = command.get_arguments().filter(|flag| !flag.is_global_set());
    let pairs = flags.flat_map(|flag| {
        let others = command.get_arg_conflicts_with(flag);
        others.into_iter().map(move |other| (flag, other))
    });
    pairs.filter(|(flag, other)| Key::of(flag).is_some() && Key::of(other).is_some()).collect()
}

/// The known name that is most similar, if one is similar.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A long name is not compared: it is similar to none, and the comparison is quadratic.
    if name.len() > 64 {
        return None;
    }
    let name = name.to_lowercase().replace('_', "-");
    let distance = |known: &str| strsim::osa_distance(&name, known);
    let (edits, nearest) = known.map(|known| (distance(known), known)).min()?;
    (edits <= 2 || edits * 4 <= name.len()).then_some(nearest)
}
