//! Sources of settings besides the command line: the environment and the configuration file.
//!
//! A flag on the command line overrides the environment, which overrides the file, which overrides the
//! default. Of two flags that exclude each other, such as `--secret` and `--secret-file`, the one from the
//! higher source replaces the other; both from one source are an error. A value of the environment that a flag
//! on the command line overrides is not read at all: it may be invalid.

use std::collections::BTreeSet;
use std::path::Path;

use clap::{Arg, Command};

use super::environment::{check_variables, is_set, without_empty, without_variable};
use super::error::ConfigError;
use super::file::{ConfigFile, ConfigFileInfo, FileValue};
use super::keys::{Key, alternatives};

#[derive(Debug, Default)]
pub struct Sources {
    file: Option<ConfigFile>,
    /// Ids of the flags on the command line.
    given: BTreeSet<String>,
}

impl Sources {
    /// Reads the configuration file, if there is one, and checks it and the environment. `command`: the whole
    /// command line, whose flags are the keys; `given`: the ids of the flags that are on it.
    pub fn read(
        path: Option<&Path>,
        command: &Command,
        given: BTreeSet<String>,
    ) -> Result<Self, ConfigError> {
        let file = path.map(|path| ConfigFile::read(path, command)).transpose()?;
        check_variables(command, &given)?;
        Ok(Self { file, given })
    }

    #[must_use]
    pub fn file(&self) -> Option<&ConfigFileInfo> {
        self.file.as_ref().map(ConfigFile::info)
    }

    /// Makes the file's values the defaults of the flags, of the subcommands too.
    #[must_use]
    pub fn apply(&self, command: Command) -> Command {
        let command = without_empty(command);
        let replaced = self.replaced(&command);
        let command = command.mut_args(|flag| {
            let is_replaced = replaced.contains(flag.get_id().as_str());
            if is_replaced || self.is_given(&flag) {
                return without_variable(flag);
            }
            match self.value(&flag) {
                Some(value) => {
                    let raw = value.raw.clone();
                    flag.default_values(raw)
                }
                None => flag,
            }
        });
        command.mut_subcommands(|command| self.apply(command))
    }

    fn is_given(&self, flag: &Arg) -> bool {
        self.given.contains(flag.get_id().as_str())
    }

    /// The file's value of a flag.
    pub(super) fn value(&self, flag: &Arg) -> Option<&FileValue> {
        self.file.as_ref()?.get(Key::of(flag)?.name)
    }

    /// Ids of the flags whose values in the environment and the file give way to an alternative from a higher
    /// source.
    fn replaced(&self, command: &Command) -> BTreeSet<String> {
        let rank = |flag: &Arg| {
            if self.is_given(flag) {
                Some(3)
            } else if is_set(flag) {
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
