//! Sources of settings besides the command line: the environment and the configuration file.
//!
//! A flag on the command line overrides the environment, which overrides the file, which overrides the
//! default. Of two flags that exclude each other, such as `--secret` and `--secret-file`, the one from the
//! higher source replaces the other; both from one source are an error.

use std::collections::BTreeSet;
use std::path::Path;

use clap::builder::{OsStr, Resettable};
use clap::{Arg, Command};

use super::environment::without_empty;
use super::error::ConfigError;
use super::file::{ConfigFile, ConfigFileInfo, FileValue};
use super::keys::{Key, alternatives};

#[derive(Debug, Default)]
pub struct Sources {
    file: Option<ConfigFile>,
}

impl Sources {
    /// Reads the configuration file, if there is one. `command`: the whole command line, whose flags are the
    /// keys.
    pub fn read(path: Option<&Path>, command: &Command) -> Result<Self, ConfigError> {
        let file = path.map(|path| ConfigFile::read(path, command)).transpose()?;
        Ok(Self { file })
    }

    #[must_use]
    pub fn file(&self) -> Option<&ConfigFileInfo> {
        self.file.as_ref().map(ConfigFile::info)
    }

    /// Makes the file's values the defaults of the flags, of the subcommands too. `is_given`: whether a flag,
    /// by its id, is on the command line.
    #[must_use]
    pub fn apply(&self, command: Command, is_given: &dyn Fn(&str) -> bool) -> Command {
        let command = without_empty(command);
        let replaced = self.replaced(&command, is_given);
        let command = command.mut_args(|flag| {
            if replaced.contains(flag.get_id().as_str()) {
                return flag.env(Resettable::<OsStr>::Reset);
            }
            match self.value(&flag) {
                Some(value) => {
                    let raw = value.raw.clone();
                    flag.default_values(raw)
                }
                None => flag,
            }
        });
        command.mut_subcommands(|command| self.apply(command, is_given))
    }

    /// The file's value of a flag.
    pub(super) fn value(&self, flag: &Arg) -> Option<&FileValue> {
        self.file.as_ref()?.get(Key::of(flag)?.name)
    }

    /// Ids of the flags whose values in the environment and the file give way to an alternative from a higher
    /// source.
    fn replaced(&self, command: &Command, is_given: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
        let rank = |flag: &Arg| {
            if is_given(flag.get_id().as_str()) {
                Some(3)
            } else if flag.get_env().is_some_and(|name| std::env::var_os(name).is_some()) {
                Some(2)
            } else {
                self.value(flag).map(|_| 1)
            }
        };
        let lower = alternatives(command).into_iter().filter_map(|(one, other)| {
            match rank(one).cmp(&rank(other)) {
                std::cmp::Ordering::Less => Some(one),
                std::cmp::Ordering::Equal => None,
                std::cmp::Ordering::Greater => Some(other),
            }
        });
        lower.map(|flag| flag.get_id().to_string()).collect()
    }
}
