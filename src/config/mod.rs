//! Settings: flags, environment variables and the configuration file, validated once.
//!
//! Every flag has an environment variable `SALLYPORT_…` of its name, and a key of its name in the
//! configuration file, in the table that is named as its heading in the help. Secrets are neither shown in
//! the help nor printed. A source file holds the flags of one heading.

mod accounts;
mod consistency;
mod database;
mod effective;
mod email;
mod environment;
mod error;
mod factors;
mod file;
mod flag_value;
mod foreign_token_file;
mod keys;
mod limits;
mod moving;
mod relative_path;
mod secret;
mod secret_url;
mod serve;
mod service;
mod sessions;
mod settings;
mod sources;
mod tokens;
mod transport;
mod values;

pub use database::DatabaseArguments;
pub use effective::{EffectiveSetting, SettingSource, effective_settings};
pub use email::{EmailArguments, EmailConfig, SmtpConfig};
pub use environment::{unknown_variables, without_empty, without_variable, without_variables};
pub use error::ConfigError;
pub use file::ConfigFileInfo;
pub use foreign_token_file::ForeignTokenFile;
pub use moving::ForeignTokenSource;
pub use secret::{Secret, SecretArguments, SecretSource};
pub use serve::ServeArguments;
pub use service::{Federation, LogFormat};
pub use sessions::RetentionArguments;
pub use settings::Config;
pub use sources::Sources;
pub(crate) use tokens::algorithm;
