//! Error of settings that contradict each other.

use std::borrow::Cow;

/// Settings that contradict each other. The message names the flags and what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; see --help")]
pub struct ConfigError(pub(super) Cow<'static, str>);
