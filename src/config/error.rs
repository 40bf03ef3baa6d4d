//! Error of invalid or contradictory settings.

use std::borrow::Cow;

/// Settings that are invalid or contradict each other. The message names the flags and the accepted values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub(super) Cow<'static, str>);
